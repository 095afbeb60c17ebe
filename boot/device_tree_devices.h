/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of device_tree_parse: what is not memory. @blob passed fdt_check_full. */
#pragma once

#include "boot_error.h"
#include "boot_info.h"

/* The property if it is a string, that is, ends with a zero byte; else NULL. */
const char *device_tree_string(const void *blob, int node, const char *property);

/* No "status", or one that says so. */
bool device_tree_enabled(const void *blob, int node);

/* The PL011 of /chosen's stdout-path, or else the first one that is enabled. @chosen may be
 * negative. An error: there is none. */
bool device_tree_console(const void *blob, int chosen, struct boot_info *info,
			 struct boot_error *error);

/* The first interrupt controller that is a GICv2 or GICv3, if there is one. */
bool device_tree_interrupt_controller(const void *blob, struct boot_info *info,
				      struct boot_error *error);

/* Notes what else has addresses that the CPU reaches, enabled or not: for people to read. A "reg"
 * that says nothing usable is left out. Call it when the devices that EL2 uses are known. */
void device_tree_unused_devices(const void *blob, struct boot_info *info);
