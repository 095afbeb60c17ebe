/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest reads through both stages is what the low-level machine may do, with the guest's own
 * tables in front of it: their permissions, those of EL0 too, and the walk itself.
 */
#include "mapping.h"
#include "random_step.h"

#define REGION UINT64_C(0x20000000) /* of the guest's IPAs */

/* The guest's own tables, and what they say of the region: page by page, and in blocks. */
#define TABLE1 UINT64_C(0x10030000)
#define TABLE2 (TABLE1 + PAGE_SIZE)
#define TABLE3 (TABLE2 + PAGE_SIZE)
#define VA UINT64_C(0x7000200000)
#define VA_PROGRAM (VA + 511 * PAGE_SIZE)

#define GUEST_TABLE UINT64_C(0x3)
#define GUEST_PAGE UINT64_C(0x303) /* inner shareable, attributes 0 */
#define GUEST_BLOCK UINT64_C(0x301)
#define GUEST_ACCESSED (UINT64_C(1) << 10)
#define GUEST_READ_ONLY (UINT64_C(1) << 7)
#define GUEST_EL0 (UINT64_C(1) << 6)
#define GUEST_EL1_NO_EXECUTE (UINT64_C(1) << 53)
#define GUEST_EL0_NO_EXECUTE (UINT64_C(1) << 54) /* whatever GUEST_EL0 says */

static uint64_t guest_attributes(uint8_t flags)
{
	uint64_t attributes = 0;

	if (flags & PAGE_ACCESSED)
		attributes |= GUEST_ACCESSED;
	if (!(flags & PAGE_WRITE))
		attributes |= GUEST_READ_ONLY;
	if (flags & PROPERTY_USER)
		attributes |= GUEST_EL0;
	if (!(flags & PAGE_EXECUTE))
		attributes |= GUEST_EL1_NO_EXECUTE;
	if (!(flags & PAGE_EXECUTE) || !(flags & PROPERTY_USER))
		attributes |= GUEST_EL0_NO_EXECUTE;
	return attributes;
}

/* Of every eight pages. What EL0 may write EL1 never executes, so both are not said at once. */
static const uint8_t guest_flags[] = {
	PAGE_READ | PAGE_WRITE | PAGE_ACCESSED | PROPERTY_USER,
	PAGE_READ | PAGE_ACCESSED | PROPERTY_USER | PAGE_EXECUTE,
	PAGE_READ | PAGE_WRITE | PAGE_ACCESSED | PAGE_EXECUTE,
	PAGE_READ | PAGE_ACCESSED,
	PAGE_READ | PAGE_WRITE | PROPERTY_USER,
	PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
	PAGE_READ | PAGE_ACCESSED | PAGE_EXECUTE,
	0, /* not mapped */
};

struct guest_tables {
	struct guest_stage1 stage1;
	struct paddr level1, level2, level3;
};

static void put(struct paddr table, uint64_t index, uint64_t descriptor)
{
	world_write(paddr(table.value + index * WORD_BYTES), descriptor);
}

static void guest_says(struct guest_tables *tables, uint64_t va, uint64_t size, uint64_t ipa,
		       uint8_t flags)
{
	EXPECT_TRUE(
		mappings_insert(&tables->stage1.table.mappings,
				(struct mapping){ span(va, size), paddr(ipa),
						  page_property(flags, CACHE_WRITEBACK), false }));
	if (size == PAGE_SIZE)
		put(tables->level3, va >> 12 & 511, ipa | GUEST_PAGE | guest_attributes(flags));
	else
		put(tables->level2, va >> 21 & 511, ipa | GUEST_BLOCK | guest_attributes(flags));
}

/* 2 MiB from VA on by pages, and 2 MiB each in a block; and the program, for itself and for EL0. */
static void make_tables(struct readings *readings, struct guest_tables *tables)
{
	struct page_table_state *table = &tables->stage1.table;
	const uint8_t block_flags[] = { guest_flags[0], guest_flags[6], guest_flags[4] };

	readings_map(readings, TABLE1, 3, READ_WRITE);
	tables->level1 = item_at(readings->space, TABLE1).output;
	tables->level2 = item_at(readings->space, TABLE2).output;
	tables->level3 = item_at(readings->space, TABLE3).output;
	mappings_init(&table->mappings, &readings->pools.extents);
	table->constants = readings->low.hardware.table.constants;
	table->constants.input = irange(iaddr(0), iaddr(UINT64_C(1) << 39));
	table->constants.arch = (struct table_arch){
		.level_count = 3,
		.root_level = 1,
		.levels = { { 512, GIB(1), true },
			    { 512, MIB(2), true },
			    { 512, PAGE_SIZE, true } },
	};
	put(tables->level1, 0, GUEST_BLOCK | GUEST_ACCESSED);
	put(tables->level1, VA >> 30 & 511, TABLE2 | GUEST_TABLE);
	put(tables->level2, VA >> 21 & 511, TABLE3 | GUEST_TABLE);
	for (uint64_t i = 0; i < 511; i++)
		if (guest_flags[i % COUNT_OF(guest_flags)] != 0)
			guest_says(tables, VA + i * PAGE_SIZE, PAGE_SIZE, REGION + i * PAGE_SIZE,
				   guest_flags[i % COUNT_OF(guest_flags)]);
	guest_says(tables, VA_PROGRAM, PAGE_SIZE, READER_PROGRAM, guest_flags[1]);
	for (uint64_t i = 0; i < COUNT_OF(block_flags); i++)
		guest_says(tables, VA + MIB(2) * (i + 1), MIB(2), REGION + MIB(2) * (i + 1),
			   block_flags[i]);
}

/* The descriptors that a walk for @va reads. */
static void set_walk(struct guest_stage1 *stage1, uint64_t va)
{
	stage1->walk[0] = iaddr(TABLE1 + (va >> 30 & 511) * WORD_BYTES);
	stage1->walk[1] = iaddr(TABLE2 + (va >> 21 & 511) * WORD_BYTES);
	stage1->walk[2] = iaddr(TABLE3 + (va >> 12 & 511) * WORD_BYTES);
	stage1->walk_length = va - VA < MIB(2) ? 3 : 2;
}

static void take_at_va(struct readings *readings, uint64_t va)
{
	set_walk(readings->stage1, va);
	readings_take_all(readings, va);
}

static void read_what_leaves_by_va(struct readings *readings, uint64_t ipa, uint64_t size)
{
	const uint64_t last = ipa + size - PAGE_SIZE;

	for (unsigned int i = 0; i < 2; i++) {
		take_at_va(readings, ipa - REGION + VA);
		if (last - REGION + VA != VA_PROGRAM)
			take_at_va(readings, last - REGION + VA + READINGS_LAST_WORD);
	}
}

static void start_both(struct world *world, struct readings *readings, struct reader *reader,
		       struct guest_tables *tables)
{
	*tables = (struct guest_tables){ .level1 = { 0 } };
	reader_start(world, reader);
	readings_start(readings, world, reader_space(reader), reader);
	make_tables(readings, tables);
	reader_stage1_on(reader, iaddr(TABLE1));
	readings->stage1 = &tables->stage1;
	readings->user_program = VA_PROGRAM;
}

TEST(what_a_guest_reads_through_both_stages_the_machine_allows)
{
	struct readings readings;
	struct guest_tables tables;
	struct reader reader;

	for (uint32_t seed = 1; seed <= RANDOM_SEEDS; seed++) {
		uint32_t random = seed;

		start_both(world, &readings, &reader, &tables);
		for (unsigned int i = 0; i < RANDOM_STEPS; i++) {
			random_step(&readings, REGION, &random, read_what_leaves_by_va);
			random_disturb(&random);
			for (unsigned int j = 0; j < RANDOM_WORDS; j++) {
				uint64_t va = VA + random_word(&random);

				if (va / PAGE_SIZE != VA_PROGRAM / PAGE_SIZE)
					take_at_va(&readings, va);
			}
		}
		readings_expect_all_met(&readings);
		reader_end(world, &reader);
	}
}

/* The guest's tables are memory like any other: without it a walk faults, of Stage 2. */
TEST(what_a_guest_reads_without_its_tables_the_machine_allows)
{
	static const uint64_t lost[] = { TABLE3, TABLE2, TABLE1 };
	struct readings readings;
	struct guest_tables tables;
	struct reader reader;

	for (size_t i = 0; i < COUNT_OF(lost); i++) {
		start_both(world, &readings, &reader, &tables);
		readings_map(&readings, REGION, 2, READ_WRITE);
		readings_map(&readings, REGION + MIB(2), 1, READ_WRITE);
		take_at_va(&readings, VA);
		take_at_va(&readings, VA + MIB(2));
		readings_protect(&readings, lost[i], PAGE_SIZE,
				 page_property(PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK));
		set_walk(&tables.stage1, VA);
		readings_take(&readings, &(struct access){ .address = iaddr(VA) });
		readings_unmap(&readings, lost[i], PAGE_SIZE, NULL);
		readings_take(&readings, &(struct access){ .address = iaddr(VA) });
		set_walk(&tables.stage1, VA + MIB(2));
		readings_take(&readings, &(struct access){ .address = iaddr(VA + MIB(2)) });
		reader_end(world, &reader);
	}
}
