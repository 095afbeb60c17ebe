/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The throw-away table: VA = PA, only there so that the MMU and caches are on while the engine
 * builds the real one. Its pages come from a fixed pool in .bss.
 *
 * Invariant: it maps what was asked for and nothing else, so that no CPU reads ahead into a device.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>

enum boot_mapping {
	BOOT_MAP_TEXT,
	BOOT_MAP_READ_ONLY,
	BOOT_MAP_DATA,
	BOOT_MAP_DEVICE,
};

/*
 * With the MMU off: makes the table, with the image, the early console at @uart and the page that
 * @device_tree points into (unless that is above 2^48). Returns its root for mmu_enable.
 */
uint64_t boot_table_create(uint64_t device_tree, uint64_t uart);

/*
 * Maps @range, rounded outwards to pages, and waits until it can be used. What is mapped already
 * stays as it is. False if the pool is empty; then part of it may be mapped.
 */
bool boot_table_map(struct prange range, enum boot_mapping mapping);
