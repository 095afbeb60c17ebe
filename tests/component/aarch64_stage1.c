/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest with tables of its own: its addresses go through both stages. */
#include "el1.h"
#include "harness.h"

/* 39-bit addresses from level 1, walks write-back and inner shareable, 40-bit output. */
#define TCR_39_BITS UINT64_C(0x280803519)
#define MAIR_WRITEBACK 0xff
#define TABLE UINT64_C(0x3)
#define PAGE UINT64_C(0x703) /* Access flag, inner shareable, writable, attributes 0 */
#define BLOCK UINT64_C(0x701)

/* The guest's tables, in its own memory. */
#define TABLE1 UINT64_C(0x10030000)
#define TABLE2 UINT64_C(0x10031000)
#define TABLE3 UINT64_C(0x10032000)
#define READ_ONLY UINT64_C(0x10040000)

#define VA UINT64_C(0x7000201000) /* not the IPA of anything */
#define VA_READ_ONLY (VA + PAGE_SIZE)

struct tables {
	struct paddr level1, level2, level3;
};

static void put(struct paddr table, uint64_t index, uint64_t descriptor)
{
	world_write(paddr(table.value + index * 8), descriptor);
}

/* The first GiB maps to itself, VA to EL1_DATA, the page after it to READ_ONLY. */
static struct tables make_tables(struct world *world, struct el1 *el1)
{
	const struct tables tables = {
		el1_map(world, el1, TABLE1, PAGE_READ | PAGE_WRITE),
		el1_map(world, el1, TABLE2, PAGE_READ | PAGE_WRITE),
		el1_map(world, el1, TABLE3, PAGE_READ | PAGE_WRITE),
	};

	put(tables.level1, 0, BLOCK);
	put(tables.level1, VA >> 30, TABLE2 | TABLE);
	put(tables.level2, VA >> 21 & 511, TABLE3 | TABLE);
	put(tables.level3, VA >> 12 & 511, EL1_DATA | PAGE);
	put(tables.level3, VA_READ_ONLY >> 12 & 511, READ_ONLY | PAGE);
	return tables;
}

static void start_with_tables(struct world *world, struct el1 *el1, const uint32_t *words,
			      size_t count)
{
	el1_start(world, el1, words, count);
	make_tables(world, el1);
	el1_map(world, el1, READ_ONLY, PAGE_READ);
	el1->vcpu.system.ttbr0_el1 = TABLE1;
	el1->vcpu.system.tcr_el1 = TCR_39_BITS;
	el1->vcpu.system.mair_el1 = MAIR_WRITEBACK;
	el1->vcpu.system.sctlr_el1 |= 1;
}

/* A permission fault need not come with HPFAR_EL2: the IPA is found by the guest's own tables. */
TEST(guest_permission_fault_names_the_ipa)
{
	struct el1 el1;
	struct stage2_abort abort;

	start_with_tables(world, &el1, EL1_PROGRAM_OF(el1_store));
	el1.vcpu.system.par_el1 = 0x1;
	el1.vcpu.x[0] = VA_READ_ONLY + 0x340;
	struct vcpu_exit exit = el1_run(&el1);

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.fault, STAGE2_FAULT_PERMISSION);
	EXPECT_EQUAL(abort.access, STAGE2_WRITE);
	EXPECT_EQUAL(abort.va, VA_READ_ONLY + 0x340);
	EXPECT_EQUAL(abort.ipa.value, READ_ONLY + 0x340);
	EXPECT_FALSE(abort.table_walk);
	/* The walk used PAR_EL1, and the guest's is as it was. */
	EXPECT_EQUAL(el1.vcpu.system.par_el1, 0x1);
	el1_end(world, &el1);
}

TEST(guest_table_walk_fault_names_the_table)
{
	struct el1 el1;
	struct stage2_abort abort;
	struct cursor cursor;

	start_with_tables(world, &el1, EL1_PROGRAM_OF(el1_load));
	EXPECT_OK(cursor_open(&el1.space, irange(iaddr(TABLE3), iaddr(TABLE3 + PAGE_SIZE)),
			      CURSOR_MUTABLE, &cursor));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	cursor_close(&cursor);
	el1.vcpu.x[0] = VA;
	struct vcpu_exit exit = el1_run(&el1);

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.fault, STAGE2_FAULT_TRANSLATION);
	EXPECT_TRUE(abort.table_walk);
	EXPECT_EQUAL(abort.access, STAGE2_READ);
	EXPECT_EQUAL(abort.ipa.value, TABLE3);
	el1_end(world, &el1);
}

/* The guest's own fault is its own: it never comes here. */
TEST(guest_stage1_fault_stays_in_the_guest)
{
	struct el1 el1;

	start_with_tables(world, &el1, EL1_PROGRAM_OF(el1_load));
	el1.vcpu.x[0] = VA + 2 * PAGE_SIZE;
	EXPECT_EQUAL(el1_run_to_call(&el1), EL1_VECTOR_CALL + 4);
	EXPECT_EQUAL(el1.vcpu.system.esr_el1 & 0x3f, 0x07); /* translation, level 3 */
	el1_end(world, &el1);
}

/* Turning Stage 1 on and off again, by the guest's own writes of SCTLR_EL1. */
TEST(guest_turns_its_stage1_on_and_off)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_stage1_on));
	make_tables(world, &el1);
	world_write(el1.data, 0x1234);
	el1.vcpu.x[0] = TABLE1;
	el1.vcpu.x[1] = TCR_39_BITS;
	el1.vcpu.x[2] = MAIR_WRITEBACK;
	el1.vcpu.x[3] = VA;
	EXPECT_EQUAL(el1_run_to_call(&el1), 1);
	EXPECT_EQUAL(el1.vcpu.x[4], 0x1234);
	EXPECT_EQUAL(el1.vcpu.system.sctlr_el1 & 1, 1);

	/* Off again, VA is an IPA like any other: that of the data page. */
	el1.vcpu.x[3] = EL1_DATA;
	EXPECT_EQUAL(el1_run_to_call(&el1), 2);
	EXPECT_EQUAL(el1.vcpu.system.sctlr_el1 & 1, 0);
	EXPECT_EQUAL(el1_run_to_call(&el1), 3);
	EXPECT_EQUAL(el1.vcpu.x[5], 0x1234);
	el1_end(world, &el1);
}

/* Two guests in one space, one with Stage 1 on and one without, never see each other's view. */
TEST(guests_with_and_without_stage1_share_a_space)
{
	struct el1 el1;

	start_with_tables(world, &el1, EL1_PROGRAM_OF(el1_load));
	struct vcpu other;

	vcpu_reset(&other, iaddr(EL1_PROGRAM), 1);
	world_write(el1.data, 0x77);
	el1.vcpu.x[0] = VA;
	other.x[0] = EL1_DATA;
	for (unsigned int turn = 0; turn < 3; turn++) {
		struct vcpu_exit exit;

		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
		EXPECT_EQUAL(el1.vcpu.x[1], 0x77);
		vcpu_run(&other, &exit);
		EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_HYPERCALL);
		EXPECT_EQUAL(other.x[1], 0x77);
		el1.vcpu.x[1] = other.x[1] = 0;
	}
	el1_end(world, &el1);
}

/* With Stage 1 on nothing traps: the registers themselves are saved. */
TEST(guest_with_stage1_writes_its_registers)
{
	uint64_t is[20];
	struct el1 el1;

	start_with_tables(world, &el1, EL1_PROGRAM_OF(el1_write_registers));
	uint64_t expected[20] = {
		[1] = TABLE1,	   [2] = 0x40002000, [3] = TCR_39_BITS,	 [4] = MAIR_WRITEBACK,
		[5] = EL1_VECTORS, [6] = 0x1234,     [7] = 0x5678,	 [8] = 0x1,
		[9] = 0x9abc,	   [10] = 0x3c5,     [11] = 0xdef0,	 [12] = 0x12340,
		[13] = 0x10,	   [14] = 0x20,	     [15] = 0x30,	 [16] = 0x40,
		[17] = 0x2,	   [18] = 0x3,	     [19] = 0x123456789,
	};

	for (size_t i = 0; i < COUNT_OF(expected); i++)
		el1.vcpu.x[i] = expected[i];
	struct vcpu_exit exit = el1_run(&el1);

	EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_HYPERCALL);
	el1_registers_to_list(&el1.vcpu.system, is);
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		EXPECT_EQUAL(is[i], expected[i]);
	el1_end(world, &el1);
}
