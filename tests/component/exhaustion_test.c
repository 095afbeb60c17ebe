/* SPDX-License-Identifier: BSD-3-Clause */
/* MM_NO_MEMORY, wherever it strikes: for every n the n-th allocation fails, and nothing has changed. */
#include "mapping.h"
#include <strata/fault.h>

#if STRATA_CHECKED

struct attempt {
	struct vm_space *space;
	struct cursor cursor;
	struct segment segment;
	frame_t frame;
	struct page_property property;
};

/* Each tries one operation at the cursor's position; the state before it is set up by prepare. */
struct operation {
	const char *name;
	void (*prepare)(struct world *world, struct attempt *attempt);
	enum mm_status (*run)(struct attempt *attempt);
	void (*give_up)(struct attempt *attempt); /* what the caller still owns after a failure */
};

static void prepare_nothing(struct world *world, struct attempt *attempt)
{
	attempt->frame = world_frame(world);
}

static void prepare_segment(struct world *world, struct attempt *attempt)
{
	attempt->segment = world_segment(world, 1200, MIB(2));
}

static void prepare_block(struct world *world, struct attempt *attempt)
{
	(void)world;
	map_iomem_at(attempt->space, GIB(1), NO_MEMORY_BASE, GIB(1), DEVICE);
}

static void prepare_counted_block(struct world *world, struct attempt *attempt)
{
	map_segment_at(world, attempt->space, GIB(1) + MIB(2), 512, MIB(2), READ_WRITE);
	attempt->frame = world_frame(world);
}

static enum mm_status run_map(struct attempt *attempt)
{
	return cursor_map(&attempt->cursor, &attempt->frame, READ_WRITE);
}

static enum mm_status run_map_segment(struct attempt *attempt)
{
	/* Pages at both ends and a block between them: three tables of level 3. */
	enum mm_status status = cursor_jump(&attempt->cursor, iaddr(GIB(1) + MIB(1)));

	if (status != MM_OK)
		return status;
	status = cursor_map_segment(&attempt->cursor, &attempt->segment, READ_WRITE);
	if (status != MM_OK)
		EXPECT_EQUAL(cursor_virt_addr(&attempt->cursor).value, GIB(1) + MIB(1));
	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1))));
	return status;
}

static enum mm_status run_map_iomem(struct attempt *attempt)
{
	return cursor_map_iomem(
		&attempt->cursor,
		prange(paddr(NO_MEMORY_BASE + PAGE_SIZE), paddr(NO_MEMORY_BASE + MIB(5))), DEVICE);
}

static enum mm_status run_unmap(struct attempt *attempt)
{
	enum mm_status status;

	/* Cuts a 1 GiB block twice, each time down to a page: four tables. */
	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1) + PAGE_SIZE)));
	status = cursor_unmap(&attempt->cursor, GIB(1) - 2 * PAGE_SIZE, NULL);
	if (status != MM_OK)
		EXPECT_EQUAL(cursor_virt_addr(&attempt->cursor).value, GIB(1) + PAGE_SIZE);
	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1))));
	return status;
}

static enum mm_status run_protect(struct attempt *attempt)
{
	enum mm_status status;

	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1) + MIB(7) + PAGE_SIZE)));
	status = cursor_protect_next(&attempt->cursor, MIB(300), become, &attempt->property, NULL);
	if (status != MM_OK)
		EXPECT_EQUAL(cursor_virt_addr(&attempt->cursor).value, GIB(1) + MIB(7) + PAGE_SIZE);
	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1))));
	return status;
}

static enum mm_status run_replace(struct attempt *attempt)
{
	enum mm_status status;

	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1) + MIB(3))));
	status = cursor_replace(&attempt->cursor, &attempt->frame, READ_ONLY);
	EXPECT_OK(cursor_jump(&attempt->cursor, iaddr(GIB(1))));
	return status;
}

static void keep_frame(struct attempt *attempt)
{
	EXPECT_EQUAL(frame_reference_count(&attempt->frame), 1);
	frame_drop(&attempt->frame);
}

static void keep_segment(struct attempt *attempt)
{
	for (struct paddr page = attempt->segment.start; page.value < attempt->segment.end.value;
	     page.value += PAGE_SIZE)
		EXPECT_EQUAL(references_of(page), 1);
	segment_drop(&attempt->segment);
}

static void keep_nothing(struct attempt *attempt)
{
	(void)attempt;
}

static const struct operation operations[] = {
	{ "map", prepare_nothing, run_map, keep_frame },
	{ "map_segment", prepare_segment, run_map_segment, keep_segment },
	{ "map_iomem", prepare_nothing, run_map_iomem, keep_nothing },
	{ "unmap", prepare_block, run_unmap, keep_nothing },
	{ "protect", prepare_block, run_protect, keep_nothing },
	{ "replace", prepare_counted_block, run_replace, keep_frame },
};

/* What a cursor says at places that the operations touch. */
enum { SAMPLES = 10 };

static void take_samples(struct vm_space *space, struct cursor_item samples[SAMPLES])
{
	static const uint64_t places[SAMPLES] = {
		0,	MIB(1), MIB(2), MIB(3),	  MIB(4),
		MIB(5), MIB(7), MIB(8), MIB(307), GIB(1) - PAGE_SIZE,
	};

	for (size_t i = 0; i < SAMPLES; i++)
		samples[i] = item_at(space, GIB(1) + places[i]);
}

static void expect_samples(const struct cursor_item *was, const struct cursor_item *is)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		EXPECT_EQUAL(is[i].mapped, was[i].mapped);
		EXPECT_EQUAL(is[i].range.start.value, was[i].range.start.value);
		EXPECT_EQUAL(is[i].range.end.value, was[i].range.end.value);
		if (!is[i].mapped)
			continue;
		EXPECT_EQUAL(is[i].output.value, was[i].output.value);
		EXPECT_EQUAL(is[i].property.flags, was[i].property.flags);
	}
}

/* True once nothing failed any more: @nth was beyond what the operation allocates. */
static bool attempt_with(struct world *world, const struct operation *operation, uint64_t nth)
{
	struct attempt attempt = { .property =
					   page_property(PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE) };
	struct cursor_item before[SAMPLES], after[SAMPLES];
	struct vm_space space;
	enum mm_status status;

	world_space(world, &space);
	attempt.space = &space;
	operation->prepare(world, &attempt);
	take_samples(&space, before);

	uint64_t tables = world_pages(PAGE_TABLE);
	uint64_t frames = world_pages(PAGE_FRAME);

	open_at(&space, GIB(1), GIB(1), &attempt.cursor);
	mm_fail_allocation(nth);
	status = operation->run(&attempt);
	mm_fail_allocation(0);
	if (status != MM_OK) {
		EXPECT_STATUS(status, MM_NO_MEMORY);
		EXPECT_EQUAL(cursor_virt_addr(&attempt.cursor).value, GIB(1));
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		EXPECT_EQUAL(world_pages(PAGE_FRAME), frames);
	}
	cursor_close(&attempt.cursor);
	if (status != MM_OK) {
		take_samples(&space, after);
		expect_samples(before, after);
		operation->give_up(&attempt);
	} else if (operation->prepare == prepare_nothing && operation->run != run_map) {
		frame_drop(&attempt.frame);
	}
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(world_pages(PAGE_FRAME),
		     world->before.pages[PAGE_FRAME] +
			     (status != MM_OK && operation->run == run_map_iomem));
	if (status != MM_OK && operation->run == run_map_iomem)
		frame_drop(&attempt.frame);
	return status == MM_OK;
}

TEST(every_failing_allocation_leaves_all_as_it_was)
{
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		uint64_t nth = 1;

		while (!attempt_with(world, &operations[i], nth))
			nth++;
		/* At least one table was needed, or the operation showed nothing. */
		if (nth < 2)
			FAIL("%s allocates nothing", operations[i].name);
	}
}

TEST(new_objects_fail_without_memory)
{
	struct vm_space space;
	struct segment segment = { .start = paddr(1), .end = paddr(2) };
	frame_t frame = { .paddr = paddr(1) };

	mm_fail_allocation(1);
	EXPECT_STATUS(vm_space_new_stage2(40, &space), MM_NO_MEMORY);
	mm_fail_allocation(1);
	EXPECT_STATUS(vm_space_new_stage2(39, &space), MM_NO_MEMORY);
	mm_fail_allocation(1);
	EXPECT_STATUS(vm_space_new_stage1(48, &space), MM_NO_MEMORY);
	mm_fail_allocation(1);
	EXPECT_STATUS(frame_alloc(FRAME_ZEROED, &frame), MM_NO_MEMORY);
	mm_fail_allocation(1);
	EXPECT_STATUS(segment_alloc(3, PAGE_SIZE, FRAME_ZEROED, &segment), MM_NO_MEMORY);
	mm_fail_allocation(0);
	EXPECT_EQUAL(frame.paddr.value, 1);
	EXPECT_EQUAL(segment.start.value, 1);
}

#endif
