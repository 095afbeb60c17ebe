/* SPDX-License-Identifier: BSD-3-Clause */
/* What guests on two CPUs can still do while services work behind them. */
#include "dirty_rounds.h"
#include "draw.h"
#include "two_cpus.h"
#include <arch/observe.h>
#include <strata/ageing.h>
#include <strata/dirty_log.h>
#include <strata/migration.h>
#include <strata/write_protect.h>

#define PAGES 768

/* A block and 256 pages behind it, active on both CPUs. */
static void prepare(struct world *world, struct vm_space *space)
{
	static const uint64_t watched[] = { AT(0), AT(3), AT(511), AT(512), AT(767) };

	world_space(world, space);
	map_block_and_pages(world, space, PAGES, watched, COUNT_OF(watched));
}

static bool store(unsigned int cpu, uint64_t page, uint64_t value, struct machine_fault *fault)
{
	return store_on(cpu, AT(page) + 8 * (page % 512), value, fault);
}

TEST(no_store_comes_through_after_write_protection)
{
	struct vm_space space;
	struct cursor cursor;
	struct machine_fault fault;
	uint64_t pages = 0;

	prepare(world, &space);
	for (uint64_t page = 0; page < PAGES; page++)
		EXPECT_TRUE(store(page % 2, page, page, &fault));
	open_at(&space, 0, AT(PAGES), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(AT(3))));
	EXPECT_OK(cursor_write_protect(&cursor, AT(600 - 3), &pages));
	EXPECT_EQUAL(pages, 600 - 3);
	/* The cursor is open still. */
	for (uint64_t page = 0; page < PAGES; page++)
		for (unsigned int cpu = 0; cpu < 2; cpu++)
			EXPECT_EQUAL(store(cpu, page, page, &fault), page < 3 || page >= 600);
	cursor_close(&cursor);
	end_space(&space);
}

/* As a monitor does. */
static void store_logged(struct vm_space *space, struct dirty_log *log, uint32_t random,
			 uint64_t page)
{
	struct machine_fault fault;
	struct cursor cursor;

	if (store(random % 2, page, random, &fault))
		return;
	EXPECT_EQUAL(fault.kind, MACHINE_FAULT_PERMISSION);
	open_at(space, AT(page), PAGE_SIZE, &cursor);
	EXPECT_OK(dirty_log_fault(log, &cursor));
	cursor_close(&cursor);
	EXPECT_TRUE(store(random % 2, page, random, &fault));
}

TEST(dirty_list_is_what_was_written)
{
	struct vm_space space;

	prepare(world, &space);
	expect_stores_listed(&space, PAGES, store_logged);
	for (uint64_t page = 0; page < PAGES; page++) {
		struct machine_fault fault;

		EXPECT_TRUE(store(page % 2, page, 1, &fault));
	}
	end_space(&space);
}

TEST(ageing_sees_every_access)
{
	struct vm_space space;
	struct cursor cursor;
	uint32_t random = 815;

	prepare(world, &space);
	for (unsigned int round = 0; round < 12; round++) {
		uint64_t model[PAGES / 64] = { 0 }, bits[PAGES / 64] = { 0 };
		uint64_t accesses = round == 0 ? 0 : next_random(&random) % 300;
		uint64_t pages = 0, expected = 0;

		for (uint64_t i = 0; i < accesses; i++) {
			uint64_t page = next_random(&random) % PAGES;
			struct machine_fault fault;

			if (!store(next_random(&random) % 2, page, i, &fault)) {
				EXPECT_EQUAL(fault.kind, MACHINE_FAULT_ACCESS_FLAG);
				open_at(&space, AT(page), PAGE_SIZE, &cursor);
				EXPECT_OK(ageing_fault(&cursor));
				cursor_close(&cursor);
				EXPECT_TRUE(store(next_random(&random) % 2, page, i, &fault));
			}
			expected += (model[page / 64] >> page % 64 & 1) == 0;
			model[page / 64] |= UINT64_C(1) << page % 64;
		}
		open_at(&space, 0, AT(PAGES), &cursor);
		EXPECT_OK(cursor_age(&cursor, AT(PAGES), bits, &pages));
		/* The cursor is open still. */
		for (uint64_t page = 0; page < PAGES; page += 51) {
			struct machine_fault fault;

			EXPECT_FALSE(store(1, page, 0, &fault));
			EXPECT_EQUAL(fault.kind, MACHINE_FAULT_ACCESS_FLAG);
		}
		cursor_close(&cursor);
		if (round == 0) /* as it was mapped */
			continue;
		EXPECT_EQUAL(pages, expected);
		for (size_t i = 0; i < COUNT_OF(bits); i++)
			EXPECT_EQUAL(bits[i], model[i]);
	}
	end_space(&space);
}

/* Both CPUs store between moves, with all that they may have cached: no word is lost. */
TEST(migration_loses_no_write)
{
	struct vm_space space;
	struct cursor cursor;
	struct machine_fault fault;
	uint64_t model[PAGES] = { 0 };
	uint32_t random = 99;

	prepare(world, &space);
	for (unsigned int step = 0; step < 400; step++) {
		uint64_t page = next_random(&random) % PAGES;
		frame_t new = world_frame(world), old;
		struct paddr after = new.paddr;
		uint64_t offset = 8 * (page % 512), value = 1 + next_random(&random);

		for (unsigned int cpu = 0; cpu < 2; cpu++)
			EXPECT_TRUE(store(cpu, page, model[page] = value + cpu, &fault));
		open_at(&space, AT(page), PAGE_SIZE, &cursor);
		EXPECT_OK(cursor_migrate(&cursor, &new, &old));
		/* The old frame is out of reach: poison stays. */
		world_write(paddr(old.paddr.value + offset), 0xdead);
		for (unsigned int cpu = 0; cpu < 2; cpu++)
			EXPECT_TRUE(store(cpu, page, model[page] = value + 2 + cpu, &fault));
		EXPECT_EQUAL(world_read(paddr(old.paddr.value + offset)), 0xdead);
		EXPECT_EQUAL(world_read(paddr(after.value + offset)), model[page]);
		cursor_close(&cursor);
		frame_drop(&old);
	}
	for (uint64_t page = 0; page < PAGES; page++) {
		uint64_t value = 0;

		EXPECT_TRUE(machine_guest_load(iaddr(AT(page) + 8 * (page % 512)), &value, &fault));
		EXPECT_EQUAL(value, model[page]);
	}
	end_space(&space);
}

#if STRATA_CHECKED

/* CPU 1 stores, one value after the other, whenever CPU 0 does something. */
static struct {
	uint64_t address;
	uint64_t value;
	uint64_t refused;
	bool lost;
} writer;

static void store_meanwhile(const struct observe_event *event)
{
	struct machine_fault fault;
	uint64_t found;

	(void)event;
	machine_set_cpu(1);
	if (machine_guest_load(iaddr(writer.address), &found, &fault))
		writer.lost |= found != writer.value;
	if (machine_guest_store(iaddr(writer.address), writer.value + 1, &fault))
		writer.value++;
	else
		writer.refused++;
	machine_set_cpu(0);
}

static struct observer writer_between = { .see = store_meanwhile };

TEST(migration_loses_no_write_that_comes_meanwhile)
{
	struct vm_space space;
	struct cursor cursor;
	struct machine_fault fault;
	uint64_t found = 0;

	prepare(world, &space);
	for (uint64_t page = 500; page < 520; page++) {
		frame_t new = world_frame(world), old;

		writer.address = AT(page);
		writer.value = writer.refused = 0;
		open_at(&space, AT(page), PAGE_SIZE, &cursor);
		observe_attach(&writer_between);

		enum mm_status status = cursor_migrate(&cursor, &new, &old);

		observe_detach(&writer_between);
		EXPECT_OK(status);
		cursor_close(&cursor);
		frame_drop(&old);
		EXPECT_FALSE(writer.lost);
		/* Before the break it could, then it could not. */
		EXPECT_TRUE(writer.value > 1 && writer.refused > 0);
		EXPECT_TRUE(machine_guest_load(iaddr(AT(page)), &found, &fault));
		EXPECT_EQUAL(found, writer.value);
	}
	end_space(&space);
}

/* Whatever was stored before the list is taken is on it; nothing is stored unlisted. */
TEST(dirty_list_has_what_is_written_while_it_is_taken)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES)];
	uint64_t list[DIRTY_LIST_WORDS(PAGES)];
	struct dirty_log log;
	struct vm_space space;
	struct cursor cursor;

	prepare(world, &space);
	open_at(&space, 0, AT(PAGES), &cursor);
	EXPECT_OK(dirty_log_start(&cursor, AT(PAGES), words, &log));
	for (uint64_t page = 500; page < 520; page++) {
		EXPECT_OK(cursor_jump(&cursor, iaddr(AT(page))));
		EXPECT_OK(dirty_log_fault(&log, &cursor));
		cursor_flush(&cursor);

		writer.address = AT(page);
		writer.value = writer.refused = 0;
		observe_attach(&writer_between);

		enum mm_status status = dirty_log_take(&log, &cursor, list);
		uint64_t stored = writer.value;

		store_meanwhile(NULL);
		observe_detach(&writer_between);
		EXPECT_OK(status);
		EXPECT_TRUE(stored > 0 && writer.value == stored);
		for (size_t i = 0; i < COUNT_OF(list); i++)
			EXPECT_EQUAL(list[i], i == page / 64 ? UINT64_C(1) << page % 64 : 0);
	}
	cursor_close(&cursor);
	end_space(&space);
}

#endif
