#ifndef TSPROF_RECORD_INTAKE_STACKS_H
#define TSPROF_RECORD_INTAKE_STACKS_H

#include "record/intake.h"

/*
 * The part of the intake that is about stacks and scopes; intake.c calls it, nobody else.
 * All return 0 or -ENOMEM.
 */
int intake_take_sample(struct intake *intake, const struct raw_sample *raw);

/* Where a thread is as it leaves its CPU; how long it waits there comes later. */
int intake_take_switch_stack(struct intake *intake, const struct raw_sample *raw);

/* The node of profile.marks.scopes that the thread was in at that time; 0: none. */
uint32_t intake_scope(struct intake *intake, struct live_thread *thread, uint64_t time_ns);

/* A hit of a probe, behind all that its thread marked before. */
int intake_take_probe(struct intake *intake, const struct sampler_record *record);

/* In intake.c: what has to be known about a thread's process before it is walked. */
int intake_learn(struct intake *intake, struct live_thread *thread, uint64_t time_ns);

#endif
