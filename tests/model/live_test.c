/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model beside the subsystem itself, on the simulated machine: random cursor operations, right
 * and wrong ones, on spaces of every shape of root. Nothing here knows what should happen; the model
 * does, and must find no difference.
 */
#include "live_operation.h"

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
