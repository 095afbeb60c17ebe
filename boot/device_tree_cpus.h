/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts of device_tree_parse: the CPUs, and how each is started (Devicetree Specification 3.7 and 3.8;
 * Linux, "arm/cpus.yaml" and "arm/psci.yaml"). @blob passed fdt_check_full.
 */
#pragma once

#include "boot_error.h"
#include "boot_info.h"

/* How firmware is called, and by which numbers; nothing, if the tree has no node that says so. */
void device_tree_psci(const void *blob, struct boot_info *info);

/*
 * Notes each CPU. What is wrong with one is said in its entry, and concerns it alone. The page of a word
 * that a CPU waits at becomes a reservation. An error: there is no room for one more of these.
 */
bool device_tree_cpus(const void *blob, struct boot_info *info, struct boot_error *error);
