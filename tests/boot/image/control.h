/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe "control": what start-up left in EL2's own control registers. */
#pragma once

#include <boot_info.h>

/* Says on the console whether they are right, and which are not; 0 or 1. */
int control(const struct boot_info *info);
