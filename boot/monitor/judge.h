/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the work was done, and everything that was to happen to the guests meanwhile. */
#pragma once

#include "job.h"

/*
 * True if each guest of @job came to its end with the right sums, saw and did nothing that it should
 * not, and each service was done to it. If not, each thing that is wrong is said, as an error.
 */
bool job_judge(const struct job *job);
