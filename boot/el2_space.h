/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EL2's own Stage 1, made by the same engine as every other table.
 *
 * Invariant: VA = PA for everything in boot_info.memory but guard pages; devices, and what else the
 * image maps for itself, are in areas of boot_info.kvirt; nothing else is mapped. Nothing is writable
 * and executable, and SCTLR_EL2.WXN says so once more.
 */
#pragma once

#include "boot_info.h"

/* Makes the space and puts it in the place of the boot table; info->el2_space is set. Needs mm_init.
 * Refuses to go on if the memory map does not fit. */
void el2_space_start(struct boot_info *info);
