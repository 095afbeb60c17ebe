/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_tree_reg.h"
#include <libfdt.h>

/* An address or a size of more than two cells does not fit in 64 bits. */
#define CELLS_MAX 2
#define CELL_SIZE 4

/* The number that @count cells at @cells say. A property is aligned to 4 bytes, no more. */
static uint64_t read_cells(const uint8_t *cells, int count)
{
	uint64_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 32 |
			fdt32_ld((const fdt32_t *)(const void *)(cells + i * CELL_SIZE));
	return value;
}

static bool cells_fit(int count)
{
	return count >= 0 && count <= CELLS_MAX;
}

/* From the addresses of @bus to those of the bus above it, which is @parent. */
static enum device_tree_reg translate(const void *blob, int bus, int parent, uint64_t size,
				      uint64_t *address)
{
	int child_cells = fdt_address_cells(blob, bus);
	int parent_cells = fdt_address_cells(blob, parent);
	int size_cells = fdt_size_cells(blob, bus);
	int entry, length;
	const uint8_t *ranges = fdt_getprop(blob, bus, "ranges", &length);

	if (!ranges)
		return DEVICE_TREE_REG_NO_PATH;
	if (length == 0)
		return DEVICE_TREE_REG_OK; /* the same addresses on both sides */
	if (!cells_fit(child_cells) || !cells_fit(parent_cells) || !cells_fit(size_cells))
		return DEVICE_TREE_REG_BAD;
	entry = (child_cells + parent_cells + size_cells) * CELL_SIZE;
	if (entry == 0 || length % entry != 0)
		return DEVICE_TREE_REG_BAD;

	for (; length > 0; length -= entry, ranges += entry) {
		uint64_t child = read_cells(ranges, child_cells);
		uint64_t above = read_cells(ranges + child_cells * CELL_SIZE, parent_cells);
		uint64_t span =
			read_cells(ranges + (child_cells + parent_cells) * CELL_SIZE, size_cells);

		if (*address >= child && *address - child < span &&
		    size <= span - (*address - child)) {
			*address = above + (*address - child);
			return DEVICE_TREE_REG_OK;
		}
	}
	return DEVICE_TREE_REG_NO_PATH;
}

enum device_tree_reg device_tree_reg(const void *blob, int node, unsigned int index,
				     struct prange *out)
{
	int bus = fdt_parent_offset(blob, node);
	int length;
	const uint8_t *reg = fdt_getprop(blob, node, "reg", &length);

	if (!reg || bus < 0)
		return DEVICE_TREE_REG_END;

	int address_cells = fdt_address_cells(blob, bus);
	int size_cells = fdt_size_cells(blob, bus);

	if (!cells_fit(address_cells) || address_cells == 0 || !cells_fit(size_cells))
		return DEVICE_TREE_REG_BAD;

	unsigned int entry = (unsigned int)(address_cells + size_cells) * CELL_SIZE;

	if ((unsigned int)length % entry != 0)
		return DEVICE_TREE_REG_BAD;
	if (index >= (unsigned int)length / entry)
		return DEVICE_TREE_REG_END;
	reg += index * entry;

	uint64_t address = read_cells(reg, address_cells);
	uint64_t size = read_cells(reg + address_cells * CELL_SIZE, size_cells);
	int parent;

	for (; (parent = fdt_parent_offset(blob, bus)) >= 0; bus = parent) {
		enum device_tree_reg status = translate(blob, bus, parent, size, &address);

		if (status != DEVICE_TREE_REG_OK)
			return status;
	}
	*out = prange(paddr(address), paddr(address + size));
	return DEVICE_TREE_REG_OK;
}
