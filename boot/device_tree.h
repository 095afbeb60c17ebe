/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device tree, read once into struct boot_info.
 *
 * Promise: any @size bytes may be given. The answer is a description or a line that says what is
 * wrong; nothing outside the bytes is read, and no hardware is touched. It runs on the host too.
 */
#pragma once

#include "boot_error.h"
#include "boot_info.h"
#include <stddef.h>

/* How large a tree says it is, from its first 8 bytes; 0 if they are not those of a tree. */
uint32_t device_tree_size(const void *header);

/*
 * Reads the tree of at most @size bytes at @blob, aligned to 8 bytes. The names in @info point into
 * it. Of @info it fills model, command_line, memory, reserved, reservations, devices, unused_devices,
 * their counts, initrd, uart, gic, gic_regions, psci and its numbers, cpus and cpu_count, and clears the
 * rest.
 *
 * False: @error says why. command_line and psci are right even then, as far as they were read.
 */
bool device_tree_parse(const void *blob, size_t size, struct boot_info *info,
		       struct boot_error *error);
