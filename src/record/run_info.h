#ifndef TSPROF_RECORD_RUN_INFO_H
#define TSPROF_RECORD_RUN_INFO_H

#include "base/error.h"
#include "model/profile.h"
#include "os/sampler.h"
#include "record/recorder.h"

/* Fill profile->info with what is known when a recording starts. */
int run_info_fill(struct profile *profile, const struct recorder_options *options,
		  const struct sampler_facts *facts, struct error *err);

#endif
