/* SPDX-License-Identifier: BSD-3-Clause */
/* Accessed and dirty pages as the hardware tells them (FEAT_HAFDBS), on two CPUs that write meanwhile. */
#include "dirty_rounds.h"
#include "hardware_flags.h"
#include <strata/ageing.h>
#include <strata/dirty_log.h>
#include <strata/write_protect.h>

#define PAGES 768

/* A block and 256 pages behind it, active on both CPUs. */
static void prepare(struct world *world, struct vm_space *space)
{
	static const uint64_t watched[] = { AT(3), AT(511), AT(512) };

	restart_with_hardware_flags(world, true);
	world_space(world, space);
	EXPECT_OK(vm_space_use_hardware_flags(space));
	map_block_and_pages(world, space, PAGES, watched, COUNT_OF(watched));
}

TEST(hardware_flags_are_refused_where_they_cannot_be)
{
	struct page_property clean =
		page_property(PAGE_READ | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK);
	struct vm_space space;
	struct cursor cursor;
	frame_t frame;

	restart_with_hardware_flags(world, false);
	world_space(world, &space);
	EXPECT_STATUS(vm_space_use_hardware_flags(&space), MM_NOT_SUPPORTED);
	EXPECT_STATUS(vm_space_use_hardware_flags(world_el2_space(world)), MM_INVALID_ARGS);
	EXPECT_OK(vm_space_destroy(&space));

	restart_with_hardware_flags(world, true);
	world_space(world, &space);
	frame = world_frame(world);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_STATUS(vm_space_use_hardware_flags(&space), MM_BUSY);
	EXPECT_STATUS(cursor_map(&cursor, &frame, clean), MM_NOT_SUPPORTED);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_activate(&space));
	vm_space_deactivate();
	EXPECT_STATUS(vm_space_use_hardware_flags(&space), MM_BUSY);
	EXPECT_OK(vm_space_destroy(&space));

	world_space(world, &space);
	EXPECT_OK(vm_space_use_hardware_flags(&space));
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, clean));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

static void store_without_fault(struct vm_space *space, struct dirty_log *log, uint32_t random,
				uint64_t page)
{
	(void)space;
	(void)log;
	EXPECT_TRUE(guest_store(random % 2, page));
}

/* No fault is taken, and exactly the pages written since are listed, blocks and all. */
TEST(dirty_list_by_hardware_is_what_was_written)
{
	struct vm_space space;

	prepare(world, &space);
	expect_stores_listed(&space, PAGES, store_without_fault);
	expect_mapped(&space, AT(3), item_at(&space, AT(3)).output.value + AT(3), MIB(2),
		      READ_WRITE);
	end_space(&space);
}

/* What is unmapped, replaced or protected while it is dirty is on the list. */
TEST(dirty_list_by_hardware_has_what_went_meanwhile)
{
	static const uint64_t pages[] = { 20, 21, 30, 600, 610 };
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES)];
	uint64_t list[DIRTY_LIST_WORDS(PAGES)];
	uint64_t model[DIRTY_LIST_WORDS(PAGES)] = { 0 };
	struct page_property read_only = READ_ONLY;
	struct dirty_log log;
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	frame_t frame;

	prepare(world, &space);
	frame = world_frame(world);
	open_at(&space, 0, MIB(4), &cursor);
	EXPECT_OK(dirty_log_start(&cursor, AT(PAGES), words, &log));
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		EXPECT_TRUE(guest_store(1, pages[i]));
		model[pages[i] / 64] |= UINT64_C(1) << pages[i] % 64;
	}
	/* The hypervisor's own write is served like a fault. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(40))));
	EXPECT_OK(dirty_log_fault(&log, &cursor));
	EXPECT_OK(cursor_peek(&cursor, &item));
	EXPECT_EQUAL(item.property.flags, READ_WRITE.flags | PAGE_DIRTY_STATE);
	model[0] |= UINT64_C(1) << 40;
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(20))));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_OK(cursor_write_protect(&cursor, PAGE_SIZE, NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(30))));
	EXPECT_OK(cursor_protect_next(&cursor, PAGE_SIZE, become, &read_only, NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(600))));
	EXPECT_OK(cursor_replace(&cursor, &frame, READ_ONLY));
	/* A table as a whole. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(512))));
	EXPECT_OK(cursor_unmap(&cursor, MIB(2), NULL));
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	for (size_t i = 0; i < COUNT_OF(list); i++)
		EXPECT_EQUAL(list[i], model[i]);
	EXPECT_FALSE(guest_store(0, 20));
	EXPECT_FALSE(guest_store(0, 21));
	EXPECT_FALSE(guest_store(1, 30));
	EXPECT_OK(dirty_log_stop(&log, &cursor));
	cursor_close(&cursor);
	end_space(&space);
}

TEST(ageing_by_hardware_takes_no_fault)
{
	struct vm_space space;
	struct cursor cursor;
	uint64_t bits[PAGES / 64], pages = 0;

	prepare(world, &space);
	machine_watch_nothing();
	open_at(&space, 0, AT(PAGES), &cursor);
	EXPECT_OK(cursor_age(&cursor, AT(PAGES), NULL, &pages));
	for (uint64_t page = 512; page < PAGES; page += 7)
		EXPECT_TRUE(guest_store(page % 2, page));
	for (size_t i = 0; i < COUNT_OF(bits); i++)
		bits[i] = 0;
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_age(&cursor, AT(PAGES), bits, &pages));
	cursor_close(&cursor);
	EXPECT_EQUAL(pages, (PAGES - 512 + 6) / 7);
	for (uint64_t page = 512; page < PAGES; page++)
		EXPECT_EQUAL(bits[page / 64] >> page % 64 & 1, (page - 512) % 7 == 0);
	end_space(&space);
}

#if STRATA_CHECKED

/* CPU 1 stores to one page whenever CPU 0 does something. */
static struct {
	uint64_t page;
	uint64_t stored;
} writer;

static void store_meanwhile(const struct observe_event *event)
{
	(void)event;
	writer.stored += guest_store(1, writer.page);
}

static struct observer writer_between = { .see = store_meanwhile };

/*
 * A store at any step of a change is listed, whatever the change: what was stored before the list is
 * taken is on it, or dirty still.
 */
TEST(dirty_list_by_hardware_loses_no_write_that_comes_meanwhile)
{
	enum { TAKE, UNMAP, PROTECT, REPLACE, AGE, CHANGES };
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES)];
	uint64_t list[DIRTY_LIST_WORDS(PAGES)], again[DIRTY_LIST_WORDS(PAGES)];
	struct page_property read_only = READ_ONLY;

	for (int change = TAKE; change < CHANGES; change++) {
		struct dirty_log log;
		struct vm_space space;
		struct cursor cursor;
		frame_t frame;

		prepare(world, &space);
		frame = world_frame(world);
		open_at(&space, 0, MIB(4), &cursor);
		EXPECT_OK(dirty_log_start(&cursor, AT(PAGES), words, &log));
		writer.page = change == UNMAP ? 600 : 77;
		writer.stored = change == TAKE && guest_store(1, writer.page);
		EXPECT_OK(cursor_jump(&cursor, iaddr(AT(writer.page))));
		observe_attach(&writer_between);
		switch (change) {
		case UNMAP:
			EXPECT_OK(cursor_jump(&cursor, iaddr(AT(512))));
			EXPECT_OK(cursor_unmap(&cursor, MIB(2), NULL));
			break;
		case PROTECT:
			EXPECT_OK(cursor_protect(&cursor, PAGE_SIZE, become, &read_only, NULL));
			break;
		case REPLACE:
			EXPECT_OK(cursor_replace(&cursor, &frame, READ_ONLY));
			break;
		case AGE:
			EXPECT_OK(cursor_age(&cursor, PAGE_SIZE, NULL, NULL));
			break;
		default:
			EXPECT_OK(dirty_log_take(&log, &cursor, list));
		}
		cursor_flush(&cursor);
		observe_detach(&writer_between);
		if (change != REPLACE)
			frame_drop(&frame);
		if (change != TAKE)
			for (size_t i = 0; i < COUNT_OF(list); i++)
				list[i] = 0;
		EXPECT_OK(dirty_log_take(&log, &cursor, again));
		EXPECT_TRUE(writer.stored > 0);
		for (size_t i = 0; i < COUNT_OF(list); i++)
			EXPECT_EQUAL(list[i] | again[i],
				     i == writer.page / 64 ? UINT64_C(1) << writer.page % 64 : 0);
		EXPECT_OK(dirty_log_stop(&log, &cursor));
		cursor_close(&cursor);
		end_space(&space);
	}
}

#endif
