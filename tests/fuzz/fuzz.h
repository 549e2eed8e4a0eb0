#ifndef TSPROF_TESTS_FUZZ_FUZZ_H
#define TSPROF_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzzer is one function, built twice.  With clang's -fsanitize=fuzzer it is
 * fuzzed; linked with fuzz_replay.c it reads the files and folders given as
 * arguments, or FUZZ_CORPUS when there are none, as `make check` does.  It
 * fails by crashing; sanitizers make it fail more often.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
