/*
 * The functions of the C library that may wait.  While waiting is not told of they
 * jump to the real ones and leave no trace.  Else one piece of code is around
 * them all: it keeps the arguments and the registers as they were, so that what is
 * shown is the real function, called by whoever called it.
 *
 * In assembly, because C has no function that passes on whatever it got.  The frame is
 * struct wait_frame; no argument is a floating-point number.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <string.h>

#include "lib/client_waits.h"
#include "lib/wrapper.h"

/* NAME is ours and calls the next one of that name. */
#define WAITS_FOR(name, why) WAITS_IN(name, name, why, ".globl " #name "\n")
/* NAME is reached from elsewhere in here only. */
#define WAITS_LATER(name, shown, why)                                                              \
	WAITS_IN(name, shown, why, ".hidden " #name "\n.globl " #name "\n")

#if defined(__x86_64__)
static_assert(offsetof(struct wait_frame, arguments) == 8, "the numbers below");
static_assert(offsetof(struct wait_frame, call) == 72, "the numbers below");
static_assert(offsetof(struct wait_frame, saved) == 80, "the numbers below");
static_assert(sizeof(struct wait_frame) == 184, "the numbers below");

#define WAITS_IN(ours, shown, why, binding)                                                        \
	__attribute__((used, visibility("hidden"))) struct wait_call wait_call_##ours = {          \
		NULL, NULL, #shown, SIGPROF_WAIT_##why                                             \
	};                                                                                         \
	__asm__(".text\n" binding ".type " #ours ", @function\n" #ours ":\n"                       \
		".cfi_startproc\n"                                                                 \
		"\tleaq wait_call_" #ours "(%rip), %r11\n"                                         \
		"\tjmp wait_around\n"                                                              \
		".cfi_endproc\n"                                                                   \
		".size " #ours ", .-" #ours "\n")

__asm__(".text\n"
	".hidden wait_around\n"
	".globl wait_around\n"
	".type wait_around, @function\n"
	"wait_around:\n"
	".cfi_startproc\n"
	"	movq (%r11), %r10\n"
	"	testq %r10, %r10\n"
	"	je 1f\n"
	"	cmpl $0, waits_are_on(%rip)\n"
	"	jne 1f\n"
	"	jmp *%r10\n"
	"1:	subq $184, %rsp\n"
	"	.cfi_adjust_cfa_offset 184\n"
	"	movq %rdi, 8(%rsp)\n"
	"	movq %rsi, 16(%rsp)\n"
	"	movq %rdx, 24(%rsp)\n"
	"	movq %rcx, 32(%rsp)\n"
	"	movq %r8, 40(%rsp)\n"
	"	movq %r9, 48(%rsp)\n"
	"	movq %rax, 56(%rsp)\n"
	"	movq %r11, 72(%rsp)\n"
	"	movq %rbx, 80(%rsp)\n"
	"	movq %rbp, 88(%rsp)\n"
	"	movq %r12, 96(%rsp)\n"
	"	movq %r13, 104(%rsp)\n"
	"	movq %r14, 112(%rsp)\n"
	"	movq %r15, 120(%rsp)\n"
	"	movq 192(%rsp), %rdi\n"
	"	movq %rdi, (%rsp)\n"
	"	movq %rsp, %rdi\n"
	"	call wait_enter\n"
	"	movq %rax, %r11\n"
	"	movq 8(%rsp), %rdi\n"
	"	movq 16(%rsp), %rsi\n"
	"	movq 24(%rsp), %rdx\n"
	"	movq 32(%rsp), %rcx\n"
	"	movq 40(%rsp), %r8\n"
	"	movq 48(%rsp), %r9\n"
	"	movq 56(%rsp), %rax\n"
	"	call *%r11\n"
	"	movq %rax, 56(%rsp)\n"
	"	movq %rdx, 24(%rsp)\n"
	"	movq %rsp, %rdi\n"
	"	call wait_leave\n"
	"	movq 56(%rsp), %rax\n"
	"	movq 24(%rsp), %rdx\n"
	"	addq $184, %rsp\n"
	"	.cfi_adjust_cfa_offset -184\n"
	"	ret\n"
	".cfi_endproc\n"
	".size wait_around, .-wait_around\n");

void wait_frame_registers(const struct wait_frame *frame, uint64_t *registers)
{
	/* System V psABI, figure 3.36: rbx 3, rbp 6, rsp 7, r12 to r15, rip 16. */
	static const uint8_t number_of[] = { 3, 6, 12, 13, 14, 15 };

	for (unsigned int i = 0; i < sizeof(number_of); i++)
		registers[number_of[i]] = frame->saved[i];
	registers[7] = wait_frame_sp(frame);
	registers[16] = (uint64_t)(uintptr_t)frame->call->real;
}
#else
static_assert(offsetof(struct wait_frame, arguments) == 8, "the numbers below");
static_assert(offsetof(struct wait_frame, call) == 72, "the numbers below");
static_assert(offsetof(struct wait_frame, saved) == 80, "the numbers below");
static_assert(sizeof(struct wait_frame) == 176, "the numbers below");

#define WAITS_IN(ours, shown, why, binding)                                                        \
	__attribute__((used, visibility("hidden"))) struct wait_call wait_call_##ours = {          \
		NULL, NULL, #shown, SIGPROF_WAIT_##why                                             \
	};                                                                                         \
	__asm__(".text\n" binding ".type " #ours ", %function\n" #ours ":\n"                       \
		".cfi_startproc\n"                                                                 \
		"\tadrp x16, wait_call_" #ours "\n"                                                \
		"\tadd x16, x16, :lo12:wait_call_" #ours "\n"                                      \
		"\tb wait_around\n"                                                                \
		".cfi_endproc\n"                                                                   \
		".size " #ours ", .-" #ours "\n")

__asm__(".text\n"
	".hidden wait_around\n"
	".globl wait_around\n"
	".type wait_around, %function\n"
	"wait_around:\n"
	".cfi_startproc\n"
	"	ldr x17, [x16]\n"
	"	cbz x17, 1f\n"
	"	adrp x9, waits_are_on\n"
	"	ldr w9, [x9, :lo12:waits_are_on]\n"
	"	cbnz w9, 1f\n"
	"	br x17\n"
	"1:	sub sp, sp, #176\n"
	"	.cfi_adjust_cfa_offset 176\n"
	"	stp x29, x30, [sp, #160]\n"
	"	.cfi_offset 29, -16\n"
	"	.cfi_offset 30, -8\n"
	"	stp x0, x1, [sp, #8]\n"
	"	stp x2, x3, [sp, #24]\n"
	"	stp x4, x5, [sp, #40]\n"
	"	stp x6, x7, [sp, #56]\n"
	"	str x16, [sp, #72]\n"
	"	stp x19, x20, [sp, #80]\n"
	"	stp x21, x22, [sp, #96]\n"
	"	stp x23, x24, [sp, #112]\n"
	"	stp x25, x26, [sp, #128]\n"
	"	stp x27, x28, [sp, #144]\n"
	"	mov x0, sp\n"
	"	bl wait_enter\n"
	"	mov x16, x0\n"
	"	ldp x0, x1, [sp, #8]\n"
	"	ldp x2, x3, [sp, #24]\n"
	"	ldp x4, x5, [sp, #40]\n"
	"	ldp x6, x7, [sp, #56]\n"
	"	blr x16\n"
	"	stp x0, x1, [sp, #56]\n"
	"	mov x0, sp\n"
	"	bl wait_leave\n"
	"	ldp x0, x1, [sp, #56]\n"
	"	ldp x29, x30, [sp, #160]\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	add sp, sp, #176\n"
	"	.cfi_adjust_cfa_offset -176\n"
	"	ret\n"
	".cfi_endproc\n"
	".size wait_around, .-wait_around\n");

void wait_frame_registers(const struct wait_frame *frame, uint64_t *registers)
{
	enum { X19 = 19, SP = 31, PC = 32 };

	for (unsigned int i = 0; i < sizeof(frame->saved) / sizeof(*frame->saved); i++)
		registers[X19 + i] = frame->saved[i];
	registers[SP] = wait_frame_sp(frame);
	registers[PC] = (uint64_t)(uintptr_t)frame->call->real;
}
#endif

uint64_t wait_frame_sp(const struct wait_frame *frame)
{
	return (uint64_t)(uintptr_t)(frame + 1);
}

WAITS_FOR(nanosleep, SLEEP);
WAITS_FOR(clock_nanosleep, SLEEP);
WAITS_FOR(sleep, SLEEP);
WAITS_FOR(usleep, SLEEP);
WAITS_FOR(thrd_sleep, SLEEP);

WAITS_FOR(poll, POLL);
WAITS_FOR(ppoll, POLL);
WAITS_FOR(__poll_chk, POLL);
WAITS_FOR(__ppoll_chk, POLL);
WAITS_FOR(select, POLL);
WAITS_FOR(pselect, POLL);
WAITS_FOR(epoll_wait, POLL);
WAITS_FOR(epoll_pwait, POLL);
WAITS_FOR(epoll_pwait2, POLL);

WAITS_FOR(pthread_cond_wait, LOCK);
WAITS_FOR(pthread_cond_timedwait, LOCK);
WAITS_FOR(pthread_cond_clockwait, LOCK);
WAITS_FOR(pthread_mutex_timedlock, LOCK);
WAITS_FOR(pthread_mutex_clocklock, LOCK);
WAITS_FOR(pthread_rwlock_timedrdlock, LOCK);
WAITS_FOR(pthread_rwlock_timedwrlock, LOCK);
WAITS_FOR(pthread_barrier_wait, LOCK);
WAITS_FOR(pthread_join, LOCK);
WAITS_FOR(pthread_timedjoin_np, LOCK);
WAITS_FOR(pthread_clockjoin_np, LOCK);
WAITS_FOR(sem_timedwait, LOCK);
WAITS_FOR(sem_clockwait, LOCK);
WAITS_FOR(cnd_wait, LOCK);
WAITS_FOR(cnd_timedwait, LOCK);
WAITS_FOR(mtx_lock, LOCK);
WAITS_FOR(mtx_timedlock, LOCK);
WAITS_FOR(thrd_join, LOCK);
WAITS_FOR(flock, LOCK);
WAITS_FOR(lockf, LOCK);
WAITS_FOR(lockf64, LOCK);
WAITS_FOR(semop, LOCK);
WAITS_FOR(semtimedop, LOCK);

WAITS_FOR(read, DESCRIPTOR);
WAITS_FOR(__read_chk, DESCRIPTOR);
WAITS_FOR(write, DESCRIPTOR);
WAITS_FOR(readv, DESCRIPTOR);
WAITS_FOR(writev, DESCRIPTOR);
WAITS_FOR(pread, DESCRIPTOR);
WAITS_FOR(pread64, DESCRIPTOR);
WAITS_FOR(__pread_chk, DESCRIPTOR);
WAITS_FOR(__pread64_chk, DESCRIPTOR);
WAITS_FOR(pwrite, DESCRIPTOR);
WAITS_FOR(pwrite64, DESCRIPTOR);
WAITS_FOR(preadv, DESCRIPTOR);
WAITS_FOR(preadv64, DESCRIPTOR);
WAITS_FOR(pwritev, DESCRIPTOR);
WAITS_FOR(pwritev64, DESCRIPTOR);
WAITS_FOR(sendfile, DESCRIPTOR);
WAITS_FOR(sendfile64, DESCRIPTOR);
WAITS_FOR(splice, DESCRIPTOR);
WAITS_FOR(recv, SOCKET);
WAITS_FOR(__recv_chk, SOCKET);
WAITS_FOR(recvfrom, SOCKET);
WAITS_FOR(__recvfrom_chk, SOCKET);
WAITS_FOR(recvmsg, SOCKET);
WAITS_FOR(recvmmsg, SOCKET);
WAITS_FOR(send, SOCKET);
WAITS_FOR(sendto, SOCKET);
WAITS_FOR(sendmsg, SOCKET);
WAITS_FOR(sendmmsg, SOCKET);
WAITS_FOR(accept, SOCKET);
WAITS_FOR(accept4, SOCKET);
WAITS_FOR(connect, SOCKET);
WAITS_FOR(msgrcv, PIPE);
WAITS_FOR(msgsnd, PIPE);
WAITS_FOR(mq_receive, PIPE);
WAITS_FOR(mq_timedreceive, PIPE);
WAITS_FOR(mq_send, PIPE);
WAITS_FOR(mq_timedsend, PIPE);

WAITS_FOR(fsync, DISK);
WAITS_FOR(fdatasync, DISK);
WAITS_FOR(sync, DISK);
WAITS_FOR(syncfs, DISK);
WAITS_FOR(msync, DISK);

WAITS_FOR(wait, CHILD);
WAITS_FOR(waitpid, CHILD);
WAITS_FOR(wait3, CHILD);
WAITS_FOR(wait4, CHILD);
WAITS_FOR(waitid, CHILD);
WAITS_FOR(pclose, CHILD);

WAITS_FOR(pause, SIGNAL);
WAITS_FOR(sigsuspend, SIGNAL);
WAITS_FOR(sigwait, SIGNAL);
WAITS_FOR(sigwaitinfo, SIGNAL);
WAITS_FOR(sigtimedwait, SIGNAL);

/*
 * Those that hardly ever wait, and are called very often: only what cannot be
 * had at once is measured.
 */
WAITS_LATER(wait_mutex_lock, pthread_mutex_lock, LOCK);
WAITS_LATER(wait_rwlock_rdlock, pthread_rwlock_rdlock, LOCK);
WAITS_LATER(wait_rwlock_wrlock, pthread_rwlock_wrlock, LOCK);
WAITS_LATER(wait_sem, sem_wait, LOCK);

int wait_mutex_lock(pthread_mutex_t *mutex);
int wait_rwlock_rdlock(pthread_rwlock_t *lock);
int wait_rwlock_wrlock(pthread_rwlock_t *lock);
int wait_sem(sem_t *semaphore);

/* glibc's other names for them, which need no look-up: an allocator may be what locks. */
extern int __pthread_mutex_lock(pthread_mutex_t *mutex) __attribute__((weak));
extern int __pthread_mutex_trylock(pthread_mutex_t *mutex) __attribute__((weak));

static int (*real_tryrdlock)(pthread_rwlock_t *);
static int (*real_trywrlock)(pthread_rwlock_t *);
static int (*real_sem_trywait)(sem_t *);

WRAPPER int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int (*const real)(pthread_mutex_t *) = __pthread_mutex_lock;

	if (!wait_call_wait_mutex_lock.jump && real) {
		memcpy(&wait_call_wait_mutex_lock.real, &real, sizeof(real));
		memcpy(&wait_call_wait_mutex_lock.jump, &real, sizeof(real));
	}
	if (waits_are_on && __pthread_mutex_trylock) {
		const int r = __pthread_mutex_trylock(mutex);

		if (r == 0 || r == EOWNERDEAD)
			return r;
	}
	return wait_mutex_lock(mutex);
}

WRAPPER int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	if (waits_are_on) {
		WRAPPER_FIND(real_tryrdlock, "pthread_rwlock_tryrdlock");
		if (real_tryrdlock(lock) == 0)
			return 0;
	}
	return wait_rwlock_rdlock(lock);
}

WRAPPER int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	if (waits_are_on) {
		WRAPPER_FIND(real_trywrlock, "pthread_rwlock_trywrlock");
		if (real_trywrlock(lock) == 0)
			return 0;
	}
	return wait_rwlock_wrlock(lock);
}

WRAPPER int sem_wait(sem_t *semaphore)
{
	const int saved_errno = errno;

	if (waits_are_on) {
		pthread_testcancel(); /* which a call that waits does, and a try does not */
		WRAPPER_FIND(real_sem_trywait, "sem_trywait");
		if (real_sem_trywait(semaphore) == 0)
			return 0;
		errno = saved_errno;
	}
	return wait_sem(semaphore);
}
