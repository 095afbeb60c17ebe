/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated MMU reads tables as the Arm ARM says. */
#include "simulator.h"
#include <arch/memory.h>

static struct machine_fault guest_fault(uint64_t va, enum machine_access access)
{
	struct machine_translation used;
	struct machine_fault fault;

	EXPECT_FALSE(machine_guest_translate(iaddr(va), access, &used, &fault));
	return fault;
}

static void expect_fault(struct machine_fault fault, enum machine_fault_kind kind, int stage,
			 int level)
{
	EXPECT_EQUAL(fault.kind, kind);
	EXPECT_EQUAL((uint64_t)fault.stage, (uint64_t)stage);
	EXPECT_EQUAL((uint64_t)fault.level, (uint64_t)level);
}

/* Every start level, with one table and with several, at both ends of the input range. */
TEST(walk_starts_where_the_geometry_says)
{
	static const struct translation_geometry cases[] = {
		{ 25, 2, 1, 44 },  { 30, 2, 1, 44 },  { 31, 2, 2, 44 },
		{ 34, 2, 16, 44 }, { 36, 1, 1, 44 },  { 39, 1, 1, 44 },
		{ 40, 1, 2, 44 },  { 43, 1, 16, 44 }, { 44, 0, 1, 44 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct translation_geometry geometry = cases[i];
		struct stage2_context context = { paddr(TABLE(0)), (uint16_t)(1 + i), geometry,
						  false };
		uint64_t last = (UINT64_C(1) << geometry.ia_bits) - PAGE_SIZE;
		uint64_t ends[] = { 0, last };

		for (size_t end = 0; end < 2; end++) {
			uint64_t table = TABLE(0);

			for (int level = geometry.root_level; level < 3; level++) {
				/* The index of the root reaches over all of its tables. */
				uint64_t index = ends[end] >> (39 - 9 * level);
				uint64_t next = TABLE(32 + 4 * end + (uint64_t)level);

				if (level > geometry.root_level)
					index &= 511;
				put(table, (unsigned int)index, next | NEXT_TABLE);
				table = next;
			}
			put(table, (unsigned int)((ends[end] >> 12) & 511), DATA(end) | S2_PAGE);
		}
		stage2_load(&context);
		EXPECT_EQUAL(guest_sees(8), DATA(0) + 8);
		EXPECT_EQUAL(guest_sees(last), DATA(1));
		expect_fault(guest_fault(PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 3);
		if (geometry.ia_bits < 44)
			expect_fault(guest_fault(last + PAGE_SIZE, MACHINE_READ),
				     MACHINE_FAULT_TRANSLATION, 2, 0);
		for (uint64_t page = 0; page < 64; page++)
			page_zero(mm_linear(paddr(TABLE(page))));
		machine_tlb_evict();
	}
	/* No VMID is reused above: what is cached for one geometry is not seen by the next. */
	stage2_unload();
}

/* Blocks of 1 GiB and of 2 MiB, and pages; there are no other leaves. */
TEST(walk_knows_leaves_at_levels_1_to_3)
{
	struct stage2_context context = { paddr(TABLE(0)), 1, { 44, 0, 1, 44 }, false };

	put(TABLE(0), 0, TABLE(1) | NEXT_TABLE);
	put(TABLE(0), 1, S2_BLOCK);
	put(TABLE(1), 0, TABLE(2) | NEXT_TABLE);
	put(TABLE(1), 1, UINT64_C(0x40000000) | S2_BLOCK);
	put(TABLE(2), 0, TABLE(3) | NEXT_TABLE);
	put(TABLE(2), 1, UINT64_C(0x40200000) | S2_BLOCK);
	put(TABLE(3), 0, DATA(0) | S2_PAGE);
	put(TABLE(3), 1, DATA(1) | S2_BLOCK);
	stage2_load(&context);
	EXPECT_EQUAL(guest_sees(GIB(1) + MIB(5)), UINT64_C(0x40000000) + MIB(5));
	EXPECT_EQUAL(guest_sees(MIB(2) + 0x1234), UINT64_C(0x40200000) + 0x1234);
	EXPECT_EQUAL(guest_sees(0x10), DATA(0) + 0x10);
	expect_fault(guest_fault(GIB(512), MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 0);
	expect_fault(guest_fault(GIB(2), MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 1);
	expect_fault(guest_fault(MIB(4), MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 2);
	expect_fault(guest_fault(PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 3);
	stage2_unload();
}

/* Read, write and execute, each permitted alone and with the others. */
TEST(walk_checks_stage2_permissions)
{
	for (unsigned int allowed = 0; allowed < 8; allowed++) {
		uint64_t descriptor = DATA(0) | (S2_PAGE & ~UINT64_C(0xc0));

		descriptor |= (uint64_t)(allowed & 3) << 6;
		if ((allowed & 4) == 0)
			descriptor |= UINT64_C(1) << 54;
		small_table();
		put(TABLE(2), 0, descriptor);
		load_vmid(TABLE(0), 1);
		for (unsigned int access = MACHINE_READ; access <= MACHINE_EXECUTE; access++) {
			struct machine_translation used;
			struct machine_fault fault;
			bool done = machine_guest_translate(iaddr(0), access, &used, &fault);

			EXPECT_EQUAL(done, (allowed >> access) & 1);
			if (!done)
				expect_fault(fault, MACHINE_FAULT_PERMISSION, 2, 3);
		}
		stage2_unload();
		machine_tlb_evict();
	}
}

/* EL2: always readable; writable memory is never executable (SCTLR_EL2.WXN). */
TEST(walk_checks_el2_permissions)
{
	static const struct {
		uint64_t bits;
		bool write, execute;
	} cases[] = {
		{ 0, true, false },
		{ 0x80, false, true },
		{ UINT64_C(1) << 54, true, false },
		{ 0x80 | UINT64_C(1) << 54, false, false },
	};
	struct translation_geometry geometry = { 48, 0, 1, 44 };

	put(TABLE(0), 0, TABLE(1) | NEXT_TABLE);
	put(TABLE(1), 0, TABLE(2) | NEXT_TABLE);
	el2_stage1_load(paddr(TABLE(0)), geometry);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct machine_translation used;
		struct machine_fault fault;

		put(TABLE(2), 0, UINT64_C(0x40000000) | S1_BLOCK | cases[i].bits);
		EXPECT_TRUE(machine_el2_translate(iaddr(8), MACHINE_READ, &used, &fault));
		EXPECT_EQUAL(used.writable, cases[i].write);
		EXPECT_EQUAL(used.executable, cases[i].execute);
		EXPECT_EQUAL(machine_el2_translate(iaddr(8), MACHINE_WRITE, &used, &fault),
			     cases[i].write);
		machine_tlb_evict();
	}
}

TEST(walk_reports_access_flag_address_size_and_missing_memory)
{
	small_table();
	put(TABLE(2), 1, DATA(1) | (S2_PAGE & ~UINT64_C(0x400)));
	put(TABLE(2), 2, UINT64_C(1) << 44 | S2_PAGE);
	put(TABLE(1), 1, UINT64_C(1) << 45 | NEXT_TABLE);
	put(TABLE(1), 2, UINT64_C(0x1000) | NEXT_TABLE);
	put(TABLE(2), 3, UINT64_C(0x9000000) | S2_PAGE);
	load_vmid(TABLE(0), 1);
	expect_fault(guest_fault(PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_ACCESS_FLAG, 2, 3);
	expect_fault(guest_fault(2 * PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_ADDRESS_SIZE, 2, 3);
	expect_fault(guest_fault(MIB(2), MACHINE_READ), MACHINE_FAULT_ADDRESS_SIZE, 2, 2);
	expect_fault(guest_fault(MIB(4), MACHINE_READ), MACHINE_FAULT_EXTERNAL, 2, 3);

	uint64_t value = 0;
	struct machine_fault fault;

	EXPECT_TRUE(machine_guest_load(iaddr(3 * PAGE_SIZE), &value, &fault));
	EXPECT_EQUAL(value, UINT64_MAX);
	EXPECT_TRUE(machine_guest_store(iaddr(8), 42, &fault));
	EXPECT_TRUE(machine_guest_load(iaddr(8), &value, &fault));
	EXPECT_EQUAL(value, 42);
	EXPECT_EQUAL(machine_read(paddr(DATA(0) + 8)), 42);
	stage2_unload();
	expect_fault(guest_fault(0, MACHINE_READ), MACHINE_FAULT_DISABLED, 2, 0);
}

/* MemAttr of Stage 2, MAIR indices of EL2, shareability. */
TEST(walk_decodes_memory_attributes)
{
	static const struct {
		uint64_t stage2, el2;
		enum machine_memory memory;
		enum machine_shareability shareability;
	} cases[] = {
		{ 15 << 2 | 3 << 8, 0 << 2 | 3 << 8, MEMORY_WRITEBACK, SHARE_INNER },
		{ 10 << 2 | 2 << 8, 3 << 2 | 2 << 8, MEMORY_WRITETHROUGH, SHARE_OUTER },
		{ 5 << 2, 2 << 2, MEMORY_NONCACHEABLE, SHARE_NONE },
		{ 1 << 2 | 2 << 8, 1 << 2 | 2 << 8, MEMORY_DEVICE_nGnRE, SHARE_OUTER },
	};
	struct translation_geometry geometry = { 39, 1, 1, 44 };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct machine_translation used;
		struct machine_fault fault;

		put(TABLE(0), 0, UINT64_C(0x40000000) | 0x4c1 | cases[i].stage2);
		load_vmid(TABLE(0), 1);
		EXPECT_TRUE(machine_guest_translate(iaddr(0), MACHINE_READ, &used, &fault));
		EXPECT_EQUAL(used.memory, cases[i].memory);
		EXPECT_EQUAL(used.shareability, cases[i].shareability);

		put(TABLE(1), 0, UINT64_C(0x40000000) | 0x441 | cases[i].el2);
		el2_stage1_load(paddr(TABLE(1)), geometry);
		EXPECT_TRUE(machine_el2_translate(iaddr(0), MACHINE_READ, &used, &fault));
		EXPECT_EQUAL(used.memory, cases[i].memory);
		EXPECT_EQUAL(used.shareability, cases[i].shareability);
		machine_tlb_evict();
	}
	stage2_unload();
}

/* A guest's Stage 1 over Stage 2: the walk itself goes through Stage 2, the stricter stage decides. */
TEST(walk_takes_both_stages)
{
	struct machine_guest_stage1 stage1 = { iaddr(TABLE(8)), 39, 0xff };
	struct machine_translation used;
	struct machine_fault fault;

	put(TABLE(0), 1, TABLE(1) | NEXT_TABLE);
	put(TABLE(1), 0, UINT64_C(0x40000000) | S2_BLOCK);
	put(TABLE(1), 1, UINT64_C(0x40200000) | (S2_BLOCK & ~UINT64_C(0xbc)) | 5 << 2);
	put(TABLE(8), 0, TABLE(9) | NEXT_TABLE);
	put(TABLE(8), 1, UINT64_C(0x80000000) | NEXT_TABLE);
	put(TABLE(9), 0, TABLE(10) | NEXT_TABLE);
	put(TABLE(10), 0, DATA(5) | EL1_PAGE);
	put(TABLE(10), 1, UINT64_C(0x40201000) | EL1_PAGE);
	put(TABLE(10), 2, DATA(6) | EL1_PAGE | 0x80);
	put(TABLE(10), 3, UINT64_C(0x80000000) | EL1_PAGE);
	put(TABLE(10), 5, UINT64_C(0x80000000) | EL1_PAGE | 0x80);
	load_vmid(TABLE(0), 1);
	machine_guest_stage1_load(&stage1);

	EXPECT_EQUAL(guest_sees(0x18), DATA(5) + 0x18);
	/* Read-only and Non-cacheable by Stage 2. */
	EXPECT_TRUE(machine_guest_translate(iaddr(PAGE_SIZE), MACHINE_READ, &used, &fault));
	EXPECT_EQUAL(used.memory, MEMORY_NONCACHEABLE);
	fault = guest_fault(PAGE_SIZE + 8, MACHINE_WRITE);
	expect_fault(fault, MACHINE_FAULT_PERMISSION, 2, 2);
	EXPECT_EQUAL(fault.ipa.value, UINT64_C(0x40201008));
	/* Read-only by Stage 1. */
	expect_fault(guest_fault(2 * PAGE_SIZE, MACHINE_WRITE), MACHINE_FAULT_PERMISSION, 1, 3);
	/* An IPA, and a table, that Stage 2 does not map. */
	fault = guest_fault(3 * PAGE_SIZE, MACHINE_READ);
	expect_fault(fault, MACHINE_FAULT_TRANSLATION, 2, 1);
	EXPECT_FALSE(fault.table_walk);
	fault = guest_fault(GIB(1), MACHINE_READ);
	expect_fault(fault, MACHINE_FAULT_TRANSLATION, 2, 1);
	EXPECT_TRUE(fault.table_walk);
	/* Read-only by Stage 1, which comes first. */
	expect_fault(guest_fault(5 * PAGE_SIZE, MACHINE_WRITE), MACHINE_FAULT_PERMISSION, 1, 3);
	expect_fault(guest_fault(5 * PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_TRANSLATION, 2, 1);
	/* What Stage 1 does not map. */
	expect_fault(guest_fault(4 * PAGE_SIZE, MACHINE_READ), MACHINE_FAULT_TRANSLATION, 1, 3);
	machine_guest_stage1_load(NULL);
	stage2_unload();
}

/* Memory of every size is there without costing anything, also far up; holes are not memory. */
TEST(machine_has_sparse_memory)
{
	struct world_config config = world_default_config();

	config.machine.memory[0] = prange(paddr(GIB(1)), paddr(GIB(2)));
	config.machine.memory[1] = prange(paddr(GIB(32)), paddr(GIB(96)));
	config.reservation_count = 0;
	world_restart(world, &config);
	EXPECT_FALSE(machine_is_memory(paddr(GIB(2))));
	EXPECT_TRUE(machine_is_memory(paddr(GIB(96) - PAGE_SIZE)));
	EXPECT_EQUAL(world_read(paddr(GIB(96) - 8)), 0);
	machine_write(paddr(GIB(96) - 8), 7);
	EXPECT_EQUAL(world_read(paddr(GIB(96) - 8)), 7);
	machine_write(paddr(GIB(96) - 8), 0);
}
