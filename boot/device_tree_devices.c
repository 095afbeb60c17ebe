/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_tree_devices.h"
#include "device_tree_reg.h"
#include <libfdt.h>
#include <string.h>

static const char pl011[] = "arm,pl011";

/* Notes entry @index of @node's "reg" as a device for EL2, rounded outwards to pages. */
static bool add_device(const void *blob, int node, unsigned int index, struct boot_info *info,
		       struct prange *registers, struct boot_error *error)
{
	const char *name = fdt_get_name(blob, node, NULL);

	if (device_tree_reg(blob, node, index, registers) != DEVICE_TREE_REG_OK ||
	    prange_is_empty(*registers) || registers->end.value > UINT64_C(1) << ADDRESS_BITS_MAX)
		return boot_error(error, "the device tree gives no usable address for %s", name);
	if (info->device_count == BOOT_RANGES_MAX)
		return boot_error(error, "more than %d devices", BOOT_RANGES_MAX);
	info->devices[info->device_count++] = (struct boot_range){
		prange(paddr(page_align_down(registers->start.value)),
		       paddr(page_align_up(registers->end.value))),
		name,
	};
	return true;
}

/*
 * The node of a stdout-path: a path, or an alias for one, up to a ':'. Aliases are looked up here
 * and only once: libfdt follows an alias of an alias, and a tree may have one that is its own.
 */
static int console_node(const void *blob, int chosen)
{
	const char *path = device_tree_string(blob, chosen, "stdout-path");
	int aliases = fdt_path_offset(blob, "/aliases");

	if (!path)
		return -FDT_ERR_NOTFOUND;
	if (path[0] != '/') {
		int length;
		const char *alias = aliases < 0
					    ? NULL
					    : fdt_getprop_namelen(blob, aliases, path,
								  (int)strcspn(path, ":"), &length);

		if (!alias || length <= 0 || alias[length - 1] != '\0' || alias[0] != '/')
			return -FDT_ERR_NOTFOUND;
		path = alias;
	}
	return fdt_path_offset_namelen(blob, path, (int)strcspn(path, ":"));
}

bool device_tree_console(const void *blob, int chosen, struct boot_info *info,
			 struct boot_error *error)
{
	int node = chosen < 0 ? -FDT_ERR_NOTFOUND : console_node(blob, chosen);
	struct prange registers;

	if (node < 0 || fdt_node_check_compatible(blob, node, pl011) != 0) {
		node = fdt_node_offset_by_compatible(blob, -1, pl011);
		while (node >= 0 && !device_tree_enabled(blob, node))
			node = fdt_node_offset_by_compatible(blob, node, pl011);
	}
	if (node < 0)
		return boot_error(error, "the device tree has no PL011 for the console");
	if (!add_device(blob, node, 0, info, &registers, error))
		return false;
	info->uart = registers.start;
	return true;
}

bool device_tree_interrupt_controller(const void *blob, struct boot_info *info,
				      struct boot_error *error)
{
	static const struct {
		const char *compatible;
		enum boot_gic gic;
	} known[] = {
		{ "arm,gic-v3", BOOT_GIC_V3 },
		{ "arm,cortex-a15-gic", BOOT_GIC_V2 },
		{ "arm,gic-400", BOOT_GIC_V2 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int node = fdt_node_offset_by_compatible(blob, -1, known[i].compatible);

		while (node >= 0 && !device_tree_enabled(blob, node))
			node = fdt_node_offset_by_compatible(blob, node, known[i].compatible);
		if (node < 0)
			continue;
		for (unsigned int region = 0; region < 2; region++) {
			if (!add_device(blob, node, region, info, &info->gic_regions[region],
					error))
				return false;
		}
		info->gic = known[i].gic;
		return true;
	}
	return true;
}

/* The same node's registers, which @info has rounded to pages. */
static bool is_used(const struct boot_info *info, const char *name, struct prange registers)
{
	for (size_t i = 0; i < info->device_count; i++) {
		if (info->devices[i].name == name &&
		    prange_contains(info->devices[i].range, registers))
			return true;
	}
	return false;
}

static void add_unused(struct boot_info *info, const char *name, struct prange registers)
{
	struct boot_range *list = info->unused_devices;
	size_t at;

	if (info->unused_device_count == BOOT_RANGES_MAX) {
		info->unlisted_device_count++;
		return;
	}
	for (at = info->unused_device_count++; at > 0; at--) {
		if (list[at - 1].range.start.value <= registers.start.value)
			break;
		list[at] = list[at - 1];
	}
	list[at] = (struct boot_range){ registers, name };
}

void device_tree_unused_devices(const void *blob, struct boot_info *info)
{
	int reserved = fdt_path_offset(blob, "/reserved-memory");

	for (int node = fdt_next_node(blob, -1, NULL); node >= 0;
	     node = fdt_next_node(blob, node, NULL)) {
		const char *name = fdt_get_name(blob, node, NULL);
		const char *type = device_tree_string(blob, node, "device_type");
		struct prange registers;

		if (!fdt_getprop(blob, node, "reg", NULL) || (type && strcmp(type, "memory") == 0))
			continue;
		if (reserved >= 0 && fdt_parent_offset(blob, node) == reserved)
			continue;
		for (unsigned int i = 0;
		     device_tree_reg(blob, node, i, &registers) == DEVICE_TREE_REG_OK; i++) {
			if (registers.start.value < registers.end.value &&
			    !is_used(info, name, registers))
				add_unused(info, name, registers);
		}
	}
}
