#!/bin/sh
# The engine sigprof, which needs no permission: what it measures with each of
# its triggers, what it follows, and what becomes of both ends when one of them
# misbehaves.  Programs that do so on purpose are in tests/torture.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

workloads=$BUILD/tests/workloads
profile=$work/profile.tsprof

record()
{
	"$TSPROF" record -q --engine sigprof -o "$profile" "$@"
}

micros()
{
	"$TSPROF" fold --time -i "$profile" | awk '{ n += $NF } END { print n + 0 }'
}

run record true
[ "$status" -eq 0 ] || skip_test "no engine sigprof: $(head -1 "$work/err")"

# FUNCTION: its total share, and half of its interval, in $work/report.json.
share_of()
{
	awk -v name="\"$1\"" '/"total_share":/ { share = $2 + 0 }
	/"total_low":/ { low = $2 + 0 }
	/"total_high":/ { high = $2 + 0 }
	/"function":/ && index($0, name) { print share, (high - low) / 2; exit }' \
		"$work/report.json"
}

# LABEL POINTS: shares and sums of split, whose last run's truth is in $work/truth.  Ticks
# are systematic, so that their errors are below those of independent samples, but hardly where
# others want the processors too: 2 points are 4 of their standard errors at 10,000, and
# 5 points are 5 of them at the 2,500 that a tick of 250 Hz gives in 10 s.  Of those ticks others
# may have two fifths, so that 16 s are needed for as many.  Where they have more of them for
# a while, one sample stands for many ticks; the interval tells (test_measure), and 2.55 halves
# of it are five standard errors.
check_split()
{
	"$TSPROF" report -i "$profile" --json --top 0 --children >"$work/report.json"
	for name in burn_half burn_third burn_fifth; do
		truth=$(sed -n "s/^$name //p" "$work/truth")
		read -r share half <<-EOF
			$(share_of "$name")
		EOF
		check "$1: $name has ${share:-no} ± ${half:-0} of $truth" \
			holds "(${share:-9} - $truth) ^ 2 < ($2 / 100) ^ 2 ||
			(${share:-9} - $truth) ^ 2 < (2.55 * ${half:-0}) ^ 2"
	done
	sampled=$(json_number "$work/report.json" sampled_ns)
	cpu=$(json_number "$work/report.json" target_cpu_ns)
	check "$1: $sampled ns sampled of $cpu ns by getrusage" \
		holds "$sampled > 0.97 * $cpu && $sampled < 1.03 * $cpu"
	samples=$(json_number "$work/report.json" samples)
	complete=$(json_number "$work/report.json" complete)
	check "$1: $complete of $samples stacks complete" holds "$complete >= 0.999 * $samples"
}

record "$workloads/split" 10 >"$work/truth"
check_split "best trigger" 2
TSPROF_TRIGGERS=t "$TSPROF" record --engine sigprof -o "$profile" "$workloads/split" 16 \
	>"$work/truth" 2>"$work/err"
check_split "timer" 5
check "a rate that the tick does not allow is told" \
	holds "$samples > 14400 || $(grep -c 'times a second instead of' "$work/err") == 1"

# COMMAND…: its weights add up to the CPU time that it tells, within 3 %.
record_whole()
{
	run record "$@"
	total=$(sed -n 's/^total *//p' "$work/out")
	holds "($(micros) / 1e6 - $total) ^ 2 <= (0.03 * $total) ^ 2"
}

# Threads, children and programs, by name and with all of their time.
check "weights of threads add up to their CPU time" record_whole "$workloads/threads" 3 0.5
"$TSPROF" fold --threads -i "$profile" >"$work/folded"
for i in 0 1 2; do
	check "thread burner-$i is there by name" grep -q "burner-$i" "$work/folded"
done
check "no frame of the library is left in a thread's stack" \
	holds "$(grep -c run_thread "$work/folded") == 0"
check "weights of children add up to their CPU time" record_whole "$workloads/forks" 4 0.3
cp "$workloads/split" "$work/other"
run record sh -c "'$work/other' 0.2; exec '$work/other' 0.2"
"$TSPROF" fold -i "$profile" >"$work/folded"
check "a command and an exec have their names" \
	holds "$(grep -c '^other;.*burn_half' "$work/folded") >= 1"
run record sh -c 'exit 3'
check "the exit status is passed on" is_status 3
run record sh -c 'kill -9 $$'
check "a killed command gives 128 + 9" is_status 137

# What follows another at the same address has its own names.
if [ -x "$BUILD/tests/torture/plugin_loop" ]; then
	run record "$BUILD/tests/torture/plugin_loop" 2
	"$TSPROF" fold -i "$profile" >"$work/folded"
	check "both plug-ins are there" holds "$(grep -c 'alpha_outer;alpha_work' "$work/folded") &&
		$(grep -c 'beta_outer;beta_work' "$work/folded")"
	check "and never mixed" \
		holds "$(grep -c 'alpha_outer;beta_work\|beta_outer;alpha_work' "$work/folded") == 0"
fi

# A bare name is searched where the caller says, not where the library is.
mkdir "$work/private"
cat >"$work/plugin.c" <<'EOF'
int plugin_answer(void);
int plugin_answer(void) { return 42; }
EOF
cat >"$work/opener.c" <<'EOF'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
	void *handle = dlopen("libprivate-plugin.so", RTLD_NOW);
	puts(handle ? "found" : dlerror());
	return 0;
}
EOF
if $CC -shared -fPIC -o "$work/private/libprivate-plugin.so" "$work/plugin.c" 2>/dev/null &&
	$CC -o "$work/opener" "$work/opener.c" -Wl,-rpath,"$work/private" -ldl 2>/dev/null; then
	run record "$work/opener"
	check "dlopen keeps its caller's RUNPATH" grep -qx found "$work/out"
fi

# A filter that comes by syscall() and kills for what a new thread's ticks need.
cat >"$work/confined.c" <<'EOF'
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define KILL(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
static void *work(void *data)
{
	for (volatile long i = 0; i < 100000000; i++)
		;
	return data;
}
int main(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL(SYS_perf_event_open), KILL(SYS_timer_create), KILL(SYS_socket),
		KILL(SYS_memfd_create), KILL(SYS_openat), KILL(SYS_gettid),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	pthread_t thread;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return 77;
	work(NULL);
	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	puts("worked on");
	return 0;
}
EOF
if $CC -O1 -pthread -o "$work/confined" "$work/confined.c" 2>/dev/null && "$work/confined" \
	>/dev/null 2>&1; then
	run record "$work/confined"
	check "a confined program is not killed for our calls" grep -qx "worked on" "$work/out"
fi

# What was preloaded before stays.
cat >"$work/before.c" <<'EOF'
#include <stdio.h>
__attribute__((constructor)) static void construct(void) { fputs("preloaded\n", stdout); }
EOF
if $CC -shared -fPIC -o "$work/before.so" "$work/before.c" 2>/dev/null; then
	status=0
	ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$work/before.so "$TSPROF" record -q --engine sigprof -o "$profile" \
		"$workloads/split" 0.2 >"$work/out" 2>"$work/err" || status=$?
	check "another preloaded library stays" grep -qx preloaded "$work/out"
	check "and the command is sampled" holds "$(micros) > 100000"
fi

# Who cannot be sampled this way is refused before it runs.
run record "$workloads/split_static" 0.1
check "a static program" is_refusal 1 "statically linked"
if [ -u /bin/su ] && [ "$(id -u)" -ne 0 ]; then
	run record /bin/su --version
	check "a set-user-ID program" is_refusal 1 "changes user"
fi
run "$TSPROF" record --engine sigprof --event cycles -o "$profile" true
check "an event that is not time is not taken in silence" grep -q "not cycles" "$work/err"
run env TSPROF_LIBRARY="$work/missing.so" "$TSPROF" record --engine sigprof -o "$profile" true
check "a library that is not there" is_refusal 1 "TSPROF_LIBRARY"

# A recorder that stands still holds nothing up: full memory costs samples alone,
# and their time is in the next ones.
"$TSPROF" record -q --engine sigprof -F 5000 -o "$profile" "$workloads/split" 6 \
	>"$work/truth" 2>"$work/err" &
recorder=$!
sleep 1
kill -STOP "$recorder"
start=$(date +%s)
while ! grep -q '^total' "$work/truth" && [ $(($(date +%s) - start)) -lt 60 ]; do
	sleep 0.2
done
check "a stopped recorder does not hold up the command" grep -q '^total' "$work/truth"
kill -CONT "$recorder"
status=0
wait "$recorder" || status=$?
check "and goes on where it was" is_status 0
check "with all the time" holds "$(micros) > 5.5e6 && $(micros) < 6.5e6"

# Killed, the other one goes on.
"$TSPROF" record -q --engine sigprof -o "$profile" "$workloads/split" 3 >"$work/truth" 2>&1 &
recorder=$!
sleep 2
used=$(cut -d' ' -f14,15 "/proc/$(pgrep -P "$recorder")/stat" | awk '{ print ($1 + $2) / 100 }')
kill -9 "$recorder"
wait "$recorder" 2>/dev/null
start=$(date +%s)
while ! grep -q '^total' "$work/truth" && [ $(($(date +%s) - start)) -lt 60 ]; do
	sleep 0.2
done
check "the command outlives a killed recorder" grep -q '^total' "$work/truth"
check "what was recorded until then is readable" \
	"$TSPROF" fold -i "$profile.part" -o "$work/folded"
# The file is written every 100 ms, CPU times of /proc are of 10 ms, and a cut
# profile counts ticks of 997 Hz.
kept=$(awk '{ n += $NF } END { print n / 997 }' "$work/folded")
check "up to a moment before: $kept s of $used s" holds "$kept > $used - 0.2"
rm -f "$profile.part"
run record sh -c "'$workloads/split' 9 & p=\$!; sleep 2; kill -9 \$p; wait \$p; true"
"$TSPROF" report -i "$profile" --json >"$work/report.json"
sampled=$(json_number "$work/report.json" sampled_ns)
cpu=$(json_number "$work/report.json" target_cpu_ns)
check "a killed program keeps all but the last moment: $sampled of $cpu ns" \
	holds "$cpu > 1e8 && $sampled > $cpu - 1e8"
finish
