/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of a test in an image, for the runner. */
#pragma once

#include "boot_info.h"
#include "world.h"

void world_start(struct world *world, const struct boot_info *info);
