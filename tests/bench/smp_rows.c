/* SPDX-License-Identifier: BSD-3-Clause */
/* The operations that are measured on several CPUs. */
#include "smp.h"
#include <arch/cpu.h>
#include <cpus.h>
#include <exit.h>
#include <stdio.h>
#include <strata/cursor.h>
#include <strata/vm_reader.h>

#define MIB_2 (UINT64_C(2) << 20)
#define GIB (UINT64_C(1) << 30)

#define MAPPED GIB	       /* where pages come and go, in tables that stay */
#define UNMAPPED (2 * GIB)     /* under one table of level 2, and none of level 3 */
#define UNMAPPED_OWN (8 * GIB) /* the same, with a table of level 2 for each CPU */

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };
static struct vm_space space;

/* The pages that are mapped, and the second handles that maps take. */
static frame_t frames[SMP_CPUS_MAX][SMP_PAGES];
static frame_t handles[SMP_CPUS_MAX][SMP_PAGES];

void smp_must(enum mm_status status, const char *what)
{
	if (status == MM_OK)
		return;
	printf("%s: %s\n", what, mm_status_name(status));
	machine_exit(1);
}

/* The first page of a range is mapped always, so that its table stays. */
static uint64_t address_of(unsigned int cpu, unsigned int page, enum smp_place place)
{
	if (place == SMP_SHARED)
		return MAPPED + SMP_CPUS_MAX * MIB_2 + (1 + page * SMP_CPUS_MAX + cpu) * PAGE_SIZE;
	return MAPPED + cpu * MIB_2 + (1 + page) * PAGE_SIZE;
}

static void open_at(uint64_t ia, uint64_t size, struct cursor *cursor)
{
	smp_must(cursor_open(&space, irange(iaddr(ia), iaddr(ia + size)), CURSOR_MUTABLE, cursor),
		 "open");
}

static void map_at(uint64_t ia, frame_t *frame)
{
	struct cursor cursor;

	open_at(ia, PAGE_SIZE, &cursor);
	smp_must(cursor_map(&cursor, frame, read_write), "map");
	cursor_close(&cursor);
}

static void unmap_at(uint64_t ia, uint64_t size)
{
	struct cursor cursor;

	open_at(ia, size, &cursor);
	smp_must(cursor_unmap(&cursor, size, NULL), "unmap");
	cursor_close(&cursor);
}

static void allocate(unsigned int cpu, unsigned int page, enum smp_place place)
{
	frame_t frame;

	(void)cpu, (void)page, (void)place;
	smp_must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
	frame_drop(&frame);
}

static void take_handle(unsigned int cpu, unsigned int page, enum smp_place place)
{
	(void)place;
	smp_must(frame_clone(&frames[cpu][page], &handles[cpu][page]), "clone");
}

static void map(unsigned int cpu, unsigned int page, enum smp_place place)
{
	map_at(address_of(cpu, page, place), &handles[cpu][page]);
}

static void unmap(unsigned int cpu, unsigned int page, enum smp_place place)
{
	unmap_at(address_of(cpu, page, place), PAGE_SIZE);
}

static void query(unsigned int cpu, unsigned int page, enum smp_place place)
{
	struct cursor_item item;
	struct cursor cursor;
	frame_t frame;

	open_at(address_of(cpu, page, place), PAGE_SIZE, &cursor);
	smp_must(cursor_query(&cursor, &item, &frame), "query");
	cursor_close(&cursor);
	frame_drop(&frame);
}

static struct page_property toggle_write(struct page_property property, void *context)
{
	(void)context;
	property.flags ^= PAGE_WRITE;
	return property;
}

static void protect(unsigned int cpu, unsigned int page, enum smp_place place)
{
	struct cursor cursor;

	open_at(address_of(cpu, page, place), PAGE_SIZE, &cursor);
	smp_must(cursor_protect(&cursor, PAGE_SIZE, toggle_write, NULL, NULL), "protect");
	cursor_close(&cursor);
}

static void read(unsigned int cpu, unsigned int page, enum smp_place place)
{
	struct iaddr ipa = iaddr(address_of(cpu, page, place));
	struct vm_reader reader;
	uint64_t word;

	smp_must(vm_reader_from_space(&space, ipa, sizeof(word), &reader), "reader");
	smp_must(vm_reader_read_val(&reader, &word, sizeof(word)), "read");
}

/* A page, from the allocator to a guest and back. */
static void live(unsigned int cpu, unsigned int page, enum smp_place place)
{
	uint64_t ia = address_of(cpu, page, place);
	frame_t frame;

	smp_must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
	map_at(ia, &frame);
	unmap_at(ia, PAGE_SIZE);
}

/* Where no table of level 3 is yet: disjoint ranges have a table of level 2 each, or have one together. */
static uint64_t unmapped_at(unsigned int cpu, unsigned int page, enum smp_place place)
{
	if (place == SMP_SHARED)
		return UNMAPPED + (page * SMP_CPUS_MAX + cpu) * MIB_2;
	return UNMAPPED_OWN + cpu * GIB + page * MIB_2;
}

static void map_first(unsigned int cpu, unsigned int page, enum smp_place place)
{
	map_at(unmapped_at(cpu, page, place), &handles[cpu][page]);
}

static void unmap_first(unsigned int cpu, unsigned int page, enum smp_place place)
{
	unmap_at(unmapped_at(cpu, page, place), PAGE_SIZE);
}

/* Several pages at once, and the cost is a page's: every so many'th does it for those after it. */
#define AT_ONCE 15

static uint64_t several_at(unsigned int cpu, unsigned int page, enum smp_place place)
{
	if (place == SMP_SHARED)
		return MAPPED + SMP_CPUS_MAX * MIB_2 + (1 + cpu * SMP_PAGES + page) * PAGE_SIZE;
	return address_of(cpu, page, place);
}

static void map_several(unsigned int cpu, unsigned int page, enum smp_place place)
{
	struct cursor cursor;

	if (page % AT_ONCE != 0)
		return;
	open_at(several_at(cpu, page, place), AT_ONCE * PAGE_SIZE, &cursor);
	smp_must(cursor_map_frames(&cursor, &handles[cpu][page], AT_ONCE, read_write),
		 "map frames");
	cursor_close(&cursor);
}

static void unmap_several(unsigned int cpu, unsigned int page, enum smp_place place)
{
	if (page % AT_ONCE == 0)
		unmap_at(several_at(cpu, page, place), AT_ONCE * PAGE_SIZE);
}

/* The pages are nobody's before, and contiguous: a zone is asked for them, and who owns pages. */
static void live_together(unsigned int cpu, unsigned int page, enum smp_place place)
{
	struct segment segment;
	struct cursor cursor;

	if (page % AT_ONCE != 0)
		return;
	smp_must(segment_alloc(AT_ONCE, PAGE_SIZE, FRAME_UNDEFINED, &segment), "segment");
	open_at(several_at(cpu, page, place), AT_ONCE * PAGE_SIZE, &cursor);
	smp_must(cursor_map_segment(&cursor, &segment, read_write), "map segment");
	cursor_close(&cursor);
	unmap_several(cpu, page, place);
}

_Static_assert(SMP_PAGES % AT_ONCE == 0, "each CPU maps all of its pages");

const struct smp_row smp_rows[SMP_ROWS_MAX] = {
	{ "allocate a page, drop it", allocate, NULL, NULL, true },
	{ "open, map a page, close", map, take_handle, NULL, true },
	{ "open, query a page, close; drop it", query, NULL, NULL, true },
	{ "open, protect a page, flush, close", protect, NULL, NULL, true },
	{ "read 8 bytes of the guest", read, NULL, NULL, true },
	{ "open, unmap a page, flush, close", unmap, NULL, NULL, true },
	{ "allocate, map, unmap, flush, free", live, NULL, NULL, true },
	{ "map 15 pages by one cursor, each", map_several, take_handle, unmap_several, true },
	{ "segment of 15: its life, each page", live_together, NULL, NULL, false },
	{ "first page of 2 MiB: open, map, close", map_first, take_handle, unmap_first, false },
};
const unsigned int smp_row_count = sizeof(smp_rows) / sizeof(smp_rows[0]);

static void activate(void *argument)
{
	const unsigned int *cpus = argument;

	if (cpu_index() < *cpus)
		smp_must(vm_space_activate(&space), "activate");
}

static void deactivate(void *argument)
{
	(void)argument;
	vm_space_deactivate();
}

void smp_activate(unsigned int cpus)
{
	cpus_run(activate, &cpus);
}

void smp_deactivate(void)
{
	cpus_run(deactivate, NULL);
}

/* A page that keeps the tables above it. */
static void keep_table(uint64_t ia)
{
	frame_t frame;

	smp_must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
	map_at(ia, &frame);
}

void smp_stage_start(void)
{
	smp_must(vm_space_new_stage2(39, &space), "space");
	for (unsigned int cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
		for (unsigned int page = 0; page < SMP_PAGES; page++)
			smp_must(frame_alloc(FRAME_UNDEFINED, &frames[cpu][page]), "frame");
		keep_table(MAPPED + cpu * MIB_2);
		keep_table(UNMAPPED_OWN + cpu * GIB + GIB - MIB_2);
	}
	keep_table(MAPPED + SMP_CPUS_MAX * MIB_2);
	keep_table(UNMAPPED + GIB - MIB_2);
}

void smp_stage_end(void)
{
	for (unsigned int cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
		for (unsigned int page = 0; page < SMP_PAGES; page++)
			frame_drop(&frames[cpu][page]);
	smp_must(vm_space_destroy(&space), "destroy");
}
