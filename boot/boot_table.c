/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Part of this runs with the MMU off: no unaligned access, no library function (picolibc's memset
 * uses DC ZVA, which faults on Device memory; Arm ARM D8.2.9).
 */
#include "boot_table.h"
#include "el2_control.h"
#include "image.h"
#include "stacks.h"

/* Room for some seventy odd edges, however far from each other, or twice as many near each other. */
#define POOL_PAGES 160
#define ENTRIES 512

/* Descriptors (Arm ARM D8.3, "Translation table descriptor formats"). */
#define DESCRIPTOR_VALID (UINT64_C(1) << 0)
#define DESCRIPTOR_TABLE (UINT64_C(1) << 1) /* at level 3: a page */
#define DESCRIPTOR_INDEX(index) ((uint64_t)(index) << 2)
#define DESCRIPTOR_AP1 (UINT64_C(1) << 6) /* RES1 without a lower Exception level */
#define DESCRIPTOR_READ_ONLY (UINT64_C(1) << 7)
#define DESCRIPTOR_INNER_SHAREABLE (UINT64_C(3) << 8)
#define DESCRIPTOR_ACCESSED (UINT64_C(1) << 10)
#define DESCRIPTOR_EXECUTE_NEVER (UINT64_C(1) << 54)
#define DESCRIPTOR_ADDRESS UINT64_C(0x0000fffffffff000)

struct boot_table {
	_Alignas(PAGE_SIZE) uint64_t entries[ENTRIES];
};

static struct boot_table pool[POOL_PAGES];
static unsigned int pool_used;
static struct boot_table *root;

static struct boot_table *table_new(void)
{
	return pool_used < POOL_PAGES ? &pool[pool_used++] : 0;
}

static uint64_t leaf_attributes(enum boot_mapping mapping)
{
	uint64_t normal = DESCRIPTOR_VALID | DESCRIPTOR_ACCESSED | DESCRIPTOR_AP1 |
			  DESCRIPTOR_INDEX(MAIR_INDEX_WRITEBACK) | DESCRIPTOR_INNER_SHAREABLE;

	if (mapping == BOOT_MAP_TEXT)
		return normal | DESCRIPTOR_READ_ONLY;
	if (mapping == BOOT_MAP_READ_ONLY)
		return normal | DESCRIPTOR_READ_ONLY | DESCRIPTOR_EXECUTE_NEVER;
	if (mapping == BOOT_MAP_DATA)
		return normal | DESCRIPTOR_EXECUTE_NEVER;
	return DESCRIPTOR_VALID | DESCRIPTOR_ACCESSED | DESCRIPTOR_AP1 |
	       DESCRIPTOR_INDEX(MAIR_INDEX_DEVICE) | DESCRIPTOR_EXECUTE_NEVER;
}

static unsigned int level_shift(int level)
{
	return PAGE_SHIFT + 9 * (3 - level);
}

/*
 * Maps from @start as far as one descriptor reaches, but not past @end; returns where it stopped, or
 * @start if the pool is empty.
 */
static uint64_t map_one(uint64_t start, uint64_t end, enum boot_mapping mapping)
{
	volatile uint64_t *entry;
	struct boot_table *table = root;
	int level = 0;

	for (;; level++) {
		uint64_t size = UINT64_C(1) << level_shift(level);
		uint64_t next = (start | (size - 1)) + 1;

		entry = &table->entries[(start >> level_shift(level)) % ENTRIES];
		if (!(*entry & DESCRIPTOR_VALID)) {
			if (level > 0 && start % size == 0 && end - start >= size) {
				*entry = start | leaf_attributes(mapping) |
					 (level == 3 ? DESCRIPTOR_TABLE : 0);
				return next;
			}
			table = table_new();
			if (!table)
				return start;
			*entry = (uintptr_t)table | DESCRIPTOR_TABLE | DESCRIPTOR_VALID;
		} else if (level == 3 || !(*entry & DESCRIPTOR_TABLE)) {
			return next < end ? next : end;
		} else {
			table = (struct boot_table *)(uintptr_t)(*entry & DESCRIPTOR_ADDRESS);
		}
	}
}

bool boot_table_map(struct prange range, enum boot_mapping mapping)
{
	uint64_t end = page_align_up(range.end.value);
	uint64_t next;

	for (uint64_t start = page_align_down(range.start.value); start < end; start = next) {
		next = map_one(start, end, mapping);
		if (next == start)
			return false;
	}
	/* No descriptor was valid before: nothing can be cached that this contradicts. */
	__asm__ volatile("dsb ishst\n\tisb" : : : "memory");
	return true;
}

uint64_t boot_table_create(uint64_t device_tree, uint64_t uart)
{
	root = table_new();
	/* The pool cannot run out here: the image, and a page each of two more, take some fifteen. */
	boot_table_map(image_range(image_start, text_end), BOOT_MAP_TEXT);
	boot_table_map(image_range(text_end, relro_end), BOOT_MAP_READ_ONLY);
	for (unsigned int i = 0; i <= STACK_GUARDS; i++)
		boot_table_map(stack_guard_gap(i), BOOT_MAP_DATA);
	boot_table_map(prange(paddr(uart), paddr(uart + 1)), BOOT_MAP_DEVICE);
	if (device_tree < UINT64_C(1) << ADDRESS_BITS_MAX)
		boot_table_map(prange(paddr(device_tree), paddr(device_tree + 1)), BOOT_MAP_DATA);
	return (uintptr_t)root;
}
