/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory map that start-up makes of a tree's: who has what, and what cannot be. */
#include <memory_map.h>
#include <model_pool.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PA_BITS 40

static struct boot_info info;
static struct boot_error error;

static struct prange range(uint64_t start, uint64_t size)
{
	return prange(paddr(start), paddr(start + size));
}

static const struct prange image = { { GIB }, { GIB + MIB } };

/* 1 GiB of RAM at 1 GiB, the tree and an initrd in it, a console below. */
static int machine(void **state)
{
	(void)state;
	memset(&info, 0, sizeof(info));
	memset(&error, 0, sizeof(error));
	info.device_tree = paddr(GIB + 2 * MIB + 8);
	info.device_tree_size = 1000;
	info.initrd = range(GIB + 4 * MIB, 100);
	info.devices[info.device_count++] = (struct boot_range){ range(16 * MIB, 4096), "console" };
	return memory_map_add(&info, range(GIB, GIB), &error) ? 0 : -1;
}

static bool complete(void)
{
	return memory_map_complete(&info, image, PA_BITS, &error);
}

static bool complete_with_model(void)
{
	return complete() && model_pool_place(&info, &error);
}

static void expect_refused(const char *reason)
{
	if (complete())
		fail_msg("accepted");
	if (strstr(error.text, reason) == NULL)
		fail_msg("refused because '%s'", error.text);
}

static void everybody_has_a_reservation(void **state)
{
	static const struct {
		const char *name;
		uint64_t start, end;
		enum page_usage usage;
	} expected[] = {
		{ "device tree", GIB + 2 * MIB, GIB + 2 * MIB + PAGE_SIZE, PAGE_RESERVED },
		{ "initrd", GIB + 4 * MIB, GIB + 4 * MIB + PAGE_SIZE, PAGE_RESERVED },
		{ "image", GIB, GIB + MIB, PAGE_HYPERVISOR },
		{ "model", 2 * GIB - 32 * MIB, 2 * GIB, PAGE_HYPERVISOR },
	};

	(void)state;
	assert_true(complete_with_model());
	assert_int_equal(info.reserved_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(info.reserved[i].name, expected[i].name);
		assert_int_equal(info.reserved[i].range.start.value, expected[i].start);
		assert_int_equal(info.reserved[i].range.end.value, expected[i].end);
		assert_int_equal(info.reservations[i].range.start.value, expected[i].start);
		assert_int_equal(info.reservations[i].usage, expected[i].usage);
	}
	assert_int_equal(info.model_pool.start.value, 2 * GIB - 32 * MIB);
}

static void model_pool_is_optional(void **state)
{
	(void)state;
	assert_true(complete());
	assert_true(prange_is_empty(info.model_pool));
	assert_int_equal(info.reserved_count, 3);
}

static void model_pool_keeps_clear(void **state)
{
	(void)state;
	assert_true(memory_map_reserve(&info, range(2 * GIB - 10 * MIB, 1), "a", PAGE_RESERVED,
				       &error));
	assert_true(memory_map_reserve(&info, range(2 * GIB - 50 * MIB, 20 * MIB), "b",
				       PAGE_RESERVED, &error));
	assert_true(complete_with_model());
	assert_int_equal(info.model_pool.end.value, 2 * GIB - 50 * MIB);
	assert_int_equal(prange_size(info.model_pool), 32 * MIB);
}

/* Its share of RAM, but never less than 6 MiB and never more than 64. */
static void model_pool_has_bounds(void **state)
{
	static const struct {
		uint64_t memory, pool;
	} cases[] = { { 64 * MIB, 6 * MIB },
		      { 256 * MIB, 8 * MIB },
		      { 2 * GIB, 64 * MIB },
		      { 64 * GIB, 64 * MIB } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		machine(state);
		info.memory[0] = range(GIB, cases[i].memory);
		assert_true(complete_with_model());
		assert_int_equal(prange_size(info.model_pool), cases[i].pool);
	}
}

static void no_room_for_the_model(void **state)
{
	(void)state;
	assert_true(memory_map_reserve(&info, range(GIB + 5 * MIB, GIB - 5 * MIB), "a",
				       PAGE_RESERVED, &error));
	assert_false(complete_with_model());
	assert_non_null(strstr(error.text, "32 MiB"));
}

static void image_must_be_in_memory(void **state)
{
	(void)state;
	assert_true(memory_map_remove(&info, range(GIB + 4096, 4096), &error));
	expect_refused("the image");
}

static void tree_must_be_in_memory(void **state)
{
	(void)state;
	info.device_tree = paddr(8 * GIB);
	expect_refused("the device tree");
}

static void tree_must_not_be_in_the_image(void **state)
{
	(void)state;
	info.device_tree = paddr(GIB + MIB - 8);
	expect_refused("overlaps the image");
}

static void initrd_must_be_in_memory(void **state)
{
	static const struct prange outside[] = {
		{ { 2 * GIB - 10 }, { 2 * GIB + 10 } },
		{ { 4096 }, { 8192 } },
		{ { 0 }, { 8 * GIB } },
		{ { GIB - 1 }, { GIB + 5 * MIB } },
		{ { 8 * GIB }, { 9 * GIB } },
	};

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		machine(state);
		info.initrd = outside[i];
		expect_refused("the initrd");
	}
}

static void initrd_must_be_apart(void **state)
{
	info.initrd = range(GIB + 1, 1);
	expect_refused("overlaps");
	machine(state);
	info.initrd = range(GIB + 2 * MIB, 9);
	expect_refused("overlaps");
}

static void device_must_not_be_in_memory(void **state)
{
	(void)state;
	info.devices[info.device_count++] =
		(struct boot_range){ range(2 * GIB - 4096, 4096), "timer" };
	expect_refused("device timer");
}

static void memory_beyond_the_cpu_is_left_out(void **state)
{
	(void)state;
	assert_true(memory_map_add(&info, range((UINT64_C(1) << PA_BITS) - MIB, 2 * MIB), &error));
	assert_true(memory_map_add(&info, range(UINT64_C(1) << 47, GIB), &error));
	assert_true(complete());
	assert_int_equal(info.memory_count, 2);
	assert_int_equal(info.memory[1].end.value, UINT64_C(1) << PA_BITS);
}

static void no_memory_in_reach(void **state)
{
	(void)state;
	info.memory[0] = range(UINT64_C(1) << PA_BITS, GIB);
	expect_refused("no memory that this CPU can address");
}

/* Taking out [start, end) of one range from 10 to 20 pages leaves what an array says is left. */
static void removal_leaves_the_rest(void **state)
{
	(void)state;
	for (uint64_t start = 8; start < 22; start++) {
		for (uint64_t end = start; end < 23; end++) {
			memset(&info, 0, sizeof(info));
			assert_true(memory_map_add(&info, range(10 * PAGE_SIZE, 10 * PAGE_SIZE),
						   &error));
			assert_true(memory_map_remove(
				&info, prange(paddr(start * PAGE_SIZE), paddr(end * PAGE_SIZE)),
				&error));
			for (uint64_t page = 8; page < 23; page++) {
				bool left =
					page >= 10 && page < 20 && !(page >= start && page < end);

				assert_int_equal(
					memory_map_has(&info, range(page * PAGE_SIZE, PAGE_SIZE)),
					left);
			}
		}
	}
}

#define IN_MACHINE(claim) cmocka_unit_test_setup(claim, machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MACHINE(everybody_has_a_reservation),
		IN_MACHINE(model_pool_is_optional),
		IN_MACHINE(model_pool_keeps_clear),
		IN_MACHINE(model_pool_has_bounds),
		IN_MACHINE(no_room_for_the_model),
		IN_MACHINE(image_must_be_in_memory),
		IN_MACHINE(tree_must_be_in_memory),
		IN_MACHINE(tree_must_not_be_in_the_image),
		IN_MACHINE(initrd_must_be_in_memory),
		IN_MACHINE(initrd_must_be_apart),
		IN_MACHINE(device_must_not_be_in_memory),
		IN_MACHINE(memory_beyond_the_cpu_is_left_out),
		IN_MACHINE(no_memory_in_reach),
		cmocka_unit_test(removal_leaves_the_rest),
	};

	return cmocka_run_group_tests_name("memory map", tests, NULL, NULL);
}
