#!/bin/sh
# Replay the corpus of the ELF fuzzer; a crash or a sanitizer's word fails.
set -eu
exec tests/fuzz/fuzz_elf_replay "${srcdir:-.}"/tests/fuzz/corpus/elf/*
