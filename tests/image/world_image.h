/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning and the end of a test in an image, for the runner. */
#pragma once

#include "boot_info.h"
#include "world.h"

void world_start(struct world *world, const struct boot_info *info);

/* world_end, and in checked builds the discipline of translation tables was kept. */
void world_finish(struct world *world);
