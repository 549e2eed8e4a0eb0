#include "os/record_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void free_taken(struct record_queue *queue)
{
	for (size_t i = 0; i < queue->n_taken; i++)
		free((void *)(uintptr_t)queue->records[i].map.path);
	queue->n_records -= queue->n_taken;
	memmove(queue->records, queue->records + queue->n_taken,
		queue->n_records * sizeof(*queue->records));
	queue->n_taken = 0;
}

void record_queue_release(struct record_queue *queue)
{
	queue->n_taken = queue->n_records;
	if (queue->records)
		free_taken(queue);
	free(queue->records);
	*queue = (struct record_queue){ 0 };
}

int record_queue_add(struct record_queue *queue, const struct sampler_record *record)
{
	struct sampler_record *grown;
	char *path = NULL;

	if (queue->n_taken)
		free_taken(queue);
	grown = array_grown(queue->records, &queue->capacity, queue->n_records + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	queue->records = grown;
	if (record->kind == SAMPLER_RECORD_MAP) {
		path = strdup(record->map.path);
		if (!path)
			return -ENOMEM;
	}
	grown[queue->n_records] = *record;
	grown[queue->n_records++].map.path = path;
	return 0;
}

bool record_queue_take(struct record_queue *queue, struct sampler_record *record)
{
	if (queue->n_taken == queue->n_records)
		return false;
	*record = queue->records[queue->n_taken++];
	return true;
}
