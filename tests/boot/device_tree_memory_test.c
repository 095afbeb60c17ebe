/* SPDX-License-Identifier: BSD-3-Clause */
/* Which memory start-up reads from a device tree. */
#include "parsed_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static void memory_is_sorted_and_joined(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memory_count = 5;
	plan.memory[0] = (struct plan_range){ 8 * GIB, GIB };
	plan.memory[1] = (struct plan_range){ 2 * GIB, GIB };
	plan.memory[2] = (struct plan_range){ 5 * GIB, 0 };
	plan.memory[3] = (struct plan_range){ GIB, GIB };
	plan.memory[4] = (struct plan_range){ 3 * GIB, MIB };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(0, GIB, 3 * GIB + MIB);
	expect_ram(1, 8 * GIB, 9 * GIB);
}

static void memory_above_48_bits_is_left_out(void **state)
{
	const uint64_t limit = UINT64_C(1) << 48;
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memory_count = 3;
	plan.memory[1] = (struct plan_range){ limit - MIB, 2 * MIB };
	plan.memory[2] = (struct plan_range){ limit + GIB, GIB };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(1, limit - MIB, limit);
}

static void reserved_ranges_are_rounded_outwards(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memreserve_count = 1;
	plan.memreserve[0] = (struct plan_range){ GIB + 100, 1 };
	plan.reserved_count = 3;
	plan.reserved[0] = (struct plan_reserved){ "a@1", { GIB + 0x2fff, 2 }, false, false };
	plan.reserved[1] = (struct plan_reserved){ "b@2", { GIB + 0x9000, 0 }, false, false };
	plan.reserved[2] = (struct plan_reserved){ "c@3", { GIB + 0xa000, 1 }, true, true };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 1);
	assert_int_equal(info.reserved_count, 2);
	assert_int_equal(info.reserved[0].range.start.value, GIB);
	assert_int_equal(info.reserved[0].range.end.value, GIB + 0x1000);
	assert_string_equal(info.reserved[1].name, "a@1");
	assert_int_equal(info.reserved[1].range.start.value, GIB + 0x2000);
	assert_int_equal(info.reserved[1].range.end.value, GIB + 0x4000);
	assert_int_equal(info.reservations[1].range.end.value, GIB + 0x4000);
	assert_int_equal(info.reservations[1].usage, PAGE_RESERVED);
}

static void unmapped_ranges_split_memory(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.reserved_count = 3;
	plan.reserved[0] = (struct plan_reserved){ "edge@1", { GIB - MIB, MIB + 1 }, true, false };
	plan.reserved[1] = (struct plan_reserved){ "hole@2", { GIB + MIB, MIB }, true, false };
	plan.reserved[2] = (struct plan_reserved){ "end@3", { 2 * GIB - 1, 1 }, true, false };
	plan.initrd_start = GIB + 4 * MIB;
	plan.initrd_end = GIB + 5 * MIB;
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(0, GIB + PAGE_SIZE, GIB + MIB);
	expect_ram(1, GIB + 2 * MIB, 2 * GIB - PAGE_SIZE);
	assert_int_equal(info.reserved_count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_sorted_and_joined),
		cmocka_unit_test(memory_above_48_bits_is_left_out),
		cmocka_unit_test(reserved_ranges_are_rounded_outwards),
		cmocka_unit_test(unmapped_ranges_split_memory),
	};

	return cmocka_run_group_tests_name("memory of a device tree", tests, NULL, NULL);
}
