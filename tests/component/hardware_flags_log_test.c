/* SPDX-License-Identifier: BSD-3-Clause */
/* Dirty logs that hardware writes: what is theirs, and what they leave alone. */
#include "hardware_flags.h"
#include <strata/dirty_log.h>
#include <strata/fault.h>

#define PAGES 512

/* 4 MiB of a space whose CPUs keep flags, and a cursor on it. */
static void prepare(struct world *world, struct vm_space *space, struct cursor *cursor)
{
	restart_with_hardware_flags(world, true);
	world_space(world, space);
	EXPECT_OK(vm_space_use_hardware_flags(space));
	open_at(space, 0, MIB(4), cursor);
}

static void map_here(struct world *world, struct cursor *cursor, uint64_t page,
		     struct page_property property)
{
	frame_t frame = world_frame(world);

	EXPECT_OK(cursor_jump(cursor, iaddr(AT(page))));
	EXPECT_OK(cursor_map(cursor, &frame, property));
}

static void map_block_here(struct world *world, struct cursor *cursor,
			   struct page_property property)
{
	struct segment segment = world_segment(world, PAGES, MIB(2));

	EXPECT_OK(cursor_jump(cursor, iaddr(0)));
	EXPECT_OK(cursor_map_segment(cursor, &segment, property));
}

static struct cursor_item look(struct cursor *cursor, uint64_t page)
{
	struct cursor_item item;

	EXPECT_OK(cursor_jump(cursor, iaddr(AT(page))));
	EXPECT_OK(cursor_peek(cursor, &item));
	EXPECT_TRUE(item.mapped);
	return item;
}

static void start(struct cursor *cursor, uint64_t pages, _Atomic uint64_t *words,
		  struct dirty_log *log)
{
	EXPECT_OK(cursor_jump(cursor, iaddr(0)));
	EXPECT_OK(dirty_log_start(cursor, AT(pages), words, log));
}

static void end(struct vm_space *space, struct cursor *cursor)
{
	cursor_close(cursor);
	EXPECT_OK(vm_space_destroy(space));
}

/* Dirty state that somebody else keeps is not taken over, nor is anything else of the range changed. */
TEST(dirty_log_by_hardware_does_not_begin_on_dirty_state)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES + 2)], others[DIRTY_LOG_WORDS(1)];
	struct dirty_log log = { 0 }, other = { 0 };
	struct vm_space space;
	struct cursor cursor;

	prepare(world, &space, &cursor);
	map_block_here(world, &cursor, READ_WRITE);
	map_here(world, &cursor, PAGES + 1, CLEAN);
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_STATUS(dirty_log_start(&cursor, AT(PAGES + 2), words, &log), MM_IN_USE);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_EQUAL(irange_size(look(&cursor, 0).range), MIB(2));
	EXPECT_EQUAL(look(&cursor, 0).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(look(&cursor, PAGES + 1).property.flags, CLEAN.flags);

	/* Another log's as well. */
	start(&cursor, PAGES, words, &log);
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(1))));
	EXPECT_STATUS(dirty_log_start(&cursor, AT(1), others, &other), MM_IN_USE);
	EXPECT_OK(dirty_log_stop(&log, &cursor));
	EXPECT_EQUAL(look(&cursor, 1).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(look(&cursor, PAGES + 1).property.flags, CLEAN.flags);
	end(&space, &cursor);
}

/* A page that the log never took, nor adopted, is as it was mapped when the log ends. */
TEST(dirty_log_by_hardware_gives_only_where_it_took)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(8)];
	struct dirty_log log;
	struct vm_space space;
	struct cursor cursor;
	struct page_property read_only = READ_ONLY;

	prepare(world, &space, &cursor);
	map_here(world, &cursor, 0, READ_WRITE);
	map_here(world, &cursor, 1, READ_ONLY);
	map_here(world, &cursor, 2, READ_WRITE);
	start(&cursor, 8, words, &log);
	EXPECT_EQUAL(look(&cursor, 0).property.flags, CLEAN.flags);
	EXPECT_EQUAL(look(&cursor, 1).property.flags, READ_ONLY.flags);

	map_here(world, &cursor, 3, CLEAN);
	map_here(world, &cursor, 4, dirty_log_adopt(&log, iaddr(AT(4)), READ_WRITE));
	map_here(world, &cursor, 5, dirty_log_adopt(&log, iaddr(AT(5)), CLEAN));
	map_here(world, &cursor, 6, dirty_log_adopt(&log, iaddr(AT(6)), READ_ONLY));

	/* What can be written to no more is not the log's to let be written. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(2))));
	EXPECT_OK(cursor_protect(&cursor, PAGE_SIZE, become, &read_only, NULL));
	for (uint64_t page = 0; page < 8; page++) {
		static const enum mm_status expected[] = {
			MM_OK, MM_ACCESS_DENIED, MM_ACCESS_DENIED, MM_ACCESS_DENIED, MM_OK,
			MM_OK, MM_ACCESS_DENIED, MM_ACCESS_DENIED
		};

		EXPECT_OK(cursor_jump(&cursor, iaddr(AT(page))));
		EXPECT_STATUS(dirty_log_fault(&log, &cursor), expected[page]);
	}
	EXPECT_OK(dirty_log_stop(&log, &cursor));
	EXPECT_EQUAL(look(&cursor, 0).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(look(&cursor, 1).property.flags, READ_ONLY.flags);
	EXPECT_EQUAL(look(&cursor, 2).property.flags, READ_ONLY.flags);
	EXPECT_EQUAL(look(&cursor, 3).property.flags, CLEAN.flags);
	EXPECT_EQUAL(look(&cursor, 4).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(look(&cursor, 5).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(look(&cursor, 6).property.flags, READ_ONLY.flags);
	end(&space, &cursor);
}

#if STRATA_CHECKED

/* A block, mapped while the log runs where it took all pages but one, is cut, or all stays as it was. */
TEST(dirty_log_by_hardware_that_cannot_end_runs_on)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES)];
	struct page_property read_only = READ_ONLY;
	struct dirty_log log;
	struct vm_space space;
	struct cursor cursor;

	prepare(world, &space, &cursor);
	map_block_here(world, &cursor, READ_WRITE);
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(3))));
	EXPECT_OK(cursor_protect(&cursor, PAGE_SIZE, become, &read_only, NULL));
	start(&cursor, PAGES, words, &log);
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, MIB(2), NULL));
	map_block_here(world, &cursor, dirty_log_adopt(&log, iaddr(0), READ_WRITE));

	mm_fail_allocation(1);
	EXPECT_STATUS(dirty_log_stop(&log, &cursor), MM_NO_MEMORY);
	mm_fail_allocation(0);
	EXPECT_EQUAL(irange_size(look(&cursor, 0).range), MIB(2));
	EXPECT_EQUAL(look(&cursor, 0).property.flags, CLEAN.flags);

	EXPECT_OK(dirty_log_stop(&log, &cursor));
	for (uint64_t page = 0; page < PAGES; page++)
		EXPECT_EQUAL(look(&cursor, page).property.flags,
			     page == 3 ? CLEAN.flags : READ_WRITE.flags);
	end(&space, &cursor);
}

#endif

/* Flags are not handed to the hardware under a log that works by faults. */
TEST(hardware_flags_wait_for_the_end_of_a_log)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(1)];
	struct dirty_log log;
	struct vm_space space;
	struct cursor cursor;

	restart_with_hardware_flags(world, true);
	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_WRITE);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(dirty_log_start(&cursor, PAGE_SIZE, words, &log));
	cursor_close(&cursor);
	EXPECT_STATUS(vm_space_use_hardware_flags(&space), MM_BUSY);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(dirty_log_stop(&log, &cursor));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_use_hardware_flags(&space));
	EXPECT_OK(vm_space_destroy(&space));
}

/* A log of one space is not served, taken or ended by a cursor on another; @by_hardware or by faults. */
static void try_other_space(struct world *world, bool by_hardware)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(2)];
	uint64_t list[DIRTY_LIST_WORDS(2)] = { 77 };
	struct dirty_log log;
	struct vm_space spaces[2];
	struct cursor cursors[2];

	restart_with_hardware_flags(world, true);
	for (unsigned int i = 0; i < 2; i++) {
		world_space(world, &spaces[i]);
		if (by_hardware)
			EXPECT_OK(vm_space_use_hardware_flags(&spaces[i]));
		map_frame_at(world, &spaces[i], 0, i == 0 ? READ_WRITE : READ_ONLY);
		open_at(&spaces[i], 0, AT(2), &cursors[i]);
	}
	start(&cursors[0], 2, words, &log);
	EXPECT_STATUS(dirty_log_fault(&log, &cursors[1]), MM_INVALID_ARGS);
	EXPECT_STATUS(dirty_log_take(&log, &cursors[1], list), MM_INVALID_ARGS);
	EXPECT_STATUS(dirty_log_stop(&log, &cursors[1]), MM_INVALID_ARGS);
	EXPECT_EQUAL(list[0], 77);
	EXPECT_EQUAL(cursor_virt_addr(&cursors[1]).value, 0);
	EXPECT_EQUAL(look(&cursors[1], 0).property.flags, READ_ONLY.flags);

	EXPECT_OK(cursor_jump(&cursors[0], iaddr(0)));
	EXPECT_OK(dirty_log_fault(&log, &cursors[0]));
	EXPECT_OK(dirty_log_take(&log, &cursors[0], list));
	EXPECT_EQUAL(list[0], 1);
	EXPECT_OK(dirty_log_stop(&log, &cursors[0]));
	EXPECT_EQUAL(look(&cursors[0], 0).property.flags, READ_WRITE.flags);
	for (unsigned int i = 0; i < 2; i++)
		end(&spaces[i], &cursors[i]);
}

TEST(dirty_log_of_another_space_is_refused)
{
	try_other_space(world, false);
	try_other_space(world, true);
}
