#!/bin/sh
# The engine sigprof follows programs that are started with an environment of
# their own, and keeps what they asked to be preloaded.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
find_engines sigprof

# NAME COMMAND…: half a second of split, started by the command; all of it is sampled.
check_followed()
{
	followed=$1
	shift
	run "$TSPROF" record -q --engine sigprof -o "$work/exec.tsprof" -- "$@" \
		"$BUILD/tests/workloads/split" 0.5
	check "$followed: ran" is_status 0
	"$TSPROF" fold -i "$work/exec.tsprof" --time >"$work/folded"
	check "$followed: sampled" awk '
		/^split;.*burn_/ { us += $NF }
		END { print us / 1e6 " s"; exit !(us > 0.45e6 && us < 0.55e6) }' "$work/folded"
}

cat >"$work/spawn.c" <<'EOF'
#include <spawn.h>
#include <sys/wait.h>
int main(int argc, char **argv)
{
	char *environment[] = { "A=1", 0 };
	int status;
	pid_t child;

	(void)argc;
	if (posix_spawn(&child, argv[1], 0, 0, argv + 1, environment) != 0 ||
	    waitpid(child, &status, 0) != child)
		return 9;
	return WEXITSTATUS(status);
}
EOF
check_followed "the same environment" env
check_followed "an empty environment" env -i
check_followed "an empty LD_PRELOAD" env LD_PRELOAD=
check_followed "an LD_PRELOAD of its own" env LD_PRELOAD=libm.so.6
check_followed "the C library preloaded" env -i LD_PRELOAD=libc.so.6
if ${CC:-cc} -o "$work/spawn" "$work/spawn.c" 2>"$work/err"; then
	check_followed "posix_spawn with another environment" "$work/spawn"
fi
run "$TSPROF" record -q --engine sigprof -o "$work/exec.tsprof" -- \
	env -i LD_PRELOAD=libm.so.6 A=b env
check "the rest of the environment is as it was given" grep -qx A=b "$work/out"
check "what was preloaded comes first" grep -q '^LD_PRELOAD=libm.so.6:/' "$work/out"
check "and there is nothing else" holds "$(wc -l <"$work/out") == 3"

# What the library cannot enter is said.
run "$TSPROF" record --engine sigprof -o "$work/exec.tsprof" -- \
	sh -c "'$BUILD/tests/workloads/split_static' 0.3"
check "a static program further down ran" is_status 0
check "and why it was not sampled is said" grep -q "cannot enter: static" "$work/err"
run "$TSPROF" record --engine sigprof -o "$work/exec.tsprof" -- true
check "of too short a run it is not" grep -q "too little CPU time" "$work/err"
finish
