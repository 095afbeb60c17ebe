/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated TLB keeps what it may: each of these would pass unnoticed on a forgetful one. */
#include "simulator.h"

/* A translation stays in use until a DSB has completed its invalidation, both steps of it. */
TEST(tlb_keeps_an_entry_until_its_invalidation_is_complete)
{
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));

	put(TABLE(2), 0, 0);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	tlbi_vmid_stage1();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
}

/* Stage-1 invalidation alone leaves the Stage-2 entry, from which the other is made again. */
TEST(tlb_keeps_stage2_entries_over_stage1_invalidation)
{
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	put(TABLE(2), 0, 0);
	tlbi_vmid_stage1();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	tlbi_vmid_stage12();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
}

/* What is cached after a TLBI and before its DSB stays. */
TEST(tlb_keeps_what_is_cached_after_the_tlbi)
{
	small_table();
	load_vmid(TABLE(0), 1);
	put(TABLE(2), 0, DATA(0) | S2_PAGE);
	tlbi_vmid_stage12();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	put(TABLE(2), 0, 0);
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	stage2_unload();
}

/* A table pointer outlives leaf-only invalidation, and only that. */
TEST(tlb_keeps_table_pointers_over_leaf_only_invalidation)
{
	static const struct {
		enum tlb_depth depth;
		uint64_t sees;
	} cases[] = { { TLB_LEAF_ONLY, DATA(0) }, { TLB_ALL_LEVELS, DATA(1) } };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		small_table();
		put(TABLE(3), 0, DATA(1) | S2_PAGE);
		load_vmid(TABLE(0), 1);
		EXPECT_EQUAL(guest_sees(0), DATA(0));

		put(TABLE(1), 0, 0);
		tlbi_ipa_address(iaddr(0), TLB_LEVEL_ANY, cases[i].depth);
		dsb_ish();
		tlbi_vmid_stage1();
		dsb_ish();
		machine_violations_clear();
		put(TABLE(1), 0, TABLE(3) | NEXT_TABLE);
		EXPECT_EQUAL(machine_violations(VIOLATION_BREAK_BEFORE_MAKE),
			     STRATA_CHECKED && cases[i].depth == TLB_LEAF_ONLY);
		EXPECT_EQUAL(guest_sees(0), cases[i].sees);

		machine_violations_clear();
		stage2_unload();
		machine_tlb_evict();
	}
}

/* A level hint that does not name the leaf's level removes nothing, where the CPU knows hints. */
TEST(tlb_takes_level_hints_at_their_word)
{
	struct world_config config = world_default_config();
	static const struct {
		bool ttl;
		int level;
		uint64_t sees;
	} cases[] = {
		{ true, 2, DATA(0) }, { true, 3, 0 },  { true, TLB_LEVEL_ANY, 0 },
		{ false, 2, 0 },      { false, 1, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		config.machine.features.ttl = cases[i].ttl;
		world_restart(world, &config);
		small_table();
		load_vmid(TABLE(0), 1);
		EXPECT_EQUAL(guest_sees(0), DATA(0));
		put(TABLE(2), 0, 0);
		tlbi_ipa_address(iaddr(0), cases[i].level, TLB_LEAF_ONLY);
		dsb_ish();
		tlbi_vmid_stage1();
		dsb_ish();
		EXPECT_EQUAL(guest_sees(0), cases[i].sees);
		stage2_unload();
	}
}

/* An address invalidates the entry around it, whatever its size, and no other; a range all that it
 * touches. */
TEST(tlb_invalidates_by_address_and_by_range)
{
	small_table();
	for (unsigned int i = 0; i < 8; i++)
		put(TABLE(2), i, DATA(i) | S2_PAGE);
	put(TABLE(1), 1, UINT64_C(0x40000000) | S2_BLOCK);
	load_vmid(TABLE(0), 1);
	for (unsigned int i = 0; i < 8; i++)
		EXPECT_EQUAL(guest_sees(i * PAGE_SIZE), DATA(i));
	EXPECT_EQUAL(guest_sees(MIB(2)), 0x40000000);
	for (unsigned int i = 0; i < 8; i++)
		put(TABLE(2), i, 0);
	put(TABLE(1), 1, 0);

	tlbi_ipa_address(iaddr(PAGE_SIZE + 8), 3, TLB_LEAF_ONLY);
	tlbi_ipa_range(irange(iaddr(3 * PAGE_SIZE), iaddr(5 * PAGE_SIZE)), 3, TLB_LEAF_ONLY);
	tlbi_ipa_address(iaddr(MIB(3)), 2, TLB_LEAF_ONLY);
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	for (unsigned int i = 0; i < 8; i++)
		EXPECT_EQUAL(guest_sees(i * PAGE_SIZE), i == 1 || i == 3 || i == 4 ? 0 : DATA(i));
	EXPECT_EQUAL(guest_sees(MIB(2)), 0);
	stage2_unload();
}

/* Entries belong to the VMID they were made under; TLBIs act on the VMID of this CPU. */
TEST(tlb_entries_belong_to_a_vmid)
{
	small_table();
	put(TABLE(4), 0, TABLE(5) | NEXT_TABLE);
	put(TABLE(5), 0, TABLE(6) | NEXT_TABLE);
	put(TABLE(6), 0, DATA(6) | S2_PAGE);
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	load_vmid(TABLE(4), 2);
	EXPECT_EQUAL(guest_sees(0), DATA(6));

	put(TABLE(2), 0, 0);
	put(TABLE(6), 0, 0);
	tlbi_vmid_stage12();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), 0);
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	tlbi_all_vmids();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
}

/* Two spaces under one VMID see each other's translations: also if only visible bits are alike. */
TEST(tlb_confuses_spaces_that_share_a_vmid)
{
	struct world_config config = world_default_config();

	config.machine.features.vmid_bits = 8;
	world_restart(world, &config);
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	load_vmid(TABLE(4), 0x101);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	stage2_unload();
}

/* A TLBI is broadcast; it completes at a DSB of the CPU that issued it and of no other. */
TEST(tlb_invalidation_reaches_every_cpu)
{
	small_table();
	load_vmid(TABLE(0), 1);
	machine_set_cpu(1);
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));

	machine_set_cpu(0);
	put(TABLE(2), 0, 0);
	tlbi_vmid_stage12();
	machine_set_cpu(1);
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	machine_set_cpu(0);
	dsb_ish();
	machine_set_cpu(1);
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
	machine_set_cpu(0);
	stage2_unload();
}

/* EL2's own entries: by address, by range, all; a guest's invalidations leave them alone. */
TEST(tlb_keeps_el2_entries_apart)
{
	static const enum { BY_ADDRESS, BY_RANGE, ALL } ways[] = { BY_ADDRESS, BY_RANGE, ALL };
	struct translation_geometry geometry = { 39, 1, 1, 44 };

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		put(TABLE(0), 0, TABLE(1) | NEXT_TABLE);
		put(TABLE(1), 0, TABLE(2) | NEXT_TABLE);
		put(TABLE(2), 0, DATA(0) | S1_PAGE);
		el2_stage1_load(paddr(TABLE(0)), geometry);
		EXPECT_EQUAL(el2_sees(0), DATA(0));
		put(TABLE(2), 0, 0);
		tlbi_all_vmids();
		dsb_ish();
		EXPECT_EQUAL(el2_sees(0), DATA(0));
		if (ways[i] == BY_ADDRESS)
			tlbi_el2_address(iaddr(0), 3, TLB_LEAF_ONLY);
		else if (ways[i] == BY_RANGE)
			tlbi_el2_range(irange(iaddr(0), iaddr(PAGE_SIZE)), 3, TLB_LEAF_ONLY);
		else
			tlbi_el2_all();
		EXPECT_EQUAL(el2_sees(0), DATA(0));
		dsb_ish();
		EXPECT_EQUAL(el2_sees(0), 0);
		machine_tlb_evict();
	}
}

/* One form is not broadcast: what another CPU has cached stays. */
TEST(tlb_invalidation_here_is_not_there)
{
	struct translation_geometry geometry = { 39, 1, 1, 44 };

	put(TABLE(0), 0, TABLE(1) | NEXT_TABLE);
	put(TABLE(1), 0, TABLE(2) | NEXT_TABLE);
	put(TABLE(2), 0, DATA(0) | S1_PAGE);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		machine_set_cpu(cpu);
		el2_stage1_load(paddr(TABLE(0)), geometry);
		EXPECT_EQUAL(el2_sees(0), DATA(0));
	}
	put(TABLE(2), 0, 0);
	tlbi_el2_all_here();
	dsb_ish();
	EXPECT_EQUAL(el2_sees(0), 0);
	machine_set_cpu(0);
	EXPECT_EQUAL(el2_sees(0), DATA(0));
	tlbi_el2_all();
	dsb_ish();
	EXPECT_EQUAL(el2_sees(0), 0);
}

/* IPA invalidation leaves entries that a guest's Stage 1 and Stage 2 made together. */
TEST(tlb_keeps_combined_entries_over_ipa_invalidation)
{
	/* The guest's tables are at IPAs equal to their physical addresses. */
	struct machine_guest_stage1 stage1 = { iaddr(TABLE(8)), 39, 0xff };

	put(TABLE(0), 1, UINT64_C(0x40000000) | S2_BLOCK);
	put(TABLE(8), 0, TABLE(9) | NEXT_TABLE);
	put(TABLE(9), 0, TABLE(10) | NEXT_TABLE);
	put(TABLE(10), 5, DATA(5) | EL1_PAGE);
	load_vmid(TABLE(0), 1);
	machine_guest_stage1_load(&stage1);
	EXPECT_EQUAL(guest_sees(5 * PAGE_SIZE), DATA(5));

	put(TABLE(0), 1, 0);
	tlbi_ipa_address(iaddr(0x40000000), TLB_LEVEL_ANY, TLB_ALL_LEVELS);
	dsb_ish();
	EXPECT_EQUAL(guest_sees(5 * PAGE_SIZE), DATA(5));
	tlbi_vmid_stage1();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(5 * PAGE_SIZE), 0);
	machine_guest_stage1_load(NULL);
	stage2_unload();
}

/* Forgetting is always allowed. */
TEST(tlb_evicted_entries_are_walked_again)
{
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	put(TABLE(2), 0, 0);
	EXPECT_TRUE(machine_tlb_entries() > 0);
	machine_tlb_evict();
	EXPECT_EQUAL(machine_tlb_entries(), 0);
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
}
