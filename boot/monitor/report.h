/* SPDX-License-Identifier: BSD-3-Clause */
/* What the monitor prints. */
#pragma once

#include <strata/mm.h>
#include "escape.h"
#include "job.h"

/* Before the guests run: what they are. */
void report_guests(const struct job *job);

/* The sums beside the expected one, and what was done to each guest meanwhile. */
void report_job(const struct job *job);

/* The closing table: faults by kind, leaves, maintenance, frames by usage. */
void report_closing(const struct job *job, const struct escape_result *escape,
		    const struct mm_usage *before, const struct mm_usage *after);

/* The last line: the model's verdict, after a last look at everything; true if there is no
 * difference. A release build says there that it has no model, and so no verdict; true. */
bool report_verdict(void);
