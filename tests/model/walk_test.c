/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walker against tables made by hand: what it says of good descriptors, and that it finds every
 * way in which one can be bad.
 */
#include "fake_machine.h"

#include <walk.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n) (UINT64_C(1) << (n))

/* A page at 0x80000000, read-write, never executed, write-back, accessed, counted. */
#define STAGE2_PAGE UINT64_C(0x00400000800007ff)
#define STAGE1_PAGE UINT64_C(0x0040000080000743)
/* The same as a block: bit 1 clear. */
#define STAGE2_BLOCK (STAGE2_PAGE & ~BIT(1))
#define STAGE1_BLOCK (STAGE1_PAGE & ~BIT(1))
#define TABLE_TYPE UINT64_C(3)

#define LEAVES_MAX 16

struct found {
	struct walk_leaf leaves[LEAVES_MAX];
	size_t leaf_count;
	struct walk_error errors[LEAVES_MAX];
	size_t error_count;
	uint64_t descriptors;
};

static void note_leaf(const struct walk_leaf *leaf, void *context)
{
	struct found *found = context;

	assert_true(found->leaf_count < LEAVES_MAX);
	found->leaves[found->leaf_count++] = *leaf;
}

static void note_error(const struct walk_error *error, void *context)
{
	struct found *found = context;

	assert_true(found->error_count < LEAVES_MAX);
	found->errors[found->error_count++] = *error;
}

static struct found walk_range(const struct walk_table *table, struct irange range,
			       struct walk_seen *seen)
{
	struct found found = { .leaf_count = 0 };
	struct walk_visitor visitor = { note_leaf, note_error, &found, seen };

	found.descriptors = walk_descriptors(table, range, &visitor);
	return found;
}

static struct found walk_all(const struct walk_table *table)
{
	return walk_range(table, walk_table_range(table), NULL);
}

/* Pages 16 to 19: a chain of tables for levels 0 to 3. Each one's entry 0 leads to the next. */
#define CHAIN_PAGE(level) fake_page(16 + (unsigned int)(level))

static struct walk_table chain(enum translation_stage stage)
{
	struct walk_table table = {
		.stage = stage,
		.geometry = { .ia_bits = 48, .root_level = 0, .root_tables = 1, .pa_bits = 40 },
		.root = CHAIN_PAGE(0),
	};

	fake_machine_reset();
	for (int level = 0; level <= 3; level++) {
		fake_set_state(CHAIN_PAGE(level), PAGE_TABLE, 1);
		if (level < 3)
			*fake_descriptor(CHAIN_PAGE(level), 0) =
				CHAIN_PAGE(level + 1).value | TABLE_TYPE;
	}
	return table;
}

/* ---- What good descriptors say -------------------------------------------------------------- */

static void every_property_is_decoded(void **state)
{
	static const struct {
		enum translation_stage stage;
		uint64_t descriptor;
		uint8_t flags;
		enum cache_policy cache;
		bool counted;
	} rows[] = {
		{ STAGE_2, 0x00400000800007ff, 0xb, CACHE_WRITEBACK, true },
		{ STAGE_2, 0x00000000800007ff, 0xf, CACHE_WRITEBACK, true },
		{ STAGE_2, 0x000000008000073f, 0xc, CACHE_WRITEBACK, true },
		{ STAGE_2, 0x00400000800003bf, 0x2, CACHE_WRITEBACK, true },
		{ STAGE_2, 0x004000008000037f, 0x1, CACHE_WRITEBACK, true },
		{ STAGE_2, 0x00400000800007eb, 0xb, CACHE_WRITETHROUGH, true },
		{ STAGE_2, 0x00400000800007d7, 0xb, CACHE_UNCACHED, true },
		{ STAGE_2, 0x00c00000800006c7, 0xb, CACHE_DEVICE, false },
		{ STAGE_1, 0x0040000080000743, 0xb, CACHE_WRITEBACK, true },
		{ STAGE_1, 0x00000000800007c3, 0xd, CACHE_WRITEBACK, true },
		{ STAGE_1, 0x00400000800003c3, 0x1, CACHE_WRITEBACK, true },
		{ STAGE_1, 0x0040000080000647, 0xb, CACHE_DEVICE, true },
		{ STAGE_1, 0x004000008000074b, 0xb, CACHE_UNCACHED, true },
		{ STAGE_1, 0x00c000008000074f, 0xb, CACHE_WRITETHROUGH, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct walk_table table = chain(rows[i].stage);
		struct found found;

		*fake_descriptor(CHAIN_PAGE(3), 5) = rows[i].descriptor;
		found = walk_all(&table);
		assert_int_equal(found.error_count, 0);
		assert_int_equal(found.leaf_count, 1);
		assert_int_equal(found.leaves[0].property.flags, rows[i].flags);
		assert_int_equal(found.leaves[0].property.cache, rows[i].cache);
		assert_int_equal(found.leaves[0].counted, rows[i].counted);
		assert_int_equal(found.leaves[0].output.value, 0x80000000);
		assert_false(found.leaves[0].faulty);
	}
}

static void expect_leaf(const struct found *found, size_t index, uint64_t start, uint64_t size,
			uint64_t output)
{
	assert_true(index < found->leaf_count);
	assert_int_equal(found->leaves[index].range.start.value, start);
	assert_int_equal(irange_size(found->leaves[index].range), size);
	assert_int_equal(found->leaves[index].output.value, output);
}

static void leaves_of_each_level_have_their_size(void **state)
{
	struct walk_table table = chain(STAGE_2);
	struct found found;

	(void)state;
	*fake_descriptor(CHAIN_PAGE(3), 511) = STAGE2_PAGE + 0x5000;
	*fake_descriptor(CHAIN_PAGE(2), 3) = STAGE2_BLOCK + 0x600000;
	*fake_descriptor(CHAIN_PAGE(1), 511) = STAGE2_BLOCK;
	found = walk_all(&table);
	assert_int_equal(found.error_count, 0);
	assert_int_equal(found.leaf_count, 3);
	expect_leaf(&found, 0, 0x1ff000, 0x1000, 0x80005000);
	expect_leaf(&found, 1, 0x600000, 0x200000, 0x80600000);
	expect_leaf(&found, 2, UINT64_C(511) << 30, UINT64_C(1) << 30, 0x80000000);
	assert_int_equal(found.descriptors, 4 * 512);
}

static void only_the_range_is_read(void **state)
{
	struct walk_table table = chain(STAGE_2);
	struct found found;

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		*fake_descriptor(CHAIN_PAGE(3), i) = STAGE2_PAGE + i * PAGE_SIZE;
	found = walk_range(&table, irange(iaddr(0x3000), iaddr(0x5000)), NULL);
	assert_int_equal(found.leaf_count, 2);
	expect_leaf(&found, 0, 0x3000, 0x1000, 0x80003000);
	expect_leaf(&found, 1, 0x4000, 0x1000, 0x80004000);
	assert_int_equal(found.descriptors, 3 + 2);
	/* A leaf is given whole, also when the range begins inside. */
	*fake_descriptor(CHAIN_PAGE(2), 1) = STAGE2_BLOCK;
	found = walk_range(&table, irange(iaddr(0x3ff000), iaddr(0x400000)), NULL);
	expect_leaf(&found, 0, 0x200000, 0x200000, 0x80000000);
}

static void concatenated_roots_are_indexed_like_one(void **state)
{
	struct walk_table table = {
		.stage = STAGE_2,
		.geometry = { .ia_bits = 34, .root_level = 2, .root_tables = 16, .pa_bits = 40 },
		.root = fake_page(32),
	};
	struct found found;

	(void)state;
	fake_machine_reset();
	for (unsigned int i = 0; i < 16; i++)
		fake_set_state(fake_page(32 + i), PAGE_TABLE, 1);
	*fake_descriptor(fake_page(32 + 13), 7) = STAGE2_BLOCK;
	found = walk_all(&table);
	assert_int_equal(found.error_count, 0);
	assert_int_equal(found.leaf_count, 1);
	expect_leaf(&found, 0, (UINT64_C(13) << 30) + (7 << 21), 1 << 21, 0x80000000);
	assert_int_equal(found.descriptors, 16 * 512);
	/* Other roots than that of the range are not looked at. */
	fake_set_state(fake_page(32 + 12), PAGE_UNUSED, 0);
	found = walk_range(&table, found.leaves[0].range, NULL);
	assert_int_equal(found.error_count, 0);
	assert_int_equal(found.leaf_count, 1);
	assert_int_equal(found.descriptors, 1);
	assert_int_equal(walk_descriptor_range(&table, iaddr(UINT64_C(13) << 30)).end.value,
			 (UINT64_C(13) << 30) + (1 << 21));
}

static void descriptor_range_is_that_of_the_last_descriptor(void **state)
{
	struct walk_table table = chain(STAGE_2);

	(void)state;
	*fake_descriptor(CHAIN_PAGE(2), 1) = STAGE2_BLOCK;
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(0x1000))), 0x1000);
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(0x201000))), 1 << 21);
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(0x401000))), 1 << 21);
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(UINT64_C(5) << 30))),
			 1 << 30);
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(UINT64_C(5) << 39))),
			 UINT64_C(1) << 39);
}

/* ---- What bad ones are called --------------------------------------------------------------- */

static void every_bad_leaf_is_named(void **state)
{
	static const struct {
		enum translation_stage stage;
		int level;
		uint64_t descriptor;
		enum walk_error_kind error;
	} rows[] = {
		{ STAGE_2, 3, STAGE2_BLOCK, WALK_RESERVED_TYPE },
		{ STAGE_1, 3, STAGE1_BLOCK, WALK_RESERVED_TYPE },
		{ STAGE_2, 0, STAGE2_BLOCK, WALK_BLOCK_LEVEL },
		{ STAGE_1, 0, STAGE1_BLOCK, WALK_BLOCK_LEVEL },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(40), WALK_OUTPUT_TOO_LARGE },
		{ STAGE_1, 1, STAGE1_BLOCK | BIT(47), WALK_OUTPUT_TOO_LARGE },
		{ STAGE_2, 2, STAGE2_BLOCK | BIT(12), WALK_OUTPUT_UNALIGNED },
		{ STAGE_2, 2, STAGE2_BLOCK | BIT(16), WALK_OUTPUT_UNALIGNED },
		{ STAGE_2, 2, STAGE2_BLOCK | BIT(20), WALK_OUTPUT_UNALIGNED },
		{ STAGE_1, 1, STAGE1_BLOCK | BIT(21), WALK_OUTPUT_UNALIGNED },
		{ STAGE_1, 1, STAGE1_BLOCK | BIT(29), WALK_OUTPUT_UNALIGNED },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(11), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(48), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(49), WALK_RESERVED_BITS },
		{ STAGE_1, 3, STAGE1_PAGE | BIT(50), WALK_RESERVED_BITS },
		{ STAGE_1, 3, STAGE1_PAGE | BIT(51), WALK_RESERVED_BITS },
		{ STAGE_2, 2, STAGE2_BLOCK | BIT(52), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(53), WALK_RESERVED_BITS },
		{ STAGE_1, 3, STAGE1_PAGE | BIT(53), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(56), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE | BIT(63), WALK_RESERVED_BITS },
		{ STAGE_1, 3, STAGE1_PAGE | BIT(5), WALK_RESERVED_BITS },
		{ STAGE_2, 3, STAGE2_PAGE & ~(BIT(8) | BIT(9)), WALK_SHAREABILITY },
		{ STAGE_2, 3, STAGE2_PAGE & ~BIT(8), WALK_SHAREABILITY },
		{ STAGE_1, 3, STAGE1_PAGE & ~BIT(9), WALK_SHAREABILITY },
		{ STAGE_2, 3, 0x00c00000800007c7, WALK_SHAREABILITY }, /* Device, Inner */
		{ STAGE_1, 3, 0x0040000080000747, WALK_SHAREABILITY },
		{ STAGE_2, 3, STAGE2_PAGE & ~(UINT64_C(0xf) << 2), WALK_MEMORY_TYPE },
		{ STAGE_2, 3, STAGE2_PAGE & ~(UINT64_C(0x8) << 2), WALK_MEMORY_TYPE },
		{ STAGE_2, 3, STAGE2_PAGE & ~(UINT64_C(0xd) << 2), WALK_MEMORY_TYPE },
		{ STAGE_1, 3, STAGE1_PAGE | BIT(4), WALK_MEMORY_TYPE },
		{ STAGE_1, 3, STAGE1_PAGE & ~BIT(6), WALK_ACCESS_BIT },
		{ STAGE_1, 2, STAGE1_BLOCK & ~BIT(54), WALK_WRITABLE_EXECUTABLE },
		{ STAGE_2, 3, 0x00800000800006c7, WALK_DEVICE_EXECUTABLE },
		{ STAGE_1, 3, 0x00000000800006c7, WALK_DEVICE_EXECUTABLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct walk_table table = chain(rows[i].stage);
		struct found found;

		*fake_descriptor(CHAIN_PAGE(rows[i].level), 9) = rows[i].descriptor;
		found = walk_all(&table);
		if (found.error_count != 1)
			fail_msg("row %zu: %zu errors", i, found.error_count);
		if (found.errors[0].kind != rows[i].error)
			fail_msg("row %zu: %s", i, walk_error_text(found.errors[0].kind));
		assert_int_equal(found.errors[0].level, rows[i].level);
		assert_int_equal(found.errors[0].descriptor, rows[i].descriptor);
		for (size_t leaf = 0; leaf < found.leaf_count; leaf++)
			assert_true(found.leaves[leaf].faulty);
	}
}

static void expect_error(const struct walk_table *table, struct walk_seen *seen,
			 enum walk_error_kind kind)
{
	struct found found = walk_range(table, walk_table_range(table), seen);

	assert_int_equal(found.error_count, 1);
	assert_int_equal(found.errors[0].kind, kind);
}

/* Every bit of a table descriptor but its address and type: hierarchical attributes and the rest. */
static void table_attributes_are_named(void **state)
{
	(void)state;
	for (unsigned int bit = 2; bit < 64; bit++) {
		struct walk_table table = chain(bit & 1 ? STAGE_1 : STAGE_2);

		if (bit >= 12 && bit < 48)
			continue;
		*fake_descriptor(CHAIN_PAGE(1), 0) |= BIT(bit);
		expect_error(&table, NULL, WALK_TABLE_ATTRIBUTES);
	}
}

static void table_addresses_are_not_trusted(void **state)
{
	struct walk_table table = chain(STAGE_2);

	(void)state;
	*fake_descriptor(CHAIN_PAGE(1), 7) = BIT(40) | TABLE_TYPE;
	expect_error(&table, NULL, WALK_TABLE_TOO_LARGE);

	*fake_descriptor(CHAIN_PAGE(1), 7) = 0x1000 | TABLE_TYPE; /* no memory */
	expect_error(&table, NULL, WALK_TABLE_USAGE);

	*fake_descriptor(CHAIN_PAGE(1), 7) = fake_page(50).value | TABLE_TYPE;
	fake_set_state(fake_page(50), PAGE_FRAME, 1);
	expect_error(&table, NULL, WALK_TABLE_USAGE);

	*fake_descriptor(CHAIN_PAGE(1), 7) = 0x1000 | TABLE_TYPE;
	assert_int_equal(irange_size(walk_descriptor_range(&table, iaddr(UINT64_C(7) << 30))),
			 1 << 21); /* as far as it can be followed */

	fake_set_state(table.root, PAGE_UNUSED, 0);
	expect_error(&table, NULL, WALK_TABLE_USAGE);
	table.root = paddr(0x1000);
	expect_error(&table, NULL, WALK_TABLE_USAGE);
}

static void loops_are_found_on_the_way_down(void **state)
{
	struct walk_table table = chain(STAGE_2);

	(void)state;
	*fake_descriptor(CHAIN_PAGE(2), 7) = CHAIN_PAGE(2).value | TABLE_TYPE;
	expect_error(&table, NULL, WALK_TABLE_LOOP);
	*fake_descriptor(CHAIN_PAGE(2), 7) = CHAIN_PAGE(0).value | TABLE_TYPE;
	expect_error(&table, NULL, WALK_TABLE_LOOP);
}

static void shared_tables_are_found(void **state)
{
	static unsigned char memory[4096];
	struct walk_table table = chain(STAGE_2);
	struct model_arena arena;
	struct model_pool pool;
	struct walk_seen seen;

	(void)state;
	model_arena_init(&arena, memory, sizeof(memory));
	model_pool_init(&pool, &arena, sizeof(struct seen_table));
	walk_seen_init(&seen, &pool);
	*fake_descriptor(CHAIN_PAGE(2), 7) = CHAIN_PAGE(3).value | TABLE_TYPE;
	expect_error(&table, &seen, WALK_TABLE_SHARED);

	/* Another walk with the same memory: the root itself was seen. */
	*fake_descriptor(CHAIN_PAGE(2), 7) = 0;
	expect_error(&table, &seen, WALK_TABLE_SHARED);

	walk_seen_clear(&seen);
	assert_int_equal(walk_range(&table, walk_table_range(&table), &seen).error_count, 0);
	assert_false(seen.full);
	walk_seen_clear(&seen);
	arena.left = 0;
	while (model_pool_take(&pool) != NULL)
		;
	walk_range(&table, walk_table_range(&table), &seen);
	assert_true(seen.full);
}

static void impossible_roots_are_named(void **state)
{
	static const struct {
		enum translation_stage stage;
		struct translation_geometry geometry;
		enum walk_error_kind error;
	} rows[] = {
		{ STAGE_2, { 40, 1, 1, 40 }, WALK_GEOMETRY },  /* two tables needed */
		{ STAGE_2, { 44, 1, 32, 40 }, WALK_GEOMETRY }, /* too many */
		{ STAGE_1, { 40, 1, 2, 40 }, WALK_GEOMETRY },  /* Stage 1 concatenates none */
		{ STAGE_2, { 49, 0, 2, 40 }, WALK_GEOMETRY },
		{ STAGE_2, { 25, 3, 16, 40 }, WALK_GEOMETRY },
		{ STAGE_2, { 21, 2, 1, 40 }, WALK_GEOMETRY },
		{ STAGE_2, { 39, 1, 1, 52 }, WALK_GEOMETRY },
		{ STAGE_2, { 40, 1, 2, 40 }, WALK_ROOT_ALIGNMENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct walk_table table = { rows[i].stage, rows[i].geometry, fake_page(33), false,
					    SPACE_WHOLE };

		fake_machine_reset();
		for (unsigned int page = 0; page < FAKE_PAGES; page++)
			fake_set_state(fake_page(page), PAGE_TABLE, 1);
		expect_error(&table, NULL, rows[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_property_is_decoded),
		cmocka_unit_test(leaves_of_each_level_have_their_size),
		cmocka_unit_test(only_the_range_is_read),
		cmocka_unit_test(concatenated_roots_are_indexed_like_one),
		cmocka_unit_test(descriptor_range_is_that_of_the_last_descriptor),
		cmocka_unit_test(every_bad_leaf_is_named),
		cmocka_unit_test(table_attributes_are_named),
		cmocka_unit_test(table_addresses_are_not_trusted),
		cmocka_unit_test(loops_are_found_on_the_way_down),
		cmocka_unit_test(shared_tables_are_found),
		cmocka_unit_test(impossible_roots_are_named),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
