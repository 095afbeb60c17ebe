/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for the model. Checked builds only: a release build does not compile it. */
#pragma once

#include "boot_error.h"
#include "boot_info.h"

/*
 * Reserves the pool of a map that is complete: one 32nd of the RAM, but from 6 to 64 MiB, as high as it
 * fits. An error: there is no such piece, or no room for the reservation; nothing is reserved.
 */
bool model_pool_place(struct boot_info *info, struct boot_error *error);
