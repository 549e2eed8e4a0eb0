#!/bin/sh
# record --count-allocations: what is counted is right, whatever allocates, and what
# cannot be counted is not shown as nothing.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

require_record
[ -z "$IS_SANITIZED" ] || skip_test 'a sanitizer brings its own allocator'
cat >"$work/alloc.c" <<'EOF'
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tsprof.h"

static void *volatile kept; /* so that no allocation is left out */

/* In all 8,000 bytes. */
static void allocate(void)
{
	TSPROF_SCOPE_FULL("allocate");
	void *memory;

	free(kept = malloc(1000));
	free(kept = calloc(10, 100));
	free(kept = realloc(kept = malloc(500), 1500));
	free(kept = aligned_alloc(64, 640));
	free(kept = memalign(128, 360));
	if (posix_memalign(&memory, 4096, 1000) == 0)
		free(kept = memory);
	free(kept = reallocarray(NULL, 20, 100));
}

static void *run(void *unused)
{
	allocate();
	return unused;
}

int main(void)
{
	pthread_t thread;
	pid_t child;

	allocate();
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 1;
	(void)pthread_join(thread, NULL);
	child = fork();
	if (child == 0) {
		allocate();
		_exit(0);
	}
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
EOF
cat >"$work/own.c" <<'EOF'
#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);

static _Alignas(16) char room[16 << 20];
static size_t used;

void *malloc(size_t size)
{
	used += (size + 31) & ~(size_t)15;
	if (used > sizeof(room))
		return NULL;
	*(size_t *)(void *)(room + used - ((size + 31) & ~(size_t)15)) = size;
	return room + used - ((size + 31) & ~(size_t)15) + 16;
}

void *calloc(size_t n, size_t size)
{
	return malloc(n * size);
}

void *realloc(void *memory, size_t size)
{
	char *moved = malloc(size);
	const size_t old = memory ? ((size_t *)memory)[-2] : 0;

	for (size_t i = 0; moved && i < old && i < size; i++)
		moved[i] = ((char *)memory)[i];
	return moved;
}

void free(void *memory)
{
	(void)memory;
}
EOF
$CC -O1 -pthread -I"$TOP/include" "$work/alloc.c" -o "$work/alloc" || exit 99
$CC -O1 -pthread -fno-builtin -I"$TOP/include" "$work/alloc.c" "$work/own.c" -o "$work/own" ||
	exit 99

# COMMAND…: bytes that a call of the scope allocated, as JSON has it.
bytes_of()
{
	"$TSPROF" record -q -o "$work/p.tsprof" "$@" >"$work/out" 2>&1 || {
		head -3 "$work/out" >&2
		return 1
	}
	"$TSPROF" report --scopes --json -i "$work/p.tsprof" |
		awk '/"scope": "allocate"/ { is_there = 1 }
			/"allocated_bytes_per_call"/ { gsub(/[^0-9]/, ""); bytes = $0 }
			END { if (is_there) print bytes == "" ? "unknown" : bytes }'
}

check "thread, main and child" [ "$(bytes_of --count-allocations -- "$work/alloc")" = 8000 ]
check "unasked: unknown" [ "$(bytes_of -- "$work/alloc")" = unknown ]
check "an allocator inside the program: unknown" \
	[ "$(bytes_of --count-allocations -- "$work/own")" = unknown ]
if "$TSPROF" record -q --engine sigprof -o "$work/probe.tsprof" -- true 2>/dev/null; then
	check "with the engine sigprof" \
		[ "$(bytes_of --engine sigprof --count-allocations -- "$work/alloc")" = 8000 ]
fi
jemalloc=$(ls /usr/lib/*/libjemalloc.so.2 2>/dev/null | head -1)
if [ -n "$jemalloc" ]; then
	$CC -O1 -pthread -I"$TOP/include" "$work/alloc.c" -o "$work/je" -Wl,--no-as-needed \
		"$jemalloc" || exit 99
	# Its operator new is past us, and this is a program that could have one.
	check "jemalloc: unknown, and it works" \
		[ "$(bytes_of --count-allocations -- "$work/je")" = unknown ]
fi
for program in 'python3 -c pass' 'perl -e 1' 'sh -c true' 'gdb --version'; do
	# shellcheck disable=SC2086 # several words
	command -v ${program%% *} >/dev/null 2>&1 &&
		check "$program" "$TSPROF" record -q --count-allocations -o "$work/p.tsprof" -- \
			$program >"$work/out"
done
run "$TSPROF" record --count-allocations -p $$
check "not of what runs already" is_refusal 2 '--count-allocations'
finish
