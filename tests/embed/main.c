/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another hypervisor than this tree's: a boot, tables and a linear map of its own, and of the library
 * what is installed. Each group of checks gives back what it took; usage says so at the end.
 */
#include <aarch64/exception.h>
#include <aarch64/vcpu.h>
#include <arch/memory.h>
#include <strata/cursor.h>
#include <strata/frame.h>
#include <strata/heap.h>
#include <strata/mm.h>
#include <strata/segment.h>
#include <strata/vm_reader.h>
#include <strata/vm_space.h>
#include "layout.h"
#include "report.h"

#define DAIF_ALL 0x3c0
#define OFFSET UINT64_C(LINEAR_OFFSET)
#define BLOCK_PAGES 512
#define BLOCK_SIZE (BLOCK_PAGES * PAGE_SIZE)
#define RAM_SIZE (RAM_BLOCKS * BLOCK_SIZE)

/* The guest's addresses; nothing is at GUEST_NOTHING. */
#define GUEST_CODE UINT64_C(0x80000000)
#define GUEST_DATA (GUEST_CODE + PAGE_SIZE)
#define GUEST_BLOCK UINT64_C(0x80200000)
#define GUEST_NOTHING UINT64_C(0x90000000)

extern const char program_end[];
extern const char guest_code[];
extern const char guest_code_end[];

void embed_main(void);

static const struct page_property ram = { PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED,
					  CACHE_WRITEBACK };

static void __attribute__((noreturn)) panic(const char *invariant, uint64_t value)
{
	bail_out(invariant, value);
}

static void unexpected(const struct exception_frame *frame)
{
	bail_out(exception_vector_name(frame->vector), frame->far);
}

static unsigned int violations;

static void note_violation(const struct share_violation *violation)
{
	violations += violation->sort == SHARE_ENDED_TWICE;
}

static unsigned int events;

/* What the library says is a comment in the output. */
static void say(const char *event, uint64_t value)
{
	events++;
	comment(event, value);
}

static unsigned int questions;

/* This program has one CPU and no lock, and masks all interrupts: that is why it holds all there is. */
static void assert_held(enum mm_held what, const void *object)
{
	uint64_t daif;

	(void)object;
	__asm__ volatile("mrs %0, daif" : "=r"(daif));
	if (daif != DAIF_ALL)
		bail_out("the library is called with interrupts masked", what);
	questions++;
}

static void check_start(void)
{
	const struct prange memory = prange(paddr(RAM_START), paddr(RAM_START + RAM_SIZE));
	const struct mm_reservation taken[] = {
		{ prange(memory.start, paddr(PROGRAM_START)), PAGE_RESERVED },
		{ prange(paddr(PROGRAM_START), paddr((uintptr_t)program_end - PROGRAM_OFFSET)),
		  PAGE_HYPERVISOR },
	};
	struct mm_config config = {
		.memory = &memory,
		.memory_count = 1,
		.reservations = taken,
		.reservation_count = 2,
		.linear_offset = OFFSET + 1,
		.panic = panic,
		.violation = note_violation,
		.log = say,
		.assert_held = assert_held,
	};

	check(mm_init(&config) == MM_NOT_ALIGNED, "a linear offset must be page aligned");
	config.linear_offset = OFFSET;
	if (!check(mm_init(&config) == MM_OK, "the library takes this program's memory"))
		finish();
	check(events == 1, "and says so");
}

/* What a checked library notices, and asks. A release library does neither. */
static void check_hooks(void)
{
	frame_t frame;

	if (!check(frame_alloc(FRAME_UNDEFINED, &frame) == MM_OK, "a frame for the hooks"))
		return;
	check((questions > 0) == STRATA_CHECKED, "its host is asked what it holds, if checked");
#if STRATA_CHECKED
	frame_t again = frame;

	frame_drop(&frame);
	check(violations == 0, "a handle is dropped");
	frame_drop(&again);
	check(violations == 1, "and a second drop is reported");
#else
	frame_drop(&frame);
	check(violations == 0, "a handle is dropped");
#endif
}

static void check_frames(void)
{
	frame_t frame, second;

	if (!check(frame_alloc(FRAME_ZEROED, &frame) == MM_OK, "a frame"))
		return;

	const struct paddr page = frame.paddr;
	uint64_t *word = mm_linear(page);

	check((uintptr_t)word == page.value + OFFSET, "its bytes are in the linear map");
	check(mm_physical(word).value == page.value, "and their address leads back to it");
	check(word[0] == 0 && word[PAGE_SIZE / sizeof(*word) - 1] == 0, "it is zeroed");
	check(frame_clone(&frame, &second) == MM_OK && frame_reference_count(&frame) == 2,
	      "a clone is a second reference");
	frame_drop(&second);
	check(frame_from_unused(page, &second) == MM_IN_USE, "it is nobody else's");
	frame_drop(&frame);

	struct page_state state;

	check(page_state(page, &state) == MM_OK && state.usage == PAGE_UNUSED,
	      "the last drop frees it");
}

static void check_segments(void)
{
	struct segment segment, rest;
	frame_t frame;
	unsigned int pages = 0;

	if (!check(segment_alloc(8, 8 * PAGE_SIZE, FRAME_ZEROED, &segment) == MM_OK, "a segment"))
		return;
	check(segment.start.value % (8 * PAGE_SIZE) == 0, "it is aligned");
	if (!check(segment_split(&segment, 3 * PAGE_SIZE, &rest) == MM_OK, "it can be divided"))
		return;
	while (segment_next(&segment, &frame)) {
		pages++;
		frame_drop(&frame);
	}
	check(pages == 3 && segment_size(&rest) == 5 * PAGE_SIZE, "into parts as asked for");
	segment_drop(&rest);
}

static void check_heap(void)
{
	void *small, *large;

	if (!check(heap_alloc(24, &small) == MM_OK && heap_alloc(3 * PAGE_SIZE, &large) == MM_OK,
		   "objects from the heap"))
		return;
	check((uintptr_t)small >= OFFSET && (uintptr_t)large >= OFFSET,
	      "they are in the linear map");
	heap_free(small);
	heap_free(large);
}

/* Reads of which the second ends in a Data Abort at EL2. */
static void check_window(void)
{
	const uint64_t end = OFFSET + RAM_START + RAM_SIZE;
	const struct irange window = irange(iaddr(OFFSET), iaddr(end + BLOCK_SIZE));
	const uint64_t there = OFFSET + (uintptr_t)guest_code - PROGRAM_OFFSET;
	struct vm_reader reader;
	uint64_t value = 0;

	check(vm_reader_from_window(window, iaddr(there), sizeof(value), &reader) == MM_OK &&
		      vm_reader_read_val(&reader, &value, sizeof(value)) == MM_OK &&
		      value == *(const uint64_t *)guest_code,
	      "what this program's table maps can be read through a window");
	check(vm_reader_from_window(window, iaddr(end), sizeof(value), &reader) == MM_OK &&
		      vm_reader_read_val(&reader, &value, sizeof(value)) == MM_PAGE_FAULT,
	      "what it does not map is a status");
}

/* Maps a new page, with @size bytes of @contents at its start, at @ipa; @out is where it is. */
static enum mm_status give_page(struct vm_space *space, uint64_t ipa, const void *contents,
				uint64_t size, struct paddr *out)
{
	struct cursor cursor;
	frame_t frame;
	enum mm_status status = frame_alloc(FRAME_ZEROED, &frame);

	if (status != MM_OK)
		return status;
	*out = frame.paddr;
	__builtin_memcpy(mm_linear(frame.paddr), contents, size);
	instruction_cache_sync(mm_linear(frame.paddr), size);
	status = cursor_open(space, irange(iaddr(ipa), iaddr(ipa + PAGE_SIZE)), CURSOR_MUTABLE,
			     &cursor);
	if (status == MM_OK) {
		status = cursor_map(&cursor, &frame, ram);
		cursor_close(&cursor);
	}
	if (status != MM_OK)
		frame_drop(&frame);
	return status;
}

static void check_cursor(struct vm_space *space)
{
	const struct irange range = irange(iaddr(GUEST_BLOCK), iaddr(GUEST_BLOCK + BLOCK_SIZE));
	struct segment segment;
	struct cursor cursor;
	struct cursor_item item;
	frame_t frame;
	uint64_t leaves;

	if (!check(segment_alloc(BLOCK_PAGES, BLOCK_SIZE, FRAME_UNDEFINED, &segment) == MM_OK,
		   "2 MiB in one piece"))
		return;

	const struct paddr start = segment.start;

	if (!check(cursor_open(space, range, CURSOR_MUTABLE, &cursor) == MM_OK, "a cursor"))
		return;
	check(cursor_map_segment(&cursor, &segment, ram) == MM_OK, "they are mapped");
	check(cursor_jump(&cursor, iaddr(GUEST_BLOCK + PAGE_SIZE)) == MM_OK &&
		      cursor_query(&cursor, &item, &frame) == MM_OK && item.mapped &&
		      irange_size(item.range) == BLOCK_SIZE && item.output.value == start.value,
	      "by one leaf");
	check(frame.paddr.value == start.value + PAGE_SIZE && frame_reference_count(&frame) == 2,
	      "of which a query gives a page");
	frame_drop(&frame);
	check(cursor_unmap(&cursor, PAGE_SIZE, &leaves) == MM_OK && leaves == 1,
	      "one page is unmapped");
	check(cursor_jump(&cursor, range.start) == MM_OK &&
		      cursor_unmap(&cursor, BLOCK_SIZE, &leaves) == MM_OK &&
		      leaves == BLOCK_PAGES - 1,
	      "then all the others");
	cursor_close(&cursor);
}

static void check_guest(struct vm_space *space)
{
	const uint64_t number = 0x123456789;
	struct vcpu vcpu;
	struct vcpu_exit exit;
	struct stage2_abort abort;
	struct paddr code, data;

	if (!check(give_page(space, GUEST_CODE, guest_code, (uint64_t)(guest_code_end - guest_code),
			     &code) == MM_OK &&
			   give_page(space, GUEST_DATA, &number, sizeof(number), &data) == MM_OK,
		   "a guest's code and data are mapped"))
		return;
	if (!check(vm_space_activate(space) == MM_OK, "its space is active"))
		return;
	vcpu_host_init();
	vcpu_reset(&vcpu, iaddr(GUEST_CODE), 0);
	vcpu.x[1] = GUEST_DATA;
	vcpu.x[2] = GUEST_NOTHING;

	vcpu_run(&vcpu, &exit);
	check(vcpu_exit_class(&exit) == VCPU_CLASS_HYPERCALL &&
		      vcpu_exit_immediate(&exit) == GUEST_DONE,
	      "it runs until it calls");
	check(vcpu.x[0] == 2 * number && *(const uint64_t *)mm_linear(data) == 2 * number,
	      "what it stored is in its page");
	vcpu_run(&vcpu, &exit);
	check(stage2_abort_decode(&exit, &abort) && abort.ipa.value == GUEST_NOTHING &&
		      abort.access == STAGE2_READ && abort.fault == STAGE2_FAULT_TRANSLATION,
	      "and what is not mapped faults");
	vm_space_deactivate();
}

static void check_space(void)
{
	static struct vm_space space;

	if (!check(vm_space_new_stage2(32, &space) == MM_OK, "a Stage-2 space"))
		return;
	check_cursor(&space);
	check_guest(&space);
	check(vm_space_destroy(&space) == MM_OK, "the space is destroyed");
}

/* EL2 runs on this program's table: a window is nowhere. */
static void check_no_window(void)
{
	static struct vm_space own, window;

	if (!check(vm_space_new_el2(&own) == MM_OK, "a table for EL2 that nobody loads"))
		return;
	check(vm_space_new_window(&own, &window) == MM_NOT_SUPPORTED,
	      "there is no window above it");
	check(vm_space_activate(&own) == MM_INVALID_ARGS, "and it is nothing to activate");
	vm_space_deactivate_window();
	check(vm_space_destroy(&own) == MM_OK, "it goes as it came");
}

static void check_usage(const struct mm_usage *before)
{
	const struct mm_usage now = mm_usage();
	uint64_t pages = 0;
	bool same = true;

	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++) {
		pages += now.pages[usage];
		same = same && now.pages[usage] == before->pages[usage];
	}
	check(pages == RAM_SIZE / PAGE_SIZE, "every page has one usage");
	check(same, "usage is as before: all was given back");
}

void embed_main(void)
{
	exception_handler_set(unexpected);
	check_start();

	const struct mm_usage before = mm_usage();

	check_frames();
	check_hooks();
	check_segments();
	check_heap();
	check_window();
	check_space();
	check_no_window();
	check_usage(&before);
	finish();
}
