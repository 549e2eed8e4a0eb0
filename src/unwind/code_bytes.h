#ifndef TSPROF_UNWIND_CODE_BYTES_H
#define TSPROF_UNWIND_CODE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/registers.h"
#include "symbol/elf_image.h"

/*
 * What a few instruction bytes prove, where there is no call frame information.
 * Bytes come from the file; a vaddr outside it proves nothing.
 */

/* A call instruction ends right before `vaddr`, so that it may be a return address. */
bool code_is_call_end(const struct elf_image *image, enum arch arch, uint64_t vaddr);

/* What the call that ends there calls, if its instruction says so. */
bool code_call_target(const struct elf_image *image, enum arch arch, uint64_t vaddr,
		      uint64_t *ret_target);

/*
 * The code at or around `vaddr` is a signal trampoline: "system call rt_sigreturn".
 * `vaddr` may be a return address stepped back, or any instruction of it.
 */
bool code_is_sigreturn(const struct elf_image *image, enum arch arch, uint64_t vaddr);

/* `vaddr` ends a call that is followed by the system call that ends the thread: musl's clone. */
bool code_is_before_exit(const struct elf_image *image, enum arch arch, uint64_t vaddr);

/*
 * `vaddr` is the nop that Go's runtime.goexit begins with: the outermost frame of a goroutine
 * returns to what lies behind it, though nothing was called there.
 */
bool code_is_goexit(const struct elf_image *image, enum arch arch, uint64_t vaddr);

/*
 * `vaddr` is behind the system call that starts a thread, in glibc's or musl's clone: what
 * is on the stack of the new one is no return address, it has none.
 */
bool code_is_new_thread(const struct elf_image *image, enum arch arch, uint64_t vaddr);

/*
 * The CFA's distance from sp, in words, where `vaddr` is in _init or _fini; 0 elsewhere.
 * crti.o and crtn.o have no call frame information, but always the same shape:
 * "sub $8,%rsp" first, "add $8,%rsp; ret" last.  Time is spent there: by page
 * faults on the first look at a library's data, and by constructors.
 */
int16_t code_crt_cfa_words(const struct elf_image *image, enum arch arch, uint64_t vaddr);

#endif
