/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses in a device tree, as the CPU sees them (Devicetree Specification 2.3.6, 2.3.8). */
#pragma once

#include <arch/address.h>
#include <stdbool.h>

enum device_tree_reg {
	DEVICE_TREE_REG_OK,
	DEVICE_TREE_REG_END,	 /* @node has fewer entries */
	DEVICE_TREE_REG_BAD,	 /* cells that no address has, or a property that is cut short */
	DEVICE_TREE_REG_NO_PATH, /* a bus above @node does not let the CPU through */
};

/*
 * Entry @index of the "reg" property of @node, translated through the "ranges" of every bus above
 * it. The end wraps around if the tree says so: callers check. @blob passed fdt_check_full.
 */
enum device_tree_reg device_tree_reg(const void *blob, int node, unsigned int index,
				     struct prange *out);
