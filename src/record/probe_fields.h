#ifndef TSPROF_RECORD_PROBE_FIELDS_H
#define TSPROF_RECORD_PROBE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "record/probe_spec.h"

/*
 * What is fetched when a thread enters or leaves a function, in the kernel's words, and
 * back to what the user reads.  Texts are copied by the kernel at that moment, so
 * they are what the function saw.
 */

/* The stack pointer first, the address that the function will return to, and its arguments. */
void probe_fields_of_entry(struct buffer *fields, const struct probe_spec *spec,
			   bool has_arguments);

/* The stack pointer, and the result. */
void probe_fields_of_return(struct buffer *fields, const struct probe_spec *spec);

struct probe_entry_fields {
	uint64_t sp;
	uint64_t return_ip;
};

/*
 * Of a hit's bytes (see struct sampler_hit): the arguments as "a=3 b=\"x\"", added to `text`.
 * False when the bytes are too few.
 */
bool probe_fields_read_entry(struct probe_entry_fields *ret_fields, struct buffer *text,
			     const struct probe_spec *spec, bool has_arguments,
			     const uint8_t *bytes, size_t size_bytes);

/* Of a return's hit. */
bool probe_fields_read_sp_of_return(uint64_t *ret_sp, const uint8_t *bytes, size_t size_bytes);

/* The result is added as " → 0". */
bool probe_fields_read_return(struct buffer *text, const struct probe_spec *spec,
			      const uint8_t *bytes, size_t size_bytes);

#endif
