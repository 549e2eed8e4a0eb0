#ifndef TSPROF_OS_RECORD_QUEUE_H
#define TSPROF_OS_RECORD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "os/sampler_record.h"

/* Records that an engine makes up itself, first in, first out. */
struct record_queue {
	struct sampler_record *records;
	size_t n_records, capacity;
	size_t n_taken; /* of them; their texts live until the queue is filled anew */
};

void record_queue_release(struct record_queue *queue);

/* A copy of the record, and of the path when it is a MAP.  Returns 0 or -ENOMEM. */
int record_queue_add(struct record_queue *queue, const struct sampler_record *record);

/* False when it is empty.  The path is borrowed until the next record is added. */
bool record_queue_take(struct record_queue *queue, struct sampler_record *record);

#endif
