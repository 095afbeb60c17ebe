/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine_stage.h"
#include "trace.h"

#include <host/machine.h>

bool stage_begin(struct stage *stage)
{
	return machine_stage(machine_features_v8_4(), STAGE_BYTES, stage);
}

const char *stage_complaint(void)
{
	return machine_stage_complaint();
}
