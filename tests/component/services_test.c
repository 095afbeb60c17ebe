/* SPDX-License-Identifier: BSD-3-Clause */
/* What services say and leave in the tables: on every machine. */
#include "mapping.h"
#include <strata/ageing.h>
#include <strata/dirty_log.h>
#include <strata/fault.h>
#include <strata/migration.h>
#include <strata/reclaim.h>
#include <strata/write_protect.h>

#define PAGES(n) ((uint64_t)(n)*PAGE_SIZE)

/* A 2 MiB block at 0, pages of their own behind a hole, in a space that a cursor holds 6 MiB of. */
static void prepare(struct world *world, struct vm_space *space, struct cursor *cursor)
{
	world_space(world, space);
	map_segment_at(world, space, 0, 512, MIB(2), READ_WRITE);
	map_frame_at(world, space, MIB(4), READ_WRITE);
	map_frame_at(world, space, MIB(4) + PAGES(1), READ_ONLY);
	map_frame_at(world, space, MIB(4) + PAGES(3), READ_WRITE);
	open_at(space, 0, MIB(6), cursor);
}

static void end(struct vm_space *space, struct cursor *cursor)
{
	cursor_close(cursor);
	EXPECT_OK(vm_space_destroy(space));
}

static uint8_t flags_at(struct cursor *cursor, uint64_t ia)
{
	struct iaddr before = cursor_virt_addr(cursor);
	struct cursor_item item;

	EXPECT_OK(cursor_jump(cursor, iaddr(ia)));
	EXPECT_OK(cursor_peek(cursor, &item));
	EXPECT_OK(cursor_jump(cursor, before));
	return item.mapped ? item.property.flags : 0;
}

/* Write protection counts what could be written, and cuts a block only at the edges. */
TEST(write_protect_takes_write_from_exactly_the_range)
{
	struct vm_space space;
	struct cursor cursor;
	uint64_t pages = 0;

	prepare(world, &space, &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(5))));
	EXPECT_OK(cursor_write_protect(&cursor, MIB(4) + PAGES(3) - PAGES(5), &pages));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4) + PAGES(3));
	EXPECT_EQUAL(pages, 512 - 5 + 1);
	for (uint64_t page = 0; page < 512; page++)
		EXPECT_EQUAL(flags_at(&cursor, PAGES(page)) & PAGE_WRITE,
			     page < 5 ? PAGE_WRITE : 0);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4)), PAGE_READ | PAGE_ACCESSED);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4) + PAGES(3)), PAGE_READ | PAGE_WRITE | PAGE_ACCESSED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(5))));
	EXPECT_OK(cursor_write_protect(&cursor, MIB(2), &pages));
	EXPECT_EQUAL(pages, 0);
	end(&space, &cursor);
}

TEST(services_refuse_bad_ranges_and_cursors)
{
	struct vm_space space;
	struct cursor cursor;
	_Atomic uint64_t words[DIRTY_LOG_WORDS(1536)];
	struct dirty_log log = { 0 };
	uint64_t list[DIRTY_LIST_WORDS(1536)];
	uint64_t pages = 77;
	frame_t new = world_frame(world), old;

	prepare(world, &space, &cursor);
	EXPECT_STATUS(cursor_write_protect(&cursor, 5, &pages), MM_NOT_ALIGNED);
	EXPECT_STATUS(cursor_write_protect(&cursor, MIB(8), &pages), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_age(&cursor, 5, NULL, &pages), MM_NOT_ALIGNED);
	EXPECT_STATUS(cursor_age(&cursor, MIB(8), NULL, &pages), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_reclaim(&cursor, MIB(8), 1, NULL, NULL, &pages), MM_OUT_OF_BOUND);
	EXPECT_STATUS(dirty_log_start(&cursor, 5, words, &log), MM_NOT_ALIGNED);
	EXPECT_STATUS(dirty_log_start(&cursor, 0, words, &log), MM_INVALID_ARGS);
	EXPECT_STATUS(dirty_log_start(&cursor, MIB(8), words, &log), MM_OUT_OF_BOUND);
	EXPECT_STATUS(dirty_log_fault(&log, &cursor), MM_ACCESS_DENIED);
	EXPECT_STATUS(dirty_log_take(&log, &cursor, list), MM_OUT_OF_BOUND);
	EXPECT_STATUS(dirty_log_stop(&log, &cursor), MM_OUT_OF_BOUND);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(3))));
	EXPECT_STATUS(ageing_fault(&cursor), MM_NOT_MAPPED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(3));
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_NOT_MAPPED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(6))));
	EXPECT_STATUS(ageing_fault(&cursor), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_OUT_OF_BOUND);
	EXPECT_STATUS(dirty_log_fault(&log, &cursor), MM_OUT_OF_BOUND);
	cursor_close(&cursor);

	EXPECT_OK(cursor_open(&space, span(0, MIB(6)), CURSOR_READ_ONLY, &cursor));
	EXPECT_STATUS(cursor_write_protect(&cursor, MIB(2), &pages), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_age(&cursor, MIB(2), NULL, &pages), MM_ACCESS_DENIED);
	EXPECT_STATUS(ageing_fault(&cursor), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_reclaim(&cursor, MIB(2), 1, NULL, NULL, &pages), MM_ACCESS_DENIED);
	EXPECT_STATUS(dirty_log_start(&cursor, MIB(2), words, &log), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_ACCESS_DENIED);
	EXPECT_EQUAL(pages, 77);
	EXPECT_EQUAL(frame_reference_count(&new), 1);
	frame_drop(&new);
	end(&space, &cursor);
}

/* A page that was read-only before stays so, and its fault is not the log's. */
TEST(dirty_log_gives_back_only_what_it_took)
{
	struct vm_space space;
	struct cursor cursor;
	_Atomic uint64_t words[DIRTY_LOG_WORDS(1536)];
	uint64_t list[DIRTY_LIST_WORDS(1536)];
	struct dirty_log log;

	prepare(world, &space, &cursor);
	EXPECT_OK(dirty_log_start(&cursor, MIB(6), words, &log));
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(7))));
	EXPECT_OK(dirty_log_fault(&log, &cursor));
	EXPECT_OK(dirty_log_fault(&log, &cursor));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, PAGES(7));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4) + PAGES(1))));
	EXPECT_STATUS(dirty_log_fault(&log, &cursor), MM_ACCESS_DENIED);
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	for (size_t i = 0; i < COUNT_OF(list); i++)
		EXPECT_EQUAL(list[i], i == 0 ? 1 << 7 : 0);
	EXPECT_EQUAL(flags_at(&cursor, PAGES(7)), PAGE_READ | PAGE_ACCESSED);

	/* What is mapped for writing meanwhile counts as written; what is adopted does not. */
	struct page_property adopted = dirty_log_adopt(&log, iaddr(MIB(4) + PAGES(8)), READ_WRITE);
	frame_t frame = world_frame(world);
	frame_t other = world_frame(world);

	EXPECT_EQUAL(adopted.flags, PAGE_READ | PAGE_ACCESSED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4) + PAGES(8))));
	EXPECT_OK(cursor_map(&cursor, &frame, adopted));
	EXPECT_OK(cursor_map(&cursor, &other, READ_WRITE));
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	for (size_t i = 0; i < COUNT_OF(list); i++)
		EXPECT_EQUAL(list[i], i == 16 ? 1 << 9 : 0);

	/* A page that went after it was written is on the list; then it is not the log's to serve. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4) + PAGES(3))));
	EXPECT_OK(dirty_log_fault(&log, &cursor));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4) + PAGES(3))));
	EXPECT_STATUS(dirty_log_fault(&log, &cursor), MM_NOT_MAPPED);
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	for (size_t i = 0; i < COUNT_OF(list); i++)
		EXPECT_EQUAL(list[i], i == 16 ? 1 << 3 : 0);

	EXPECT_OK(dirty_log_stop(&log, &cursor));
	EXPECT_EQUAL(flags_at(&cursor, 0) & PAGE_WRITE, PAGE_WRITE);
	EXPECT_EQUAL(flags_at(&cursor, PAGES(7)) & PAGE_WRITE, PAGE_WRITE);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4) + PAGES(1)) & PAGE_WRITE, 0);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4) + PAGES(8)) & PAGE_WRITE, PAGE_WRITE);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4) + PAGES(9)) & PAGE_WRITE, PAGE_WRITE);
	end(&space, &cursor);
}

TEST(ageing_tells_exactly_what_was_accessed)
{
	struct vm_space space;
	struct cursor cursor;
	uint64_t bits[1536 / 64] = { 0 };
	uint64_t pages = 0;

	prepare(world, &space, &cursor);
	EXPECT_OK(cursor_age(&cursor, MIB(6), bits, &pages));
	EXPECT_EQUAL(pages, 512 + 3);
	EXPECT_EQUAL(bits[7], UINT64_MAX);
	EXPECT_EQUAL(bits[8], 0);
	EXPECT_EQUAL(bits[16], 1 | 1 << 1 | 1 << 3);
	EXPECT_EQUAL(flags_at(&cursor, MIB(1)), PAGE_READ | PAGE_WRITE);

	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(65))));
	EXPECT_OK(ageing_fault(&cursor));
	EXPECT_OK(ageing_fault(&cursor));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, PAGES(65));
	for (size_t i = 0; i < COUNT_OF(bits); i++)
		bits[i] = 0;
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(1))));
	EXPECT_OK(cursor_age(&cursor, MIB(4), bits, &pages));
	EXPECT_EQUAL(pages, 1);
	for (size_t i = 0; i < COUNT_OF(bits); i++)
		EXPECT_EQUAL(bits[i], i == 1 ? 1 : 0);
	EXPECT_EQUAL(flags_at(&cursor, PAGES(65)), PAGE_READ | PAGE_WRITE);
	end(&space, &cursor);
}

TEST(migration_takes_the_content_along)
{
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	frame_t new = world_frame(world), old, shared;

	prepare(world, &space, &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(9))));
	EXPECT_OK(cursor_query(&cursor, &item, &shared));
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_IN_USE);
	world_write(paddr(shared.paddr.value + 8), 0x1234);

	struct paddr before = shared.paddr, after = new.paddr;

	frame_drop(&shared);
	EXPECT_OK(cursor_migrate(&cursor, &new, &old));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, PAGES(10));
	EXPECT_EQUAL(old.paddr.value, before.value);
	EXPECT_EQUAL(frame_reference_count(&old), 1);
	EXPECT_EQUAL(world_read(paddr(after.value + 8)), 0x1234);
	EXPECT_EQUAL(references_of(after), 1);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(9))));
	EXPECT_OK(cursor_peek(&cursor, &item));
	EXPECT_EQUAL(item.output.value, after.value);
	EXPECT_EQUAL(item.property.flags, READ_WRITE.flags);
	frame_drop(&old);
	end(&space, &cursor);
}

TEST(migration_refuses_what_it_cannot_copy)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t new = world_frame(world), old;

	world_space(world, &space);
	map_iomem_at(&space, NO_MEMORY_BASE & (GIB(1) - 1), NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	map_frame_at(world, &space, PAGES(1),
		     page_property(PAGE_READ | PAGE_ACCESSED, CACHE_UNCACHED));
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_ACCESS_DENIED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(1))));
	EXPECT_STATUS(cursor_migrate(&cursor, &new, &old), MM_NOT_SUPPORTED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, PAGES(1));
	frame_drop(&new);
	end(&space, &cursor);
}

struct received {
	uint64_t count;
	uint64_t cold;
	uint64_t last;
	bool out_of_order;
};

static void receive(const struct reclaimed_page *page, void *context)
{
	struct received *received = context;
	frame_t frame = page->frame;
	bool cold = !(page->property.flags & PAGE_ACCESSED);

	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	received->out_of_order |= cold && received->count != received->cold;
	received->out_of_order |= cold && received->cold > 0 && page->page.value <= received->last;
	received->count++;
	received->cold += cold;
	received->last = page->page.value;
	frame_drop(&frame);
}

TEST(reclaim_takes_cold_pages_first)
{
	struct vm_space space;
	struct cursor cursor;
	struct received received = { 0 };
	uint64_t taken = 0;

	prepare(world, &space, &cursor);
	EXPECT_OK(cursor_age(&cursor, MIB(6), NULL, NULL));
	for (uint64_t page = 0; page < 512; page += 2) {
		EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(page))));
		EXPECT_OK(ageing_fault(&cursor));
	}
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_reclaim(&cursor, MIB(6), 100, receive, &received, &taken));
	EXPECT_EQUAL(taken, 100);
	EXPECT_EQUAL(received.cold, 100);
	EXPECT_EQUAL(received.last, PAGES(199));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_OK(cursor_reclaim(&cursor, MIB(6), 200, receive, &received, &taken));
	EXPECT_EQUAL(taken, 200);
	EXPECT_EQUAL(received.cold, 256 + 3);
	EXPECT_EQUAL(received.count, 300);
	EXPECT_OK(cursor_reclaim(&cursor, MIB(6), UINT64_MAX, receive, &received, &taken));
	EXPECT_EQUAL(received.count, 512 + 3);
	EXPECT_OK(cursor_reclaim(&cursor, MIB(6), 1, receive, &received, &taken));
	EXPECT_EQUAL(taken, 0);
	EXPECT_FALSE(received.out_of_order);
	EXPECT_EQUAL(flags_at(&cursor, MIB(4)), 0);
	end(&space, &cursor);
}

#if STRATA_CHECKED

enum service {
	WRITE_PROTECT,
	AGE,
	AGE_FAULT,
	LOG_START,
	LOG_FAULT,
	LOG_STOP,
	MIGRATE,
	RECLAIM,
	SERVICES
};

static enum mm_status run(struct cursor *cursor, enum service service, struct dirty_log *log,
			  _Atomic uint64_t *words, frame_t *new)
{
	struct received received = { 0 };
	uint64_t number;
	frame_t old;
	enum mm_status status;

	switch (service) {
	case WRITE_PROTECT:
		return cursor_write_protect(cursor, MIB(2), &number);
	case AGE:
		return cursor_age(cursor, MIB(2), NULL, &number);
	case AGE_FAULT:
		return ageing_fault(cursor);
	case LOG_START:
		return dirty_log_start(cursor, MIB(2), words, log);
	case LOG_FAULT:
		return dirty_log_fault(log, cursor);
	case LOG_STOP:
		return dirty_log_stop(log, cursor);
	case RECLAIM:
		return cursor_reclaim(cursor, MIB(2), 1, receive, &received, &number);
	default:
		status = cursor_migrate(cursor, new, &old);
		if (status == MM_OK)
			frame_drop(&old);
		return status;
	}
}

static const uint64_t read_only_pages[] = { MIB(3), MIB(4) + PAGES(7), MIB(4) + PAGES(9) };

/* While the log runs these are as read-only as all others, and in a block with them. */
static void start_over_read_only_pages(struct cursor *cursor, _Atomic uint64_t *words,
				       struct dirty_log *log)
{
	struct page_property read_only = READ_ONLY;
	struct cursor_item item;

	for (size_t i = 0; i < COUNT_OF(read_only_pages); i++) {
		EXPECT_OK(cursor_jump(cursor, iaddr(read_only_pages[i])));
		EXPECT_OK(cursor_protect(cursor, PAGE_SIZE, become, &read_only, NULL));
	}
	EXPECT_OK(cursor_jump(cursor, iaddr(MIB(2))));
	EXPECT_OK(dirty_log_start(cursor, MIB(4), words, log));
	for (uint64_t ia = MIB(2); ia < MIB(6); ia += MIB(2)) {
		EXPECT_OK(cursor_jump(cursor, iaddr(ia)));
		EXPECT_OK(cursor_peek(cursor, &item));
		EXPECT_EQUAL(irange_size(item.range), MIB(2));
	}
}

static void expect_given_back(struct cursor *cursor)
{
	for (uint64_t page = 0; page < 1024; page++) {
		uint64_t ia = MIB(2) + PAGES(page);
		bool read_only = false;

		for (size_t i = 0; i < COUNT_OF(read_only_pages); i++)
			read_only |= ia == read_only_pages[i];
		EXPECT_EQUAL(flags_at(cursor, ia), read_only ? READ_ONLY.flags : READ_WRITE.flags);
	}
}

/* True once nothing failed any more. */
static bool attempt(struct world *world, enum service service, uint64_t nth)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(1024)];
	struct dirty_log log = { 0 };
	struct vm_space space;
	struct cursor cursor;
	frame_t new = world_frame(world);

	world_space(world, &space);
	map_segment_at(world, &space, MIB(2), 1024, MIB(2), READ_WRITE);
	open_at(&space, MIB(2), MIB(4), &cursor);
	if (service == AGE_FAULT)
		EXPECT_OK(cursor_age(&cursor, MIB(4), NULL, NULL));
	if (service == LOG_FAULT)
		EXPECT_OK(dirty_log_start(&cursor, MIB(4), words, &log));
	if (service == LOG_STOP)
		start_over_read_only_pages(&cursor, words, &log);
	/* Both edges of the range cut a block. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(3))));

	uint8_t flags = flags_at(&cursor, MIB(3));
	uint64_t frames = world_pages(PAGE_FRAME);

	mm_fail_allocation(nth);

	enum mm_status status = run(&cursor, service, &log, words, &new);

	mm_fail_allocation(0);
	if (status != MM_OK) {
		EXPECT_STATUS(status, MM_NO_MEMORY);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(3));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), frames);
		for (uint64_t page = 0; page < 1024; page++)
			EXPECT_EQUAL(flags_at(&cursor, MIB(2) + PAGES(page)), flags);
	}
	if (status != MM_OK && service == LOG_STOP)
		EXPECT_OK(dirty_log_stop(&log, &cursor));
	if (service == LOG_STOP)
		expect_given_back(&cursor);
	if (status != MM_OK || service != MIGRATE)
		frame_drop(&new);
	end(&space, &cursor);
	return status == MM_OK;
}

TEST(services_that_fail_change_nothing)
{
	for (enum service service = WRITE_PROTECT; service < SERVICES; service++) {
		uint64_t nth = 1;

		while (!attempt(world, service, nth))
			nth++;
		EXPECT_EQUAL(nth, service == WRITE_PROTECT || service == AGE ||
						  service == LOG_START || service == LOG_STOP
					  ? 3
					  : 2);
	}
}

#endif
