/* SPDX-License-Identifier: BSD-3-Clause */
#include "mapping.h"

struct paddr map_frame_at(struct world *world, struct vm_space *space, uint64_t ia,
			  struct page_property property)
{
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;
	struct cursor cursor;

	open_at(space, ia, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, property));
	cursor_close(&cursor);
	return page;
}

struct paddr map_segment_at(struct world *world, struct vm_space *space, uint64_t ia,
			    uint64_t pages, uint64_t alignment, struct page_property property)
{
	struct segment segment = world_segment(world, pages, alignment);
	struct paddr start = segment.start;
	struct cursor cursor;

	open_at(space, ia, pages * PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map_segment(&cursor, &segment, property));
	cursor_close(&cursor);
	return start;
}

void map_iomem_at(struct vm_space *space, uint64_t ia, uint64_t output, uint64_t size,
		  struct page_property property)
{
	struct cursor cursor;

	open_at(space, ia, size, &cursor);
	EXPECT_OK(cursor_map_iomem(&cursor, prange(paddr(output), paddr(output + size)), property));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, ia + size);
	cursor_close(&cursor);
}

uint64_t unmap_at(struct vm_space *space, uint64_t ia, uint64_t size)
{
	struct cursor cursor;
	uint64_t leaves = UINT64_MAX;

	open_at(space, ia, size, &cursor);
	EXPECT_OK(cursor_unmap(&cursor, size, &leaves));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, ia + size);
	cursor_close(&cursor);
	return leaves;
}

struct page_property become(struct page_property property, void *context)
{
	const struct page_property *wanted = context;

	(void)property;
	return *wanted;
}

void protect_at(struct vm_space *space, uint64_t ia, uint64_t size, struct page_property property)
{
	enum mm_status status = MM_OK;
	struct cursor cursor;

	open_at(space, ia, size, &cursor);
	while (status == MM_OK && cursor_virt_addr(&cursor).value < ia + size)
		status = cursor_protect_next(&cursor, ia + size - cursor_virt_addr(&cursor).value,
					     become, &property, NULL);
	if (status != MM_NOT_MAPPED)
		EXPECT_OK(status);
	cursor_close(&cursor);
}

struct cursor_item item_at(struct vm_space *space, uint64_t ia)
{
	struct cursor_item item;
	struct cursor cursor;

	EXPECT_OK(cursor_open(space, span(ia & ~(PAGE_SIZE - 1), PAGE_SIZE), CURSOR_READ_ONLY,
			      &cursor));
	EXPECT_OK(cursor_peek(&cursor, &item));
	cursor_close(&cursor);
	return item;
}

void expect_mapped(struct vm_space *space, uint64_t ia, uint64_t output, uint64_t leaf,
		   struct page_property property)
{
	struct cursor_item item = item_at(space, ia);

	EXPECT_TRUE(item.mapped);
	EXPECT_EQUAL(irange_size(item.range), leaf);
	EXPECT_EQUAL(item.range.start.value % leaf, 0);
	EXPECT_TRUE(irange_has(item.range, iaddr(ia)));
	EXPECT_EQUAL(item.output.value + (ia - item.range.start.value), output);
	EXPECT_EQUAL(item.property.flags, property.flags);
	EXPECT_EQUAL(item.property.cache, property.cache);
}

void expect_hole(struct vm_space *space, uint64_t ia)
{
	EXPECT_FALSE(item_at(space, ia).mapped);
}

static void expect_access(struct world *world, struct vm_space *space, uint64_t ia,
			  enum world_access access, const struct cursor_item *item, uint8_t flag)
{
	bool permitted = item->mapped && (item->property.flags & PAGE_ACCESSED) != 0 &&
			 (item->property.flags & flag) != 0;
	struct paddr output = paddr(0);
	bool done;

	if (!WORLD_ASKS_FORBIDDEN && space->stage == STAGE_2 && item->mapped && !permitted)
		return;
	done = world_translate(world, space, iaddr(ia), access, &output);

	if (done != permitted)
		FAIL("access %d at 0x%llx: the MMU %s it, the cursor says otherwise", (int)access,
		     (unsigned long long)ia, done ? "completes" : "faults");
	if (done)
		EXPECT_EQUAL(output.value, item->output.value + (ia - item->range.start.value));
}

void expect_mmu_agrees(struct world *world, struct vm_space *space, uint64_t start, uint64_t size,
		       uint64_t step)
{
	for (uint64_t ia = start; ia < start + size; ia += step) {
		struct cursor_item item = item_at(space, ia);

		expect_access(world, space, ia, WORLD_READ, &item, PAGE_READ);
		expect_access(world, space, ia, WORLD_WRITE, &item, PAGE_WRITE);
#if WORLD_SIMULATED
		expect_access(world, space, ia, WORLD_EXECUTE, &item, PAGE_EXECUTE);
#endif
	}
	world_rest(world);
}

struct sharing *share_frame(const frame_t *frame, const struct vm_space *a,
			    const struct vm_space *b)
{
	const struct vm_space *const spaces[] = { a, b };
	struct sharing *sharing;
	struct segment segment;
	frame_t clone;

	EXPECT_OK(sharing_new(NULL, spaces, COUNT_OF(spaces), &sharing));
	EXPECT_OK(frame_clone(frame, &clone));
	segment = segment_from_frame(&clone);
	EXPECT_OK(ownership_share(&segment, sharing));
	segment_drop(&segment);
	return sharing;
}

uint32_t references_of(struct paddr page)
{
	struct page_state state;

	EXPECT_OK(page_state(page, &state));
	return state.references;
}
