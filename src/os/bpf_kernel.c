/*
 * The system call by itself: libbpf would be one more library for what is five calls.
 */
#include "os/bpf_kernel.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PID_NAMESPACE_PATH "/proc/self/ns/pid"

/* PROC_PID_INIT_INO, which is part of the kernel's interface (linux/nsfs.h) */
#define FIRST_PID_NAMESPACE ((ino_t)0xeffffffcU)

static_assert(sizeof(struct bpf_insn) == sizeof(uint64_t), "the kernel's layout");

static int bpf(int command, union bpf_attr *attr)
{
	const long fd = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return fd < 0 ? -errno : (int)fd;
}

static uint64_t address_of(const void *object)
{
	return (uint64_t)(uintptr_t)object;
}

int bpf_kernel_new_value(size_t value_bytes)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY };

	attr.key_size = sizeof(uint32_t);
	attr.value_size = (uint32_t)value_bytes;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_MMAPABLE;
	return bpf(BPF_MAP_CREATE, &attr);
}

int bpf_kernel_new_ring(size_t data_bytes)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF };

	attr.max_entries = (uint32_t)data_bytes;
	return bpf(BPF_MAP_CREATE, &attr);
}

int bpf_kernel_new_ring_list(uint32_t n_rings, int ring_fd)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS };

	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint32_t);
	attr.max_entries = n_rings;
	attr.inner_map_fd = (uint32_t)ring_fd;
	return bpf(BPF_MAP_CREATE, &attr);
}

/* `value` points to what that map has for values. */
static int set(int map_fd, uint32_t key, const void *value)
{
	union bpf_attr attr = { .map_type = 0 };

	attr.map_fd = (uint32_t)map_fd;
	attr.key = address_of(&key);
	attr.value = address_of(value);
	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

int bpf_kernel_set_ring(int list_fd, uint32_t index, int ring_fd)
{
	return set(list_fd, index, &ring_fd);
}

int bpf_kernel_new_table(uint32_t n_entries)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_LRU_HASH };

	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint64_t);
	attr.max_entries = n_entries;
	return bpf(BPF_MAP_CREATE, &attr);
}

int bpf_kernel_set_number(int table_fd, uint32_t key, uint64_t value)
{
	return set(table_fd, key, &value);
}

int bpf_kernel_check_pids(struct error *err)
{
	struct stat found;

	if (stat(PID_NAMESPACE_PATH, &found) < 0)
		return error_set_errno(err, -errno, PID_NAMESPACE_PATH);
	return found.st_ino == FIRST_PID_NAMESPACE
		       ? 0
		       : error_set(err, -EOPNOTSUPP,
				   "this is a container with process numbers of its own");
}

int bpf_kernel_load(enum bpf_kernel_purpose purpose, const struct bpf_code *code)
{
	union bpf_attr attr = { .map_type = 0 };

	if (code->n_insns > BPF_CODE_MAX_INSNS)
		return -E2BIG;
	attr.prog_type = purpose == BPF_KERNEL_PROBE ? BPF_PROG_TYPE_KPROBE
						     : BPF_PROG_TYPE_PERF_EVENT;
	attr.insns = address_of(code->insns);
	attr.insn_cnt = (uint32_t)code->n_insns;
	/* The functions that read a program's memory are for those alone who say so. */
	attr.license = address_of("Dual MIT/GPL");
	return bpf(BPF_PROG_LOAD, &attr);
}

int bpf_kernel_error(int code, struct error *err)
{
	return error_set_errno(err, code, "bpf");
}
