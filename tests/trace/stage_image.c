/* SPDX-License-Identifier: BSD-3-Clause */
#include "board_stage.h"

#include <strata/vm_space.h>

bool stage_begin(struct stage *stage)
{
	vm_space_deactivate();
	board_stage(stage);
	return true;
}
