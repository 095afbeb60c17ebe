/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds at EL2: a piece of memory that the subsystem of start-up gave out, which is handed to the
 * subsystem again as all the memory there is. EL2's own table, and all that start-up made, lies
 * outside of it and stays.
 */
#pragma once

#include "boot_info.h"
#include "stage.h"

/* Takes the memory that worlds are made of, once. False, and that is said: there is not so much. */
bool board_stage_take(const struct boot_info *info, uint64_t bytes);

/* That memory, and the model's. */
void board_stage(struct stage *out);
