/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning and the end of a simulated machine, for the runner. */
#pragma once

#include "world.h"

/* Makes the machine and starts the subsystem on it. Fails the test if either does not work. */
void world_start(struct world *world, const struct world_config *config);

/* world_end, and no rule of the MMU was broken. The machine is still there. */
void world_finish(struct world *world);

/* Says a line about the test that runs, in the name of @judge; the runner's. */
void world_complaint(const char *judge, const char *text);
