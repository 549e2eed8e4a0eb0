/*
 * seccomp and futex have no function in the C library: programs and libseccomp
 * reach them by syscall().  After the first our own system calls could be what the
 * filter kills for; the other may wait.  In assembly, because syscall(SYS_vfork) returns twice from
 * one frame.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "lib/client_waits.h"
#include "lib/sigprof_client.h"

/* The system call itself; jumped to from below and from around what waits. */
long syscall_bare(long number, ...);

__attribute__((used, visibility("hidden"))) struct wait_call wait_call_syscall = {
	.jump = (wait_function)syscall_bare, .name = "syscall", .reason = SIGPROF_WAIT_LOCK
};

/* Called from below. */
void syscall_seccomp(unsigned long operation);
long syscall_failed(long result);

__attribute__((used)) void syscall_seccomp(unsigned long operation)
{
	if (operation == SECCOMP_SET_MODE_STRICT || operation == SECCOMP_SET_MODE_FILTER)
		client_set_mode(CLIENT_MAKES_NO_CALLS);
}

__attribute__((used)) long syscall_failed(long result)
{
	errno = (int)-result;
	return -1;
}

#if defined(__x86_64__)
static_assert(SYS_seccomp == 317 && SYS_futex == 202, "the numbers below");
__asm__(".text\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	".cfi_startproc\n"
	"	cmpq $317, %rdi\n"
	"	je 2f\n"
	"	cmpq $202, %rdi\n"
	"	je 4f\n"
	".hidden syscall_bare\n"
	".globl syscall_bare\n"
	"syscall_bare:\n"
	"1:	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	movq %r8, %r10\n"
	"	movq %r9, %r8\n"
	"	movq 8(%rsp), %r9\n"
	"	syscall\n"
	"	cmpq $-4095, %rax\n"
	"	jae 3f\n"
	"	ret\n"
	"2:	subq $56, %rsp\n"
	"	.cfi_adjust_cfa_offset 56\n"
	"	movq %rdi, (%rsp)\n"
	"	movq %rsi, 8(%rsp)\n"
	"	movq %rdx, 16(%rsp)\n"
	"	movq %rcx, 24(%rsp)\n"
	"	movq %r8, 32(%rsp)\n"
	"	movq %r9, 40(%rsp)\n"
	"	movq %rsi, %rdi\n"
	"	call syscall_seccomp\n"
	"	movq (%rsp), %rdi\n"
	"	movq 8(%rsp), %rsi\n"
	"	movq 16(%rsp), %rdx\n"
	"	movq 24(%rsp), %rcx\n"
	"	movq 32(%rsp), %r8\n"
	"	movq 40(%rsp), %r9\n"
	"	addq $56, %rsp\n"
	"	.cfi_adjust_cfa_offset -56\n"
	"	jmp 1b\n"
	"3:	movq %rax, %rdi\n"
	"	jmp syscall_failed\n"
	"4:	cmpl $0, waits_are_on(%rip)\n"
	"	je 1b\n"
	"	leaq wait_call_syscall(%rip), %r11\n"
	"	jmp wait_around\n"
	".cfi_endproc\n"
	".size syscall, .-syscall\n");
#else
static_assert(SYS_seccomp == 277 && SYS_futex == 98, "the numbers below");
__asm__(".text\n"
	".globl syscall\n"
	".type syscall, %function\n"
	"syscall:\n"
	".cfi_startproc\n"
	"	cmp x0, #277\n"
	"	b.eq 2f\n"
	"	cmp x0, #98\n"
	"	b.eq 4f\n"
	".hidden syscall_bare\n"
	".globl syscall_bare\n"
	"syscall_bare:\n"
	"1:	mov x8, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x2, x3\n"
	"	mov x3, x4\n"
	"	mov x4, x5\n"
	"	mov x5, x6\n"
	"	mov x6, x7\n"
	"	svc #0\n"
	"	cmn x0, #4095\n"
	"	b.cs 3f\n"
	"	ret\n"
	"2:	stp x29, x30, [sp, #-80]!\n"
	"	.cfi_def_cfa_offset 80\n"
	"	.cfi_offset 29, -80\n"
	"	.cfi_offset 30, -72\n"
	"	stp x0, x1, [sp, #16]\n"
	"	stp x2, x3, [sp, #32]\n"
	"	stp x4, x5, [sp, #48]\n"
	"	stp x6, x7, [sp, #64]\n"
	"	mov x0, x1\n"
	"	bl syscall_seccomp\n"
	"	ldp x0, x1, [sp, #16]\n"
	"	ldp x2, x3, [sp, #32]\n"
	"	ldp x4, x5, [sp, #48]\n"
	"	ldp x6, x7, [sp, #64]\n"
	"	ldp x29, x30, [sp], #80\n"
	"	.cfi_def_cfa_offset 0\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	b 1b\n"
	"3:	b syscall_failed\n"
	"4:	adrp x9, waits_are_on\n"
	"	ldr w9, [x9, :lo12:waits_are_on]\n"
	"	cbz w9, 1b\n"
	"	adrp x16, wait_call_syscall\n"
	"	add x16, x16, :lo12:wait_call_syscall\n"
	"	b wait_around\n"
	".cfi_endproc\n"
	".size syscall, .-syscall\n");
#endif
