/* SPDX-License-Identifier: BSD-3-Clause */
#include "naive_table.h"

#include <string.h>

#define INPUT_START UINT64_C(0x100000)
#define INPUT_END (INPUT_START + NAIVE_PAGES * PAGE_SIZE)
#define MEMORY_START UINT64_C(0x80000000)
#define MEMORY_END (MEMORY_START + 128 * PAGE_SIZE)
#define KIB(n) ((uint64_t)(n) << 10)

static bool expresses(struct page_property property)
{
	return property.cache < CACHE_POLICY_COUNT;
}

static struct page_table_constants constants(void)
{
	return (struct page_table_constants){
		.arch = {
			.level_count = 3,
			.root_level = 1,
			.levels = { { 4, KIB(64), true }, { 4, KIB(16), true }, { 4, KIB(4), true } },
		},
		.input = irange(iaddr(INPUT_START), iaddr(INPUT_END)),
		.memory = prange(paddr(MEMORY_START), paddr(MEMORY_END)),
		.pa_bits = 32,
		.expresses = expresses,
	};
}

static uint64_t page_number(struct iaddr address)
{
	return (address.value - INPUT_START) / PAGE_SIZE;
}

static bool naive_init(void *table)
{
	memset(table, 0, sizeof(struct naive_table));
	return true;
}

static void naive_release(void *table)
{
	(void)table;
}

static const char *naive_invariants(const void *table)
{
	const struct naive_table *naive = table;

	for (uint64_t i = 0; i < NAIVE_PAGES; i++)
		if (naive->pages[i].mapped && !is_page_aligned(naive->pages[i].output))
			return "a page leads to a page";
	return NULL;
}

static struct mapping page_mapping(const struct naive_table *naive, uint64_t page)
{
	uint64_t start = INPUT_START + page * PAGE_SIZE;

	return (struct mapping){
		.range = irange(iaddr(start), iaddr(start + PAGE_SIZE)),
		.output = paddr(naive->pages[page].output),
		.property = naive->pages[page].property,
	};
}

static bool naive_view(const void *table, struct page_table_state *out)
{
	const struct naive_table *naive = table;

	out->constants = constants();
	for (uint64_t i = 0; i < NAIVE_PAGES; i++)
		if (naive->pages[i].mapped &&
		    !mappings_insert(&out->mappings, page_mapping(naive, i)))
			return false;
	return true;
}

static struct prange naive_outputs(const void *table)
{
	(void)table;
	return constants().memory;
}

static bool is_range(struct irange range)
{
	return !irange_is_empty(range) && irange_is_page_aligned(range) &&
	       irange_contains(constants().input, range);
}

static enum mm_status naive_map(void *table, struct mapping mapping)
{
	struct naive_table *naive = table;
	uint64_t output = mapping.output.value;

	if (!is_range(mapping.range) || !is_page_aligned(output) || output < MEMORY_START ||
	    output > MEMORY_END || irange_size(mapping.range) > MEMORY_END - output ||
	    !expresses(mapping.property) || mapping.counted)
		return MM_INVALID_ARGS;

	uint64_t first = page_number(mapping.range.start);
	uint64_t count = irange_size(mapping.range) / PAGE_SIZE;

	for (uint64_t i = 0; i < count; i++)
		if (naive->pages[first + i].mapped)
			return MM_EXISTS;
	for (uint64_t i = 0; i < count; i++)
		naive->pages[first + i] =
			(struct naive_page){ true, output + i * PAGE_SIZE, mapping.property };
	return MM_OK;
}

static enum mm_status naive_unmap(void *table, struct irange range)
{
	struct naive_table *naive = table;
	enum mm_status status = MM_NOT_MAPPED;

	if (!is_range(range))
		return MM_INVALID_ARGS;
	for (uint64_t i = page_number(range.start); i < page_number(range.end); i++) {
		if (naive->pages[i].mapped)
			status = MM_OK;
		naive->pages[i].mapped = false;
	}
	return status;
}

static enum mm_status naive_query(void *table, struct iaddr address, struct mapping *found)
{
	const struct naive_table *naive = table;

	if (address.value % sizeof(uint64_t) != 0 || !irange_has(constants().input, address))
		return MM_INVALID_ARGS;

	uint64_t page = page_number(address);

	if (!naive->pages[page].mapped)
		return MM_NOT_MAPPED;
	*found = page_mapping(naive, page);
	return MM_OK;
}

const struct page_table_interface naive_table_interface = {
	.name = "a list of pages",
	.init = naive_init,
	.release = naive_release,
	.invariants = naive_invariants,
	.view = naive_view,
	.outputs = naive_outputs,
	.map = naive_map,
	.unmap = naive_unmap,
	.query = naive_query,
};
