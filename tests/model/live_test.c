/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model beside the subsystem itself, on the simulated machine: random cursor operations, right
 * and wrong ones, on spaces of every shape of root. Nothing here knows what should happen; the model
 * does, and must find no difference.
 */
#include "monitor/random.h"

#include <model.h>

#include <host/machine.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strata/cursor.h>
#include <strata/statistics.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

#define RAM_BASE (1 * GIB)
#define RAM_SIZE (64 * MIB)
#define DEVICE_BASE (6 * GIB)
#define DEVICE_IN_RAM (RAM_BASE + RAM_SIZE - 4 * MIB)
#define DEVICE_IN_RAM_SIZE (2 * MIB)
#define ARENA_SIZE (16 * MIB)
#define OPERATIONS 6000

static void __attribute__((noreturn)) panic(const char *invariant, uint64_t value)
{
	fail_msg("broken: %s (0x%llx)", invariant, (unsigned long long)value);
	abort();
}

static void complain(const char *text)
{
	print_error("%s\n", text);
}

static void *arena;

static int set_up(void **state)
{
	struct machine_config machine = {
		.memory = { prange(paddr(RAM_BASE), paddr(RAM_BASE + RAM_SIZE)) },
		.memory_count = 1,
		.features = machine_features_v8_4(),
	};

	if (!machine_create(&machine))
		return -1;

	const struct mm_reservation device = {
		prange(paddr(DEVICE_IN_RAM), paddr(DEVICE_IN_RAM + DEVICE_IN_RAM_SIZE)),
		PAGE_MMIO,
	};
	struct mm_config config = {
		.memory = machine.memory,
		.memory_count = 1,
		.reservations = &device,
		.reservation_count = 1,
		.linear_offset = machine_linear_offset(),
		.panic = panic,
	};

	if (mm_init(&config) != MM_OK)
		return -1;
	arena = malloc(ARENA_SIZE);
	if (arena == NULL)
		return -1;
	model_start(arena, ARENA_SIZE, complain);
	*state = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	model_stop();
	free(arena);
	machine_destroy();
	return 0;
}

/* Mostly a few pages around 2 MiB and 1 GiB boundaries, where blocks begin, end and are cut. */
static uint64_t random_address(struct random *random, uint64_t limit)
{
	static const uint64_t centres[] = { 0, 2 * MIB, 4 * MIB, GIB, GIB + 2 * MIB, 2 * GIB };
	uint64_t centre = centres[random_below(random, 6)];
	uint64_t address = (centre + random_below(random, 8) * PAGE_SIZE) % limit;

	if (random_below(random, 50) == 0)
		address += random_below(random, PAGE_SIZE);
	return address;
}

static uint64_t random_length(struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
		return 2 * MIB * (1 + random_below(random, 3));
	case 1:
		return GIB;
	case 2:
		return random_below(random, 2) ? 0 : random_below(random, 3 * PAGE_SIZE);
	default:
		return PAGE_SIZE * (1 + random_below(random, 12));
	}
}

static struct page_property random_property(struct random *random)
{
	uint64_t flags = PAGE_READ | PAGE_ACCESSED;

	if (random_below(random, 2))
		flags |= PAGE_WRITE;
	if (random_below(random, 8) == 0)
		flags = random_below(random, 32);
	return page_property((uint8_t)flags, random_below(random, 4) != 0
						     ? CACHE_WRITEBACK
						     : (enum cache_policy)random_below(random, 5));
}

static struct page_property set_property(struct page_property property, void *context)
{
	struct random *random = context;

	return random_below(random, 4) != 0 ? random_property(random) : property;
}

static void map_frame(struct cursor *cursor, struct random *random, bool replace)
{
	struct page_property property = random_property(random);
	enum mm_status status;
	frame_t frame;

	if (frame_alloc(FRAME_UNDEFINED, &frame) != MM_OK)
		return;
	status = replace ? cursor_replace(cursor, &frame, property)
			 : cursor_map(cursor, &frame, property);
	if (status != MM_OK)
		frame_drop(&frame);
}

static void map_segment(struct cursor *cursor, struct random *random)
{
	bool blocks = random_below(random, 2);
	uint64_t pages =
		blocks ? 512 * (1 + random_below(random, 3)) : 1 + random_below(random, 20);
	struct segment segment;

	if (segment_alloc(pages, blocks ? 2 * MIB : PAGE_SIZE, FRAME_UNDEFINED, &segment) != MM_OK)
		return;
	if (cursor_map_segment(cursor, &segment, random_property(random)) != MM_OK)
		segment_drop(&segment);
}

static void map_iomem(struct cursor *cursor, struct random *random)
{
	uint64_t start = cursor_virt_addr(cursor).value + DEVICE_BASE;
	uint64_t length = random_length(random);

	switch (random_below(random, 12)) {
	case 0:
		start = RAM_BASE;
		break;
	case 1:
		start = UINT64_C(1) << 44;
		break;
	case 2:
		start = DEVICE_IN_RAM +
			random_below(random, DEVICE_IN_RAM_SIZE / PAGE_SIZE) * PAGE_SIZE;
		break;
	default:
		break;
	}
	if (random_below(random, 20) == 0)
		start += random_below(random, 3);
	if (random_below(random, 20) == 0)
		length = -length;
	(void)!cursor_map_iomem(cursor, prange(paddr(start), paddr(start + length)),
				random_property(random));
}

static struct page_property make_data(struct page_property property, void *context)
{
	(void)property;
	(void)context;
	return page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK);
}

/* Maps @count units of the device, from unit @to on, at the position. */
static void map_units(struct cursor *cursor, uint64_t size, uint64_t to, uint64_t count,
		      struct page_property property)
{
	struct paddr start = paddr(DEVICE_BASE + to * size);

	if (count != 0)
		(void)!cursor_map_iomem(cursor, prange(start, paddr(start.value + count * size)),
					property);
}

/*
 * Fills all that one block translates in three parts, so that it becomes a block, or so nearly that
 * it must not: two units in the middle may be swapped, the last one may go elsewhere, one may have
 * another property, and get that of the others later.
 */
static void fill_block(struct cursor *cursor, struct random *random, uint64_t base)
{
	uint64_t size = random_below(random, 4) ? PAGE_SIZE : 2 * MIB; /* of a unit */
	uint64_t start = base + 512 * size * random_below(random, 2);
	uint64_t odd = random_below(random, 510);
	uint64_t swap = random_below(random, 4) == 0;
	uint64_t astray = random_below(random, 4) == 0;
	struct page_property data = make_data((struct page_property){ 0 }, NULL);
	struct page_property other = random_below(random, 2) ? data : random_property(random);

	if (cursor_jump(cursor, iaddr(start)) != MM_OK ||
	    cursor_unmap(cursor, 512 * size, NULL) != MM_OK)
		return;
	(void)!cursor_jump(cursor, iaddr(start));
	map_units(cursor, size, 0, odd, data);
	map_units(cursor, size, odd + swap, 1, other);
	map_units(cursor, size, odd + 1 - swap, 1, data);
	map_units(cursor, size, odd + 2, 509 - odd, data);
	map_units(cursor, size, 511 + astray, 1, data);
	(void)!cursor_jump(cursor, iaddr(start + odd * size));
	(void)!cursor_protect_next(cursor, size, make_data, NULL, NULL);
	(void)!cursor_jump(cursor, iaddr(start + random_below(random, 512) * size));
	(void)!cursor_protect_next(cursor, size, set_property, random, NULL);
	if (random_below(random, 2)) {
		(void)!cursor_jump(cursor, iaddr(start));
		(void)!cursor_unmap(cursor, 512 * size, NULL);
		(void)!cursor_jump(cursor, iaddr(start + odd * PAGE_SIZE));
		map_frame(cursor, random, false);
	}
}

static void one_operation(struct cursor *cursor, struct random *random, uint64_t base)
{
	struct cursor_item item;
	struct irange changed;
	uint64_t leaves;
	frame_t frame = { .paddr = paddr(0) };

	switch (random_below(random, 15)) {
	case 0:
		if (cursor_query(cursor, &item, &frame) == MM_OK && item.mapped && item.counted)
			frame_drop(&frame);
		break;
	case 1:
	case 2:
		(void)!cursor_find_next(cursor, random_length(random));
		break;
	case 3:
	case 4:
		(void)!cursor_jump(cursor, iaddr(base + random_address(random, 4 * GIB)));
		break;
	case 5:
	case 6:
		map_frame(cursor, random, false);
		break;
	case 7:
		map_frame(cursor, random, true);
		break;
	case 8:
		map_segment(cursor, random);
		break;
	case 9:
		map_iomem(cursor, random);
		break;
	case 10:
		(void)!cursor_unmap(cursor, random_length(random), &leaves);
		break;
	case 11:
		(void)!cursor_protect_next(cursor, random_length(random), set_property, random,
					   &changed);
		break;
	case 12:
		(void)!cursor_protect(cursor, random_length(random), set_property, random, &leaves);
		break;
	case 13:
		fill_block(cursor, random, base);
		break;
	default:
		cursor_flush(cursor);
		break;
	}
}

/* What one thread works in: a part of a space. */
struct part {
	struct vm_space *space;
	struct irange range;
	struct random random;
	unsigned int cpu;
	bool alone; /* nobody else works in the space */
};

/* Several operations on one cursor; sometimes a second cursor beside it or, wrongly, across it. */
static void one_cursor(struct part *part)
{
	struct random *random = &part->random;
	struct vm_space *space = part->space;
	uint64_t base = part->range.start.value;
	uint64_t limit = irange_size(part->range);
	uint64_t start = base + random_address(random, limit);
	uint64_t length =
		random_below(random, 3) ? random_length(random) : part->range.end.value - start;
	enum cursor_access access = random_below(random, 10) ? CURSOR_MUTABLE : CURSOR_READ_ONLY;
	struct cursor cursor;
	struct cursor other;

	if (random_below(random, 3) == 0)
		start = base;
	if (random_below(random, 2) == 0)
		length = part->range.end.value - start;
	if (!part->alone &&
	    (start > part->range.end.value || length > part->range.end.value - start))
		return;
	if (cursor_open(space, irange(iaddr(start), iaddr(start + length)), access, &cursor) !=
	    MM_OK)
		return;
	for (uint64_t i = random_below(random, 12); i > 0; i--)
		one_operation(&cursor, random, base);
	/* A second one would wait for what the first one of another thread waits for. */
	if (part->alone && random_below(random, 4) == 0) {
		start = random_address(random, limit);
		if (cursor_open(space, irange(iaddr(start), iaddr(start + 4 * PAGE_SIZE)),
				CURSOR_MUTABLE, &other) == MM_OK) {
			one_operation(&other, random, base);
			one_operation(&cursor, random, base);
			one_operation(&other, random, base);
			cursor_close(&other);
		}
		(void)!vm_space_destroy(space);
	}
	cursor_close(&cursor);
}

static void make_space(enum translation_stage stage, unsigned int ia_bits, struct vm_space *space)
{
	if (stage == STAGE_2)
		assert_int_equal(vm_space_new_stage2(ia_bits, space), MM_OK);
	else
		assert_int_equal(vm_space_new_stage1(ia_bits, space), MM_OK);
}

static void expect_usage(const struct mm_usage *expected)
{
	struct mm_usage usage = mm_usage();

	for (int i = 0; i < PAGE_USAGE_COUNT; i++)
		assert_int_equal(usage.pages[i], expected->pages[i]);
}

static void run(uint64_t seed, enum translation_stage stage, unsigned int ia_bits)
{
	struct mm_usage before = mm_usage();
	struct vm_space space;
	struct part part = { .space = &space, .random = { seed }, .alone = true };

	make_space(stage, ia_bits, &space);
	part.range = vm_space_range(&space);
	for (int i = 0; i < 150; i++) {
		one_cursor(&part);
		if (model_report().differences != 0)
			fail_msg("seed %llu, stage %d, %u bits", (unsigned long long)seed,
				 stage == STAGE_2 ? 2 : 1, ia_bits);
		if (stage == STAGE_2 && i % 16 == 0) {
			assert_int_equal(vm_space_activate(&space), MM_OK);
			vm_space_deactivate();
		}
	}
	assert_int_equal(model_check_all(), 0);
	assert_int_equal(vm_space_destroy(&space), MM_OK);
	assert_int_equal(model_check_all(), 0);
	expect_usage(&before);
}

static void random_operations_make_no_difference(void **state)
{
	static const unsigned int ia_bits[] = { 30, 33, 36, 40, 44 };

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		for (size_t i = 0; i < sizeof(ia_bits) / sizeof(ia_bits[0]); i++) {
			run(seed, STAGE_2, ia_bits[i]);
			run(seed, STAGE_1, ia_bits[i]);
		}
	}
	/* Much was asked of the engine. */
	assert_true(model_report().operations > OPERATIONS);
	assert_true(mm_statistics().blocks_split > 100);
	assert_true(mm_statistics().tables_merged > 100);
}

/* Too little memory for all that is asked for: what is refused must change nothing. */
static void nor_do_they_when_memory_runs_out(void **state)
{
	struct mm_usage before = mm_usage();
	static frame_t taken[RAM_SIZE / PAGE_SIZE];
	size_t count = 0;

	(void)state;
	while (frame_alloc(FRAME_UNDEFINED, &taken[count]) == MM_OK)
		count++;
	for (uint64_t seed = 100; seed < 130; seed++) {
		/* From 10 pages up: a root, a path, and few frames. */
		for (uint64_t i = 0; i < 10 + seed % 16; i++)
			frame_drop(&taken[--count]);
		run(seed, STAGE_2, 40);
		while (frame_alloc(FRAME_UNDEFINED, &taken[count]) == MM_OK)
			count++;
	}
	while (count > 0)
		frame_drop(&taken[--count]);
	expect_usage(&before);
}

static void *work(void *argument)
{
	struct part *part = argument;

	machine_set_cpu(part->cpu);
	for (int i = 0; i < 400; i++)
		one_cursor(part);
	return NULL;
}

/* Four CPUs, each in a part of one space. */
static void nor_do_they_side_by_side(void **state)
{
	struct mm_usage before = mm_usage();
	struct vm_space space;
	struct part parts[4];
	pthread_t threads[4];

	(void)state;
	make_space(STAGE_2, 40, &space);
	for (unsigned int i = 0; i < 4; i++) {
		parts[i] = (struct part){
			.space = &space,
			/* Neighbours: two of them meet in one table of level 1, two in one of level 3. */
			.range = irange(iaddr(i * (GIB + 2 * MIB + 64 * PAGE_SIZE)),
					iaddr((i + 1) * (GIB + 2 * MIB + 64 * PAGE_SIZE))),
			.random = { i + 1 },
			.cpu = i,
		};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &parts[i]), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(model_check_all(), 0);
	assert_int_equal(vm_space_destroy(&space), MM_OK);
	assert_int_equal(model_check_all(), 0);
	assert_true(model_report().operations > 4 * 400);
	expect_usage(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_operations_make_no_difference, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nor_do_they_when_memory_runs_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nor_do_they_side_by_side, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
