/* SPDX-License-Identifier: BSD-3-Clause */
#include "el2_space.h"
#include "console.h"
#include "devices.h"
#include "el2_control.h"
#include "exit.h"
#include "image.h"
#include "mmu.h"
#include "stacks.h"
#include <arch/barrier.h>
#include <arch/tlb.h>
#include <arch/translation.h>
#include <inttypes.h>
#include <strata/cursor.h>

_Static_assert(EL2_IA_BITS == ADDRESS_BITS_MAX, "EL2's table with a window above it has them all");

static struct vm_space space;

static void require(enum mm_status status, const char *what, struct prange range)
{
	if (status != MM_OK)
		boot_refuse("%s, 0x%" PRIx64 " to 0x%" PRIx64 ": %s", what, range.start.value,
			    range.end.value, mm_status_name(status));
}

static enum mm_status map(struct cursor *cursor, struct prange range, struct page_property property)
{
	enum mm_status status = cursor_jump(cursor, iaddr(range.start.value));

	return status == MM_OK ? cursor_map_iomem(cursor, range, property) : status;
}

static void map_memory(struct cursor *cursor, struct prange range, uint8_t flags)
{
	if (!prange_is_empty(range))
		require(map(cursor, range, page_property(flags | PAGE_ACCESSED, CACHE_WRITEBACK)),
			"mapping memory", range);
}

/* The image, in the middle of RAM: sections with their own rights, and holes for the guard pages. */
static void map_image(struct cursor *cursor)
{
	map_memory(cursor, image_range(image_start, text_end), PAGE_READ | PAGE_EXECUTE);
	map_memory(cursor, image_range(text_end, relro_end), PAGE_READ);
	for (unsigned int i = 0; i <= STACK_GUARDS; i++)
		map_memory(cursor, stack_guard_gap(i), PAGE_READ | PAGE_WRITE);
}

void el2_space_start(struct boot_info *info)
{
	const struct prange image = image_range(image_start, image_end);
	const struct prange nothing = prange(paddr(0), paddr(0));
	struct cursor cursor;

	require(vm_space_new_el2(&space), "making EL2's table", nothing);
	require(cursor_open(&space, vm_space_range(&space), CURSOR_MUTABLE, &cursor),
		"opening EL2's table", nothing);
	for (size_t i = 0; i < info->memory_count; i++) {
		struct prange memory = info->memory[i];

		if (prange_contains(memory, image)) {
			map_memory(&cursor, prange(memory.start, image.start),
				   PAGE_READ | PAGE_WRITE);
			map_image(&cursor);
			map_memory(&cursor, prange(image.end, memory.end), PAGE_READ | PAGE_WRITE);
		} else {
			map_memory(&cursor, memory, PAGE_READ | PAGE_WRITE);
		}
	}
	cursor_close(&cursor);
	devices_start(info, &space);

	/* The console is nowhere else from here on: nothing that could print comes between. */
	mmu_switch(space.root.value);
	console_init(info->uart_registers.start);
	el2_stage1_load(space.root, space.geometry);
	tlbi_el2_all();
	dsb_ish();
	isb();
	info->el2_space = &space;
}
