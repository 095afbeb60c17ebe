/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of pages, spoiled: each way is what somebody might write who read one rule otherwise. */
#include "broken_tables.h"

#include <string.h>

static const struct page_table_interface *const right = &naive_table_interface;

static struct irange longer(struct irange range, uint64_t bytes)
{
	return irange(range.start, iaddr(range.end.value + bytes));
}

static bool broken_init(void *object)
{
	struct broken_table *table = object;
	enum conformance_claim breaks = table->breaks;

	memset(table, 0, sizeof(*table));
	table->breaks = breaks;
	/* Memory that was not cleared. */
	table->naive.pages[0].mapped = breaks == CONFORMANCE_A_NEW_TABLE_IS_EMPTY;
	table->naive.pages[0].output = right->outputs(&table->naive).start.value;
	return true;
}

static void broken_release(void *object)
{
	(void)object;
}

static const char *broken_invariants(const void *object)
{
	const struct broken_table *table = object;

	return right->invariants(&table->naive);
}

static bool broken_view(const void *object, struct page_table_state *out)
{
	const struct broken_table *table = object;

	return right->view(&table->naive, out);
}

static struct prange broken_outputs(const void *object)
{
	const struct broken_table *table = object;

	return right->outputs(&table->naive);
}

/* Whether some page leads into @output already. */
static bool is_shared(const struct naive_table *naive, uint64_t output)
{
	for (size_t i = 0; i < NAIVE_PAGES; i++)
		if (naive->pages[i].mapped && naive->pages[i].output == output)
			return true;
	return false;
}

static enum mm_status broken_map(void *object, struct mapping mapping)
{
	struct broken_table *table = object;
	struct naive_table *naive = &table->naive;
	uint64_t size = irange_size(mapping.range);
	enum mm_status status;

	table->calls++;
	switch (table->breaks) {
	case CONFORMANCE_MAP_ADDS_WHAT_IT_IS_ASKED: /* <= for < */
		mapping.range = longer(mapping.range, PAGE_SIZE);
		break;
	case CONFORMANCE_MAP_KEEPS_OFF_MAPPINGS: /* the last one wins */
		(void)right->unmap(naive, mapping.range);
		break;
	case CONFORMANCE_MAP_HAS_A_PRECONDITION: /* rounded instead of refused */
		mapping.output.value = page_align_down(mapping.output.value);
		break;
	case CONFORMANCE_OUTPUTS_MAY_BE_SHARED:
		if (is_shared(naive, mapping.output.value))
			return MM_EXISTS;
		break;
	case CONFORMANCE_PROPERTIES_ARE_KEPT: /* a bit that has no place in the descriptor */
		mapping.property.flags |= PAGE_ACCESSED;
		break;
	case CONFORMANCE_FRAMES_OF_EVERY_SIZE: /* the level is asked for blocks, but not for its size */
		if (size == 4 * PAGE_SIZE)
			mapping.range.end.value -= 2 * PAGE_SIZE;
		break;
	case CONFORMANCE_BOTH_ENDS_ARE_REACHED: /* < for <= */
		if (naive->pages[0].mapped && mapping.range.start.value >> 12 == 0x13f)
			return MM_OUT_OF_BOUND;
		break;
	case CONFORMANCE_HOLES_ARE_MAPPED_AGAIN: /* a descriptor that was cached, and not looked at again */
		if (mapping.range.start.value == table->remembered.range.start.value)
			mapping.output = table->remembered.output;
		break;
	default:
		break;
	}
	status = right->map(naive, mapping);
	if (status == MM_OK && irange_is_empty(table->remembered.range))
		table->remembered = mapping;
	if (table->breaks == CONFORMANCE_ANY_ORDER && table->calls > 100) /* room for 100 pages */
		(void)right->unmap(naive, irange(iaddr(mapping.range.end.value - PAGE_SIZE),
						 mapping.range.end));
	return status;
}

static enum mm_status broken_unmap(void *object, struct irange range)
{
	struct broken_table *table = object;
	struct naive_table *naive = &table->naive;
	enum mm_status status;

	table->calls++;
	switch (table->breaks) {
	case CONFORMANCE_UNMAP_REMOVES_WHAT_IT_IS_ASKED:
		status = right->unmap(naive, range);
		(void)right->unmap(naive, longer(range, PAGE_SIZE));
		return status;
	case CONFORMANCE_UNMAP_SPLITS: /* only what was mapped as one, by its base */
		if (range.start.value != table->remembered.range.start.value)
			return MM_NOT_MAPPED;
		return right->unmap(naive, table->remembered.range);
	case CONFORMANCE_UNMAP_OF_A_HOLE_IS_REFUSED:
		status = right->unmap(naive, range);
		return status == MM_NOT_MAPPED ? MM_OK : status;
	case CONFORMANCE_UNMAP_HAS_A_PRECONDITION:
		range.start.value = page_align_down(range.start.value);
		range.end.value = page_align_up(range.end.value);
		return right->unmap(naive, range);
	default:
		return right->unmap(naive, range);
	}
}

static enum mm_status broken_query(void *object, struct iaddr address, struct mapping *found)
{
	struct broken_table *table = object;
	struct naive_table *naive = &table->naive;
	enum mm_status status = right->query(naive, address, found);

	table->calls++;
	switch (table->breaks) {
	case CONFORMANCE_QUERY_FINDS_THE_FRAME: /* the output of the address for that of its frame */
		if (status == MM_OK)
			found->output.value += address.value - found->range.start.value;
		return status;
	case CONFORMANCE_QUERY_FINDS_NO_MORE: /* <= for < */
		return status == MM_NOT_MAPPED
			       ? right->query(naive, iaddr(address.value - 8), found)
			       : status;
	case CONFORMANCE_QUERY_CHANGES_NOTHING: /* the Access flag, kept by who asks */
		if (status == MM_OK)
			naive->pages[0].property.flags ^= PAGE_ACCESSED;
		return status;
	default:
		return status;
	}
}

const struct page_table_interface broken_table_interface = {
	.name = "a list of pages, spoiled",
	.init = broken_init,
	.release = broken_release,
	.invariants = broken_invariants,
	.view = broken_view,
	.outputs = broken_outputs,
	.map = broken_map,
	.unmap = broken_unmap,
	.query = broken_query,
};
