/* SPDX-License-Identifier: BSD-3-Clause */
/* What a CPU sets in a leaf (FEAT_HAFDBS) is kept, whenever it comes; and EL2 sets what a CPU would. */
#include "hardware_flags.h"
#include <strata/ageing.h>
#include <strata/migration.h>
#include <strata/reclaim.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

#define BLOCK_PAGE 7
#define SINGLE_PAGE 600

/* A block, and a page behind it, with @property. */
static void prepare(struct world *world, struct vm_space *space, struct page_property property)
{
	restart_with_hardware_flags(world, true);
	world_space(world, space);
	EXPECT_OK(vm_space_use_hardware_flags(space));
	map_segment_at(world, space, 0, 512, MIB(2), property);
	map_frame_at(world, space, AT(SINGLE_PAGE), property);
	watch_on_two_cpus(space, NULL, 0);
}

#if STRATA_CHECKED

/* CPU 1 stores to a page in the moment before the nth descriptor is written. */
static struct {
	uint64_t page;
	unsigned int left;
	bool stored;
} late_store;

static void store_once(const struct observe_event *event)
{
	if (event->kind != OBSERVE_DESCRIPTOR_WRITE || late_store.left == 0 ||
	    --late_store.left != 0)
		return;
	late_store.stored = guest_store(1, late_store.page);
}

static struct observer writer_between = { .see = store_once };

static void store_before_write(uint64_t page, unsigned int nth)
{
	late_store.page = page;
	late_store.left = nth;
	late_store.stored = false;
	observe_attach(&writer_between);
}

static void receive(const struct reclaimed_page *page, void *context)
{
	frame_t frame = page->frame;

	*(struct page_property *)context = page->property;
	frame_drop(&frame);
}

enum change { RECLAIM, MIGRATE, CHANGES };

/* What the change says of the page it took, or left there. */
static struct page_property property_after(struct world *world, struct cursor *cursor,
					   enum change change)
{
	struct page_property property = { 0, 0 };
	struct cursor_item item;
	uint64_t taken;
	frame_t new, old;

	if (change == RECLAIM) {
		EXPECT_OK(cursor_reclaim(cursor, PAGE_SIZE, 1, receive, &property, &taken));
		EXPECT_EQUAL(taken, 1);
		return property;
	}
	new = world_frame(world);
	EXPECT_OK(cursor_migrate(cursor, &new, &old));
	frame_drop(&old);
	EXPECT_OK(cursor_jump(cursor, iaddr(cursor_virt_addr(cursor).value - PAGE_SIZE)));
	EXPECT_OK(cursor_peek(cursor, &item));
	return item.property;
}

/*
 * Who takes a page out, or puts another in its place, says of it what it was when it went: a flag that a
 * CPU sets after the page was looked at, and before it is gone, is there.
 */
TEST(flags_set_between_look_and_removal_are_kept)
{
	static const uint64_t pages[] = { BLOCK_PAGE, SINGLE_PAGE };
	const struct page_property properties[] = { CLEAN, NOT_ACCESSED };

	for (unsigned int i = 0; i < COUNT_OF(properties) * COUNT_OF(pages) * CHANGES; i++) {
		const uint64_t page = pages[i / CHANGES % COUNT_OF(pages)];
		const enum change change = i % CHANGES;

		for (unsigned int nth = 1;; nth++) {
			struct vm_space space;
			struct cursor cursor;

			prepare(world, &space, properties[i / CHANGES / COUNT_OF(pages)]);
			open_at(&space, AT(page), PAGE_SIZE, &cursor);
			store_before_write(page, nth);

			struct page_property after = property_after(world, &cursor, change);
			const bool comes_too_late = late_store.left != 0;

			observe_detach(&writer_between);
			if (late_store.stored)
				EXPECT_EQUAL(after.flags & (PAGE_WRITE | PAGE_ACCESSED),
					     PAGE_WRITE | PAGE_ACCESSED);
			EXPECT_TRUE(nth > 1 || late_store.stored);
			cursor_close(&cursor);
			end_space(&space);
			if (comes_too_late)
				break;
		}
	}
}

/* A block that a CPU sets the flag of, just before it is split to set the flag of one page, is
 * one again. */
TEST(block_accessed_just_before_its_fault_is_served_stays_whole)
{
	struct vm_space space;
	struct cursor cursor;

	prepare(world, &space, NOT_ACCESSED);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(BLOCK_PAGE))));
	store_before_write(BLOCK_PAGE, 1);
	EXPECT_OK(ageing_fault(&cursor));
	observe_detach(&writer_between);
	EXPECT_TRUE(late_store.stored);
	cursor_close(&cursor);
	EXPECT_EQUAL(irange_size(item_at(&space, AT(BLOCK_PAGE)).range), MIB(2));
	EXPECT_EQUAL(item_at(&space, AT(BLOCK_PAGE)).property.flags, READ_WRITE.flags);
	end_space(&space);
}

#endif

static struct page_property count_questions(struct page_property property, void *context)
{
	(*(unsigned int *)context)++;
	property.flags &= (uint8_t)~PAGE_EXECUTE;
	return property;
}

/* Each property is asked about once: the one that is there, and those that a CPU may make of it. */
TEST(property_is_asked_about_once_whoever_keeps_flags)
{
	static const struct {
		uint8_t flags;
		unsigned int questions;
	} cases[] = {
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, 1 },
		{ PAGE_READ | PAGE_WRITE, 2 },
		{ PAGE_READ | PAGE_ACCESSED | PAGE_DIRTY_STATE, 2 },
		{ PAGE_READ | PAGE_DIRTY_STATE, 4 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vm_space space;
		struct cursor cursor;
		unsigned int questions = 0;

		prepare(world, &space, page_property(cases[i].flags, CACHE_WRITEBACK));
		open_at(&space, AT(SINGLE_PAGE), PAGE_SIZE, &cursor);
		EXPECT_OK(
			cursor_protect_next(&cursor, PAGE_SIZE, count_questions, &questions, NULL));
		cursor_close(&cursor);
		EXPECT_EQUAL(questions, cases[i].questions);
		end_space(&space);
	}
}

/* What EL2 reads and writes in a guest's place is accessed and dirty as if the guest had done it. */
TEST(transfers_set_the_flags_that_a_cpu_would)
{
	const struct page_property properties[] = {
		CLEAN, NOT_ACCESSED, page_property(PAGE_READ | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
	};
	static const uint64_t pages[] = { BLOCK_PAGE, SINGLE_PAGE };

	for (size_t i = 0; i < COUNT_OF(properties); i++) {
		struct vm_space space;

		prepare(world, &space, properties[i]);
		for (size_t j = 0; j < COUNT_OF(pages); j++) {
			struct vm_reader reader;
			struct vm_writer writer;
			uint64_t value = 0;

			EXPECT_OK(vm_reader_from_space(&space, iaddr(AT(pages[j])), 8, &reader));
			EXPECT_OK(vm_writer_from_space(&space, iaddr(AT(pages[j])), 8, &writer));
			EXPECT_OK(vm_reader_read_val(&reader, &value, sizeof(value)));
			EXPECT_EQUAL(item_at(&space, AT(pages[j])).property.flags,
				     properties[i].flags | PAGE_ACCESSED);
			EXPECT_OK(vm_writer_write_val(&writer, &value, sizeof(value)));
			EXPECT_EQUAL(item_at(&space, AT(pages[j])).property.flags,
				     properties[i].flags | PAGE_ACCESSED | PAGE_WRITE);
		}
		end_space(&space);
	}
}

/* EL2 sets no more than a CPU would: without PAGE_DIRTY_STATE a page that is read-only stays so. */
TEST(transfers_to_a_read_only_page_fault_whoever_keeps_flags)
{
	struct vm_space space;
	struct vm_writer writer;
	uint64_t value = 1;

	prepare(world, &space, page_property(PAGE_READ, CACHE_WRITEBACK));
	EXPECT_OK(vm_writer_from_space(&space, iaddr(AT(SINGLE_PAGE)), 8, &writer));
	EXPECT_STATUS(vm_writer_write_val(&writer, &value, sizeof(value)), MM_PAGE_FAULT);
	EXPECT_EQUAL(item_at(&space, AT(SINGLE_PAGE)).property.flags & PAGE_WRITE, 0);
	end_space(&space);
}
