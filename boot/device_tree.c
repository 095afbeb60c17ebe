/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_tree.h"
#include "device_tree_cpus.h"
#include "device_tree_devices.h"
#include "device_tree_reg.h"
#include "memory_map.h"
#include <libfdt.h>
#include <string.h>

uint32_t device_tree_size(const void *header)
{
	const fdt32_t *words = header;

	return fdt32_ld(&words[0]) == FDT_MAGIC ? fdt32_ld(&words[1]) : 0;
}

bool device_tree_enabled(const void *blob, int node)
{
	const char *status = device_tree_string(blob, node, "status");

	return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

const char *device_tree_string(const void *blob, int node, const char *property)
{
	int length;
	const char *value = fdt_getprop(blob, node, property, &length);

	return value && length > 0 && value[length - 1] == '\0' ? value : NULL;
}

/* Bus addresses that no CPU reaches are nobody's memory: DEVICE_TREE_REG_NO_PATH is an error too. */
static bool reg_error(const void *blob, int node, struct boot_error *error)
{
	return boot_error(error, "the device tree's node %s has a malformed reg",
			  fdt_get_name(blob, node, NULL));
}

static bool parse_memory(const void *blob, struct boot_info *info, struct boot_error *error)
{
	static const char type[] = "memory";
	int node = -1;

	for (;;) {
		node = fdt_node_offset_by_prop_value(blob, node, "device_type", type, sizeof(type));
		if (node < 0)
			break;
		if (!device_tree_enabled(blob, node))
			continue;
		for (unsigned int i = 0;; i++) {
			struct prange range;
			enum device_tree_reg status = device_tree_reg(blob, node, i, &range);

			if (status == DEVICE_TREE_REG_END)
				break;
			if (status != DEVICE_TREE_REG_OK)
				return reg_error(blob, node, error);
			if (!memory_map_add(info, range, error))
				return false;
		}
	}
	if (info->memory_count == 0)
		return boot_error(error, "the device tree has no memory");
	return true;
}

/* One child of /reserved-memory. One without "reg" is for an operating system to place: nothing is
 * there yet. */
static bool parse_reserved_node(const void *blob, int node, struct boot_info *info,
				struct boot_error *error)
{
	bool unmapped = fdt_getprop(blob, node, "no-map", NULL);

	if (!device_tree_enabled(blob, node))
		return true;
	for (unsigned int i = 0;; i++) {
		struct prange range;
		enum device_tree_reg status = device_tree_reg(blob, node, i, &range);

		if (status == DEVICE_TREE_REG_END)
			return true;
		if (status != DEVICE_TREE_REG_OK)
			return reg_error(blob, node, error);

		size_t at = info->reserved_count;

		if (!memory_map_reserve(info, range, fdt_get_name(blob, node, NULL), PAGE_RESERVED,
					error))
			return false;
		if (unmapped && info->reserved_count > at &&
		    !memory_map_remove(info, info->reserved[at].range, error))
			return false;
	}
}

static bool parse_reserved(const void *blob, struct boot_info *info, struct boot_error *error)
{
	int parent = fdt_path_offset(blob, "/reserved-memory");
	int node;

	for (int i = 0; i < fdt_num_mem_rsv(blob); i++) {
		uint64_t address, size;

		if (fdt_get_mem_rsv(blob, i, &address, &size) != 0)
			return boot_error(error,
					  "the device tree's reservation block is malformed");
		if (!memory_map_reserve(info, prange(paddr(address), paddr(address + size)),
					"memreserve", PAGE_RESERVED, error))
			return false;
	}
	if (parent < 0)
		return true;
	fdt_for_each_subnode(node, blob, parent)
	{
		if (!parse_reserved_node(blob, node, info, error))
			return false;
	}
	return true;
}

/* An address in a property of /chosen, of one or two cells. False: there is none that is well formed. */
static bool chosen_address(const void *blob, int chosen, const char *name, uint64_t *address)
{
	int length;
	const void *value = fdt_getprop(blob, chosen, name, &length);

	if (value && length == sizeof(fdt32_t))
		*address = fdt32_ld(value);
	else if (value && length == sizeof(fdt64_t))
		*address = fdt64_ld(value);
	else
		return false;
	return true;
}

static bool parse_initrd(const void *blob, int chosen, struct boot_info *info,
			 struct boot_error *error)
{
	static const char *const names[] = { "linux,initrd-start", "linux,initrd-end" };
	uint64_t start, end;

	if (!fdt_getprop(blob, chosen, names[0], NULL) &&
	    !fdt_getprop(blob, chosen, names[1], NULL))
		return true;
	if (!chosen_address(blob, chosen, names[0], &start) ||
	    !chosen_address(blob, chosen, names[1], &end) || start > end)
		return boot_error(error, "the device tree's initrd has no start and end that fit");
	info->initrd = prange(paddr(start), paddr(end));
	return true;
}

static bool parse_command_line(const void *blob, int chosen, struct boot_info *info,
			       struct boot_error *error)
{
	const char *arguments = device_tree_string(blob, chosen, "bootargs");

	if (!arguments)
		return true;

	size_t size = strlen(arguments) + 1;

	if (size > sizeof(info->command_line))
		return boot_error(error, "bootargs are longer than %zu characters",
				  sizeof(info->command_line) - 1);
	memcpy(info->command_line, arguments, size);
	return true;
}

static void parse_model(const void *blob, struct boot_info *info)
{
	const char *model = device_tree_string(blob, 0, "model");

	strncpy(info->model, model ? model : "unknown board", sizeof(info->model) - 1);
}

bool device_tree_parse(const void *blob, size_t size, struct boot_info *info,
		       struct boot_error *error)
{
	memset(info, 0, sizeof(*info));
	if (size < sizeof(struct fdt_header) || device_tree_size(blob) == 0)
		return boot_error(error,
				  "there is no device tree at the address that the loader gave");
	if (device_tree_size(blob) > size)
		return boot_error(error, "the device tree is cut short");

	int status = fdt_check_full(blob, size);

	if (status != 0)
		return boot_error(error, "the device tree is malformed: %s", fdt_strerror(status));

	/* First what a refusal needs: how to end the machine. */
	int chosen = fdt_path_offset(blob, "/chosen");

	device_tree_psci(blob, info);
	if (chosen >= 0 && !parse_command_line(blob, chosen, info, error))
		return false;
	parse_model(blob, info);
	if (!parse_memory(blob, info, error) || !parse_reserved(blob, info, error) ||
	    (chosen >= 0 && !parse_initrd(blob, chosen, info, error)) ||
	    !device_tree_console(blob, chosen, info, error) ||
	    !device_tree_interrupt_controller(blob, info, error) ||
	    !device_tree_cpus(blob, info, error))
		return false;
	device_tree_unused_devices(blob, info);
	return true;
}
