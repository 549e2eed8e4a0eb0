/* The recorder's part of shared memory for marks, in the program that marks. */
#include "marked_segment.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/marks_client.h"

int marked_segment_start(struct marked_segment *marked, uint32_t n_slots)
{
	const int fd = memfd_create("marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const size_t size = marks_segment_bytes(n_slots, MARKS_RING_MIN_BYTES);
	bool is_mapped;

	is_mapped = n_slots <= N_ITEMS(marked->rings) && fd >= 0 &&
		    ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 &&
		    marks_memory_map(&marked->memory, fd, n_slots, MARKS_RING_MIN_BYTES, NULL) == 0;
	marked->segment = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (!is_mapped || marked->segment == MAP_FAILED)
		return -1;
	marked->n_slots = n_slots;
	marked->segment->n_slots = n_slots;
	marked->segment->ring_bytes = MARKS_RING_MIN_BYTES;
	for (uint32_t i = 0; i < n_slots; i++)
		marks_ring_init(&marked->rings[i], &marked->memory, i);
	return marks_start(marked->segment, size) ? 0 : -1;
}

int marked_segment_stop(struct marked_segment *marked)
{
	marks_stop();
	marks_memory_unmap(&marked->memory);
	return munmap(marked->segment, marks_segment_bytes(marked->n_slots, MARKS_RING_MIN_BYTES));
}

bool marked_segment_take(struct marked_segment *marked, size_t slot, struct marks_record *record)
{
	enum marks_ring_state state;

	marks_ring_refresh(&marked->rings[slot]);
	state = marks_ring_next(&marked->rings[slot], record, marked->payload);
	assert_int_not_equal(state, MARKS_RING_BAD);
	marks_ring_publish(&marked->rings[slot]);
	return state == MARKS_RING_RECORD;
}
