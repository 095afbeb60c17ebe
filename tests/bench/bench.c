/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operations cost, in instructions at EL2. Discipline is on: locks, counts, break-before-make,
 * TLBIs and their barriers are in every figure. The workload is the one peers were measured with:
 * input addresses from 1 GiB to 2 GiB of a Stage-2 space, normal memory, readable and writable.
 */
#include "cycles.h"
#include <arch/counters.h>
#include <arch/memory.h>
#include <boot_info.h>
#include <exit.h>
#include <stdio.h>
#include <strata/cursor.h>
#include <strata/segment.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

#define GIB (UINT64_C(1) << 30)
#define MIB_2 (UINT64_C(2) << 20)
#define PAGES (GIB / PAGE_SIZE)
#define WINDOW GIB /* first input address */
#define SAMPLES 4096

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };
static struct vm_space space;
/* A workload that was not done has no cost. */
static void must(enum mm_status status, const char *what)
{
	if (status == MM_OK)
		return;
	printf("%s: %s\n", what, mm_status_name(status));
	machine_exit(1);
}

static void row(const char *operation, uint64_t instructions, uint64_t times)
{
	printf("%-52s %10llu.%llu\n", operation, (unsigned long long)(instructions / times),
	       (unsigned long long)(instructions * 10 / times % 10));
}

/* The one cursor of all workloads. */
static struct cursor cursor;

static void open_at(uint64_t ia, uint64_t size)
{
	must(cursor_open(&space, irange(iaddr(ia), iaddr(ia + size)), CURSOR_MUTABLE, &cursor),
	     "open");
}

/* A fixed sequence of page numbers, each once in SAMPLES * 61. */
static uint64_t scattered(uint64_t i)
{
	return i * 61 * 1021 % PAGES;
}

static struct page_property make_read_only(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t)~PAGE_WRITE;
	return property;
}

static struct page_property make_writable(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

/* One GiB of 4 KiB pages: the output is a page off, so that no block fits. */
static void bench_range(bool counted)
{
	struct segment segment;
	struct arch_counters before;
	uint64_t start, tlbis;

	open_at(WINDOW, GIB);

	if (counted) {
		struct segment rest;

		must(segment_alloc(PAGES + 1, PAGE_SIZE, FRAME_UNDEFINED, &segment), "segment");
		must(segment_split(&segment, PAGE_SIZE, &rest), "split");
		segment_drop(&segment);
		segment = rest;
		start = cycles();
		must(cursor_map_segment(&cursor, &segment, read_write), "map");
	} else {
		start = cycles();
		must(cursor_map_iomem(
			     &cursor,
			     prange(paddr(256 * GIB + PAGE_SIZE), paddr(257 * GIB + PAGE_SIZE)),
			     read_write),
		     "map");
	}
	row(counted ? "map 1 GiB as pages, counted, per page" : "map 1 GiB as pages, per page",
	    cycles() - start, PAGES);

	start = cycles();
	must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
	while (cursor_protect_next(&cursor, WINDOW + GIB - cursor_virt_addr(&cursor).value,
				   make_read_only, NULL, NULL) == MM_OK)
		;
	cursor_flush(&cursor);
	row("protect 1 GiB page by page, per page", cycles() - start, PAGES);

	start = cycles();
	must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
	must(cursor_protect(&cursor, GIB, make_writable, NULL, NULL), "protect");
	cursor_flush(&cursor);
	row("protect 1 GiB of pages at once, per page", cycles() - start, PAGES);

	must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
	before = arch_counters_read();
	start = cycles();
	must(cursor_unmap(&cursor, GIB, NULL), "unmap");
	cursor_flush(&cursor);
	row(counted ? "unmap 1 GiB of pages, counted, per page" : "unmap 1 GiB of pages, per page",
	    cycles() - start, PAGES);
	tlbis = arch_counters_read().tlbi_address + arch_counters_read().tlbi_range +
		arch_counters_read().tlbi_vmid - before.tlbi_address - before.tlbi_range -
		before.tlbi_vmid;
	printf("%-52s %10llu\n", "    TLBIs to unmap it", (unsigned long long)tlbis);
	cursor_close(&cursor);
}

static void bench_single(void)
{
	uint64_t map = 0, unmap = 0, query = 0, next, start;
	struct cursor_item item;
	frame_t frame;

	/* Tables are there already, as for the peers: neighbours stay mapped. */
	for (uint64_t i = 0; i < 512; i++) {
		open_at(WINDOW + i * MIB_2, PAGE_SIZE);
		must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
		must(cursor_map(&cursor, &frame, read_write), "map");
		cursor_close(&cursor);
	}
	for (uint64_t i = 1; i < SAMPLES; i++) {
		uint64_t ia = WINDOW + scattered(i) / 512 * MIB_2 + (1 + i % 510) * PAGE_SIZE;

		must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
		start = cycles();
		open_at(ia, PAGE_SIZE);
		must(cursor_map(&cursor, &frame, read_write), "map one");
		cursor_close(&cursor);
		map += cycles() - start;

		start = cycles();
		open_at(ia, PAGE_SIZE);
		must(cursor_peek(&cursor, &item), "peek");
		cursor_close(&cursor);
		query += cycles() - start;

		start = cycles();
		open_at(ia, PAGE_SIZE);
		must(cursor_unmap(&cursor, PAGE_SIZE, NULL), "unmap one");
		cursor_close(&cursor);
		unmap += cycles() - start;
	}
	row("map one page: open, map, close", map, SAMPLES - 1);
	row("query one page: open, peek, close", query, SAMPLES - 1);
	row("unmap one page: open, unmap, flush, close, drop", unmap, SAMPLES - 1);

	open_at(WINDOW, MIB_2);
	must(cursor_jump(&cursor, iaddr(WINDOW + PAGE_SIZE)), "jump");
	next = 0;
	for (uint64_t i = 0; i < 500; i++) {
		must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");
		start = cycles();
		must(cursor_map(&cursor, &frame, read_write), "map next");
		next += cycles() - start;
	}
	row("map the next page on an open cursor", next, 500);
	cursor_close(&cursor);
	open_at(WINDOW, GIB);
	must(cursor_unmap(&cursor, GIB, NULL), "unmap all");
	cursor_close(&cursor);
}

static void bench_block(void)
{
	uint64_t split = 0, merge = 0, start;
	struct segment segment;

	must(segment_alloc(MIB_2 / PAGE_SIZE, MIB_2, FRAME_UNDEFINED, &segment), "segment");

	open_at(WINDOW, MIB_2);

	must(cursor_map_segment(&cursor, &segment, read_write), "map block");
	for (int i = 0; i < 64; i++) {
		must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
		start = cycles();
		must(cursor_protect_next(&cursor, PAGE_SIZE, make_read_only, NULL, NULL), "split");
		cursor_flush(&cursor);
		split += cycles() - start;

		struct cursor_item item;
		frame_t frame;

		must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
		must(cursor_query(&cursor, &item, &frame), "query");
		start = cycles();
		must(cursor_replace(&cursor, &frame, read_write), "replace");
		merge += cycles() - start;
		cursor_close(&cursor);
		start = cycles();
		open_at(WINDOW, MIB_2);
		merge += cycles() - start;
	}
	row("split a 2 MiB block (and change one page)", split, 64);
	row("merge 512 pages (and replace one)", merge, 64);
	must(cursor_jump(&cursor, iaddr(WINDOW)), "jump");
	must(cursor_unmap(&cursor, MIB_2, NULL), "unmap");
	cursor_close(&cursor);
}

static void bench_frames(void)
{
	uint64_t total = 0;
	frame_t frame;

	for (int i = 0; i < SAMPLES; i++) {
		uint64_t start = cycles();

		must(frame_alloc(FRAME_UNDEFINED, &frame), "alloc");
		frame_drop(&frame);
		total += cycles() - start;
	}
	row("frame alloc and drop, hot", total, SAMPLES);
}

/* 4 KiB between the hypervisor and scattered pages of a guest, beside the bare loop of LDP and STP that
 * page_copy is. */
static void bench_copy(void)
{
	uint64_t plain = 0, in = 0, out = 0, value = 0, word, start;
	enum mm_status made, done;
	struct vm_reader reader;
	struct vm_writer writer;
	struct segment segment;
	frame_t frame;

	must(segment_alloc(PAGES + 1, PAGE_SIZE, FRAME_UNDEFINED, &segment), "segment");
	must(frame_alloc(FRAME_UNDEFINED, &frame), "frame");

	struct segment rest;
	char *buffer = mm_linear(frame.paddr);

	must(segment_split(&segment, PAGE_SIZE, &rest), "split");
	segment_drop(&segment);
	open_at(WINDOW, GIB);
	must(cursor_map_segment(&cursor, &rest, read_write), "map");
	cursor_close(&cursor);
	for (uint64_t i = 0; i < SAMPLES; i++) {
		struct iaddr ipa = iaddr(WINDOW + scattered(i) * PAGE_SIZE);

		start = cycles();
		page_copy(buffer, mm_linear(paddr(rest.start.value + scattered(i) * PAGE_SIZE)));
		plain += cycles() - start;

		start = cycles();
		made = vm_reader_from_space(&space, ipa, PAGE_SIZE, &reader);
		done = vm_reader_read_val(&reader, buffer, PAGE_SIZE);
		in += cycles() - start;
		must(made, "reader");
		must(done, "read");

		start = cycles();
		made = vm_writer_from_space(&space, ipa, PAGE_SIZE, &writer);
		done = vm_writer_write_val(&writer, buffer, PAGE_SIZE);
		out += cycles() - start;
		must(made, "writer");
		must(done, "write");

		start = cycles();
		made = vm_reader_from_space(&space, ipa, sizeof(word), &reader);
		done = vm_reader_read_val(&reader, &word, sizeof(word));
		value += cycles() - start;
		must(made, "reader");
		must(done, "read");
	}
	row("copy 4 KiB by a bare LDP and STP loop", plain, SAMPLES);
	row("copy 4 KiB from a guest", in, SAMPLES);
	row("copy 4 KiB to a guest", out, SAMPLES);
	row("read 8 bytes of a guest", value, SAMPLES);
	frame_drop(&frame);
	open_at(WINDOW, GIB);
	must(cursor_unmap(&cursor, GIB, NULL), "unmap");
	cursor_close(&cursor);
}

int image_main(const struct boot_info *info)
{
	uint64_t empty;

	(void)info;
	cycles_start();
	empty = cycles();
	empty = cycles() - empty;
	printf("%-52s %12s\n", "operation", "instructions");
	must(vm_space_new_stage2(39, &space), "space");
	must(vm_space_activate(&space), "activate");
	bench_frames();
	bench_single();
	bench_block();
	bench_copy();
	/* What a space remembers of devices takes a page of memory, of which this needs a whole half. */
	bench_range(true);
	bench_range(false);
	vm_space_deactivate();
	must(vm_space_destroy(&space), "destroy");
	printf("(each figure includes %llu for reading the counter)\n", (unsigned long long)empty);
	return 0;
}
