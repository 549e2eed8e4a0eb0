#ifndef TSPROF_RECORD_CONTROL_H
#define TSPROF_RECORD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When samples are taken: the delay before the first, pauses, the end.  It only
 * decides; times are CLOCK_MONOTONIC and come from the caller.
 */
struct control_options {
	uint64_t delay_ns;    /* before the first sample */
	uint64_t duration_ns; /* after which it is over, counted from the first sample; 0: never */
	bool is_paused;	      /* at the start, until it is toggled */
};

struct control {
	struct control_options options;
	uint64_t resume_at_ns; /* UINT64_MAX: not by itself */
	uint64_t end_at_ns;    /* UINT64_MAX: not by itself */
	bool is_paused;
	bool has_resumed; /* or was never paused */
	bool was_paused;  /* at some time: what was sampled is not all */
};

void control_start(struct control *control, const struct control_options *options, uint64_t now_ns);

/* Pause, or go on; what the delay would have done later is off. */
void control_toggle(struct control *control, uint64_t now_ns);

/* Go on when the delay is over; true when it just was. */
bool control_resume_if_due(struct control *control, uint64_t now_ns);

bool control_is_over(const struct control *control, uint64_t now_ns);

/* Milliseconds until something is due, rounded up; at most `limit_ms`. */
int control_timeout_ms(const struct control *control, uint64_t now_ns, int limit_ms);

#endif
