/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an MMU does with our tables is what the low-level machine may do: EL2's loads and stores through
 * its Stage 1, a guest's through Stage 2; and what must not pass does not.
 */
#include <strata/window.h>
#include "areas.h"
#include "random_step.h"

#define REGION UINT64_C(0x20000000) /* of the guest's IPAs */

/* ---- EL2 ----------------------------------------------------------------------------------- */

static void read_what_leaves(struct readings *readings, uint64_t ia, uint64_t size)
{
	for (unsigned int i = 0; i < 2; i++) {
		readings_take_all(readings, ia);
		readings_take_all(readings, ia + size - PAGE_SIZE + READINGS_LAST_WORD);
	}
}

TEST(what_el2_reads_the_machine_allows)
{
	struct vm_space *space = world_el2_space(world);
	const uint64_t base = world_el2_window(world).start.value;
	struct readings readings;

	for (uint32_t seed = 1; seed <= RANDOM_SEEDS; seed++) {
		uint32_t random = seed;

		readings_start(&readings, world, space, NULL);
		for (unsigned int i = 0; i < RANDOM_STEPS; i++) {
			random_step(&readings, base, &random, read_what_leaves);
			random_disturb(&random);
			for (unsigned int j = 0; j < RANDOM_WORDS; j++)
				readings_take_all(&readings, base + random_word(&random));
		}
		readings_expect_all_met(&readings);
		readings_take_all(&readings, base + REGION_BYTES);
		readings_take_all(&readings, UINT64_C(1) << 48);
		readings_unmap(&readings, base, REGION_BYTES, NULL);
		readings_take_all(&readings, base);
	}
}

TEST(what_el2_reads_through_a_window_the_machine_allows)
{
	struct vm_space *space = world_el2_space(world);
	struct kvirt_space *kvirt = make_kvirt(world);
	struct readings readings;
	struct windows *windows;
	struct iaddr address;
	frame_t frame;

	EXPECT_OK(windows_new(kvirt, &windows));
	readings_start(&readings, world, space, NULL);
	readings.low.hardware.table.constants.counted = false;
	for (unsigned int round = 0; round < 4; round++) {
		struct page_property property = round & 1 ? READ_ONLY : READ_WRITE;
		struct low_step step = { .kind = STEP_MAP };

		frame = world_frame(world);
		readings_fill(&readings, frame.paddr);
		EXPECT_OK(window_map(windows, frame.paddr, property, &address));
		step.mapping = (struct mapping){ span(address.value, PAGE_SIZE), frame.paddr,
						 property, false };
		readings_step(&readings, step);
		readings_take_all(&readings, address.value);
		readings_take_all(&readings, address.value + READINGS_LAST_WORD);
		EXPECT_OK(window_unmap(windows));
		step.kind = STEP_UNMAP;
		readings_step(&readings, step);
		step.kind = STEP_FLUSH;
		readings_step(&readings, step);
		readings_take_all(&readings, address.value);
		readings_take_all(&readings, address.value - WORD_BYTES);
		frame_drop(&frame);
	}
	EXPECT_OK(windows_destroy(windows));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* ---- A guest ------------------------------------------------------------------------------- */

TEST(what_a_guest_reads_through_stage2_the_machine_allows)
{
	struct readings readings;
	struct reader reader;

	for (uint32_t seed = 1; seed <= RANDOM_SEEDS; seed++) {
		uint32_t random = seed;

		reader_start(world, &reader);
		readings_start(&readings, world, reader_space(&reader), &reader);
		for (unsigned int i = 0; i < RANDOM_STEPS; i++) {
			random_step(&readings, REGION, &random, read_what_leaves);
			random_disturb(&random);
			for (unsigned int j = 0; j < RANDOM_WORDS; j++)
				readings_take_all(&readings, REGION + random_word(&random));
		}
		readings_expect_all_met(&readings);
		/* Larger than the space has addresses for. */
		readings_take_all(&readings, vm_space_range(readings.space).end.value);
		readings_take_all(&readings, UINT64_C(1) << 47);
		reader_end(world, &reader);
	}
}

/* ---- What must not pass -------------------------------------------------------------------- */

/* The address of the leaf descriptor that translates @ia. */
static struct paddr leaf_of(const struct vm_space *space, uint64_t ia)
{
	int level = space->geometry.root_level;
	uint64_t table = space->root.value;
	uint64_t index = ia >> (PAGE_SHIFT + 9 * (3 - level));

	for (;; level++) {
		struct paddr at = paddr(table + index * WORD_BYTES);
		uint64_t descriptor = world_read(at);

		if (level == 3 || (descriptor & 3) != 3)
			return at;
		table = descriptor & UINT64_C(0xfffffffff000);
		index = ia >> (PAGE_SHIFT + 9 * (2 - level)) & 511;
	}
}

static void expect_caught(struct readings *readings, uint64_t ia, enum access_kind kind)
{
	const struct access access = { kind, false, iaddr(ia), reader_word(0x1fff) };

	EXPECT_TRUE(readings_try(readings, &access) != NULL);
}

/* A leaf changed by no operation: to another page, to fewer permissions, to none. */
static void spoil_leaves(struct readings *readings, uint64_t ia)
{
	struct paddr leaves[3];
	uint64_t right[3];

	readings_map(readings, ia, 4, READ_WRITE);
	for (uint64_t i = 0; i < COUNT_OF(leaves); i++) {
		leaves[i] = leaf_of(readings->space, ia + i * PAGE_SIZE);
		right[i] = world_read(leaves[i]);
	}
	world_write(leaves[0], world_read(leaf_of(readings->space, ia + 3 * PAGE_SIZE)));
	/* Bit 7 is "write" at Stage 2, and "read-only" at Stage 1. */
	world_write(leaves[1], right[1] ^ 1 << 7);
	world_write(leaves[2], 0);
	expect_caught(readings, ia, ACCESS_READ);
	expect_caught(readings, ia + PAGE_SIZE, ACCESS_WRITE);
	expect_caught(readings, ia + 2 * PAGE_SIZE, ACCESS_READ);
	for (uint64_t i = 0; i < COUNT_OF(leaves); i++)
		world_write(leaves[i], right[i]);
	readings_unmap(readings, ia, 4 * PAGE_SIZE, NULL);
}

TEST(a_spoiled_leaf_is_seen_by_who_reads)
{
	const uint64_t window = world_el2_window(world).start.value;
	struct readings readings;
	struct reader reader;

	world_not_alone(world);
	readings_start(&readings, world, world_el2_space(world), NULL);
	spoil_leaves(&readings, window);
	reader_start(world, &reader);
	readings_start(&readings, world, reader_space(&reader), &reader);
	spoil_leaves(&readings, REGION);
	reader_end(world, &reader);
}

/* The machine has unmapped and flushed, the table has not: as if a TLB remembered. */
TEST(a_stale_translation_is_seen_by_who_reads)
{
	struct readings readings;
	struct reader reader;

	reader_start(world, &reader);
	readings_start(&readings, world, reader_space(&reader), &reader);
	readings_map(&readings, REGION, 1, READ_WRITE);
	readings_take_all(&readings, REGION);

	struct low_step step = { .kind = STEP_UNMAP, .mapping.range = span(REGION, PAGE_SIZE) };

	readings_step(&readings, step);
	readings_take_all(&readings, REGION);
	step.kind = STEP_FLUSH;
	readings_step(&readings, step);
	expect_caught(&readings, REGION, ACCESS_READ);
	reader_end(world, &reader);
}
