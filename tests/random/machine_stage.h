/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulated machine for each world. */
#pragma once

#include "stage.h"

#include <arch/features.h>

/* A machine with @bytes of memory. The one before is gone. */
bool machine_stage(struct arch_features features, uint64_t bytes, struct stage *out);

/* The first kind of violation that the machine has counted; NULL: none. */
const char *machine_stage_complaint(void);
