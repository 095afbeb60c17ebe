/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * States of a page that no test comes to by calls alone: two thousand million references, an
 * exclusive owner, a page under construction by another CPU. The slot is set to them directly.
 */
#include "areas.h"
#include "slot.h"
#include "vm_io_place.h"
#include <strata/frame_list.h>
#include <strata/migration.h>
#include <strata/ownership.h>
#include <strata/reclaim.h>
#include <strata/unique_frame.h>
#if STRATA_CHECKED
#include "model.h"
#endif

static void set_references(struct paddr page, uint32_t references)
{
	struct slot *slot;

	EXPECT_OK(slot_lookup(page, &slot));
	atomic_store(&slot->references, references);
#if STRATA_CHECKED
	model_readopt(page);
#endif
}

/* A page that was UNIQUE when somebody looked, and is a space's by now, is in none of his lists:
 * a list's id is no owner's. */
TEST(a_page_of_a_space_is_in_no_list)
{
	enum { EACH = 8 };
	struct frame_list lists[EACH];
	struct vm_space spaces[EACH];
	struct paddr pages[EACH];

	for (size_t i = 0; i < EACH; i++) {
		unique_frame_t listed;

		world_space(world, &spaces[i]);
		pages[i] = map_frame_at(world, &spaces[i], 0, READ_WRITE);
		EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &listed));
		frame_list_init(&lists[i]);
		EXPECT_OK(frame_list_push_back(&lists[i], &listed));
	}
	for (size_t i = 0; i < EACH; i++)
		for (size_t list = 0; list < EACH; list++) {
			struct frame_list_cursor cursor;
			bool listed;

			atomic_store(&slot_of(pages[i])->references, SLOT_UNIQUE);
			listed = frame_list_cursor_at(&lists[list], pages[i], &cursor);
			atomic_store(&slot_of(pages[i])->references, 1);
			EXPECT_FALSE(listed);
		}
	for (size_t i = 0; i < EACH; i++) {
		frame_list_drop(&lists[i]);
		EXPECT_OK(vm_space_destroy(&spaces[i]));
	}
}

/* While a page that looks like a frame in use is something else already, what its slot says is
 * no owner's. */
TEST(what_else_a_slot_says_is_no_owner)
{
	struct vm_space space;
	struct frame_list list;
	unique_frame_t unique;
	struct paddr page;

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_WRITE);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &unique));
	page = unique.paddr;
	frame_list_init(&list);
	EXPECT_OK(frame_list_push_back(&list, &unique));
	atomic_store(&slot_of(page)->references, 1);

	struct page_owner owner = page_owner(page);

	atomic_store(&slot_of(page)->references, SLOT_UNIQUE);
	EXPECT_EQUAL(owner.kind, OWNER_HYPERVISOR);
	frame_list_drop(&list);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(frame_saturates_instead_of_wrapping)
{
	frame_t frame = world_frame(world);
	frame_t second = { .paddr = paddr(1) };

	set_references(frame.paddr, FRAME_REFERENCES_MAX - 1);
	EXPECT_OK(frame_clone(&frame, &second));
	EXPECT_EQUAL(frame_reference_count(&frame), FRAME_REFERENCES_MAX);
	second.paddr = paddr(1);
	EXPECT_STATUS(frame_clone(&frame, &second), MM_SATURATED);
	EXPECT_STATUS(frame_from_in_use(frame.paddr, &second), MM_SATURATED);
	EXPECT_EQUAL(second.paddr.value, 1);
	EXPECT_EQUAL(frame_reference_count(&frame), FRAME_REFERENCES_MAX);
	set_references(frame.paddr, 2);
	second.paddr = frame.paddr;
	frame_drop(&second);
	frame_drop(&frame);
}

/* One saturated page, wherever it lies, and no page of the segment changes. */
TEST(segment_clone_of_a_saturated_page_changes_none)
{
	for (uint64_t full = 0; full < 4; full++) {
		struct segment segment = world_segment(world, 4, PAGE_SIZE);
		struct segment out = { .start = paddr(1), .end = paddr(2) };
		struct paddr page = paddr(segment.start.value + full * PAGE_SIZE);

		set_references(page, FRAME_REFERENCES_MAX);
		EXPECT_STATUS(segment_clone(&segment, &out), MM_SATURATED);
		EXPECT_STATUS(segment_slice(&segment, prange(page, segment.end), &out),
			      MM_SATURATED);
		EXPECT_EQUAL(out.start.value, 1);
		for (uint64_t i = 0; i < 4; i++) {
			struct page_state state;

			EXPECT_OK(page_state(paddr(segment.start.value + i * PAGE_SIZE), &state));
			EXPECT_EQUAL(state.references, i == full ? FRAME_REFERENCES_MAX : 1);
		}
		set_references(page, 1);
		segment_drop(&segment);
	}
}

TEST(cursor_query_of_a_saturated_page_takes_no_reference)
{
	struct page_property property = page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK);
	struct irange range = irange(iaddr(0), iaddr(PAGE_SIZE));
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;
	frame_t out = { .paddr = paddr(1) };
	struct cursor_item item;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	EXPECT_OK(cursor_open(&space, range, CURSOR_MUTABLE, &cursor));
	EXPECT_OK(cursor_map(&cursor, &frame, property));
	EXPECT_OK(cursor_jump(&cursor, range.start));
	set_references(page, FRAME_REFERENCES_MAX);
	item.range = irange(iaddr(7), iaddr(7));
	EXPECT_STATUS(cursor_query(&cursor, &item, &out), MM_SATURATED);
	EXPECT_EQUAL(out.paddr.value, 1);
	EXPECT_EQUAL(item.range.start.value, 7);
	EXPECT_OK(cursor_peek(&cursor, &item));
	set_references(page, 1);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

static void receive_none(const struct reclaimed_page *page, void *context)
{
	(void)context;
	FAIL("the page at 0x%llx was taken", (unsigned long long)page->page.value);
}

/* Neither is moved, taken or split, wherever in the block the page lies. */
TEST(services_leave_a_saturated_page_where_it_is)
{
	struct segment segment = world_segment(world, 512, MIB(2));
	frame_t new = world_frame(world), old = { .paddr = paddr(1) };
	struct paddr block = segment.start;
	struct vm_space space;
	struct cursor cursor;
	uint64_t taken = 7;

	world_space(world, &space);
	open_at(&space, MIB(2), MIB(2), &cursor);
	EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
	for (uint64_t page = 0; page < 512; page += 511) {
		struct paddr full = paddr(block.value + page * PAGE_SIZE);
		struct iaddr at = iaddr(MIB(2) + page * PAGE_SIZE);
		struct cursor_item item;

		set_references(full, FRAME_REFERENCES_MAX);
		EXPECT_OK(cursor_jump(&cursor, at));
		EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_SATURATED);
		EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2))));
		EXPECT_STATUS(cursor_reclaim(&cursor, MIB(2), 512, receive_none, NULL, &taken),
			      MM_SATURATED);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2));
		EXPECT_OK(cursor_peek(&cursor, &item));
		EXPECT_EQUAL(irange_size(item.range), MIB(2));
		set_references(full, 1);
	}
	EXPECT_EQUAL(taken, 7);
	EXPECT_EQUAL(old.paddr.value, 1);
	cursor_close(&cursor);
	frame_drop(&new);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(area_query_of_a_saturated_page_takes_no_reference)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, 1);
	frame_t frame = world_frame(world), out = { .paddr = paddr(1) };
	struct paddr page = frame.paddr;
	struct cursor_item item;

	EXPECT_OK(kvirt_area_map_frames(area, 0, &frame, 1, READ_WRITE));
	set_references(page, FRAME_REFERENCES_MAX);
	EXPECT_STATUS(kvirt_area_query(area, 0, &item, &out), MM_SATURATED);
	EXPECT_EQUAL(out.paddr.value, 1);
	set_references(page, 1);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* Between two spaces the source is held by a reference. */
TEST(copy_from_a_saturated_page_moves_nothing)
{
	struct place from, to;
	struct vm_reader reader;
	struct vm_writer writer;
	uint64_t copied = 7;

	place_make(world, &from, VM_IO_SPACE, 1);
	place_make(world, &to, VM_IO_SPACE, 1);
	reader = place_reader(world, &from, 0, PAGE_SIZE);
	writer = place_writer(world, &to, 0, PAGE_SIZE);
	set_references(from.frames[0].paddr, FRAME_REFERENCES_MAX);
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_SATURATED);
	EXPECT_EQUAL(copied, 0);
	set_references(from.frames[0].paddr, 2);
	place_end(world, &from);
	place_end(world, &to);
}

TEST(frame_functions_name_exclusive_and_unfinished_pages)
{
	static const struct {
		uint32_t references;
		enum mm_status status;
	} cases[] = {
		{ SLOT_UNIQUE, MM_UNIQUE },
		{ SLOT_UNDER_CONSTRUCTION, MM_BUSY },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		frame_t frame = world_frame(world);
		frame_t out = { .paddr = paddr(1) };
		struct segment segment = { .start = paddr(1), .end = paddr(2) };
		unique_frame_t unique = { .paddr = paddr(1) };
		struct prange range = page_range(frame.paddr);

		set_references(frame.paddr, cases[i].references);
		EXPECT_STATUS(frame_from_unused(frame.paddr, &out), cases[i].status);
		EXPECT_STATUS(frame_from_in_use(frame.paddr, &out), cases[i].status);
		EXPECT_STATUS(segment_from_unused(range, &segment), cases[i].status);
		EXPECT_STATUS(unique_frame_from_unused(frame.paddr, NULL, &unique),
			      cases[i].status);
		EXPECT_EQUAL(unique.paddr.value, 1);
		EXPECT_EQUAL(out.paddr.value, 1);
		EXPECT_EQUAL(segment.start.value, 1);
		set_references(frame.paddr, 1);
		frame_drop(&frame);
	}
}
