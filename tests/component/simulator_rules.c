/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated machine notices when a rule of the architecture is broken. */
#include "simulator.h"

static void expect_only(enum machine_violation kind)
{
	EXPECT_TRUE(machine_violations(kind) > 0);
	EXPECT_EQUAL(machine_violations_total(), machine_violations(kind));
	machine_violations_clear();
}

#if STRATA_CHECKED

/* A walker does not see a descriptor before a DSB of the CPU that stored it. */
TEST(machine_hides_a_store_until_a_barrier)
{
	small_table();
	load_vmid(TABLE(0), 1);
	put_late(TABLE(2), 1, DATA(1) | S2_PAGE);
	EXPECT_EQUAL(guest_sees(PAGE_SIZE), 0);
	machine_set_cpu(1);
	dsb_ish();
	machine_set_cpu(0);
	EXPECT_EQUAL(guest_sees(PAGE_SIZE), 0);
	dsb_ishst();
	EXPECT_EQUAL(guest_sees(PAGE_SIZE), DATA(1));
	stage2_unload();
}

TEST(machine_notices_a_tlbi_that_overtakes_a_store)
{
	small_table();
	load_vmid(TABLE(0), 1);
	put_late(TABLE(2), 0, 0);
	tlbi_vmid_stage12();
	expect_only(VIOLATION_STORE_NOT_ORDERED);
	dsb_ish();
	stage2_unload();
}

/* And such a TLBI is of no use: what looks ahead still reads the old descriptor. */
TEST(machine_reads_the_old_descriptor_after_a_tlbi_that_overtook)
{
	small_table();
	load_vmid(TABLE(0), 1);
	machine_watch_guest(iaddr(0));
	put_late(TABLE(2), 0, 0);
	tlbi_vmid_stage12();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	machine_violations_clear();
	stage2_unload();
}

/* A valid descriptor over a valid one that is cached: another output, another size; permissions may
 * change. */
TEST(machine_notices_make_without_break)
{
	static const struct {
		uint64_t value;
		bool violates;
	} cases[] = {
		{ DATA(1) | S2_PAGE, true },
		{ DATA(0) | (S2_PAGE & ~UINT64_C(0x80)), false },
		{ DATA(0) | (S2_PAGE & ~UINT64_C(0x3c)), true },
		{ DATA(0) | S2_PAGE | UINT64_C(1) << 54, false },
		{ DATA(0) | S2_PAGE, false },
		{ 0, false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		small_table();
		load_vmid(TABLE(0), 1);
		EXPECT_EQUAL(guest_sees(0), DATA(0));
		put(TABLE(2), 0, cases[i].value);
		EXPECT_EQUAL(machine_violations(VIOLATION_BREAK_BEFORE_MAKE), cases[i].violates);
		machine_violations_clear();
		machine_tlb_evict();
	}
	stage2_unload();
}

/* A break is one only once the invalidation is complete. */
TEST(machine_notices_make_before_the_break_is_complete)
{
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	put(TABLE(2), 0, 0);
	tlbi_vmid_stage12();
	put(TABLE(2), 0, DATA(1) | S2_PAGE);
	expect_only(VIOLATION_BREAK_BEFORE_MAKE);
	dsb_ish();
	stage2_unload();
}

#endif

/* A block cached beside a page of it that leads elsewhere. */
TEST(machine_notices_conflicting_entries)
{
	small_table();
	load_vmid(TABLE(0), 1);
	EXPECT_EQUAL(guest_sees(0), DATA(0));
	machine_write(paddr(TABLE(1)), UINT64_C(0x40000000) | S2_BLOCK);
	tlbi_ipa_address(iaddr(MIB(1)), TLB_LEVEL_ANY, TLB_ALL_LEVELS);
	dsb_ish();
	EXPECT_EQUAL(guest_sees(MIB(1)), UINT64_C(0x40100000));
	EXPECT_TRUE(machine_violations(VIOLATION_TLB_CONFLICT) > 0);
	machine_violations_clear();
	stage2_unload();
}

/* The Stage-1 step must wait for the IPA step: else a combined entry is made again from what the
 * first has not removed yet. */
TEST(machine_shows_the_stage1_step_that_overtook)
{
	static const bool waits[] = { false, true };

	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		small_table();
		load_vmid(TABLE(0), 1);
		machine_watch_guest(iaddr(0));
		put(TABLE(2), 0, 0);
		tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
		if (waits[i])
			dsb_ish();
		tlbi_vmid_stage1();
		dsb_ish();
		EXPECT_EQUAL(guest_sees(0), waits[i] ? 0 : DATA(0));
		machine_watch_nothing();
		machine_tlb_evict();
	}
	stage2_unload();
}

TEST(machine_notices_a_stage2_tlbi_without_a_context)
{
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	expect_only(VIOLATION_NO_VMID);
	tlbi_vmid_stage12();
	expect_only(VIOLATION_NO_VMID);
}

TEST(machine_notices_instructions_it_does_not_have)
{
	struct world_config config = world_default_config();

	config.machine.features = machine_features_v8_0();
	world_restart(world, &config);
	tlbi_el2_range(irange(iaddr(0), iaddr(MIB(2))), TLB_LEVEL_ANY, TLB_LEAF_ONLY);
	expect_only(VIOLATION_NOT_IMPLEMENTED);
}

TEST(machine_notices_reserved_bits)
{
	static const uint64_t descriptors[] = {
		DATA(0) | S2_PAGE | UINT64_C(1) << 11,
		DATA(0) | S2_PAGE | UINT64_C(1) << 48,
	};

	for (size_t i = 0; i < COUNT_OF(descriptors); i++) {
		small_table();
		put(TABLE(2), 0, descriptors[i]);
		load_vmid(TABLE(0), 1);
		EXPECT_EQUAL(guest_sees(0), DATA(0));
		expect_only(VIOLATION_RESERVED_BITS);
		machine_tlb_evict();
	}
	/* A block whose output is not aligned to its size. */
	put(TABLE(1), 0, UINT64_C(0x40001000) | S2_BLOCK);
	EXPECT_EQUAL(guest_sees(0), UINT64_C(0x40000000));
	expect_only(VIOLATION_RESERVED_BITS);
	stage2_unload();
}

/* EL2's tables from TABLE(@first) on: 39 bits, page 0 is DATA(@data), a block of 2 MiB at 2 MiB. */
static struct paddr el2_table(unsigned int first, unsigned int data)
{
	put(TABLE(first), 0, TABLE(first + 1) | NEXT_TABLE);
	put(TABLE(first + 1), 0, TABLE(first + 2) | NEXT_TABLE);
	put(TABLE(first + 1), 1, UINT64_C(0x40000000) | S1_BLOCK);
	put(TABLE(first + 2), 0, DATA(data) | S1_PAGE);
	return paddr(TABLE(first));
}

static void forget_here(void)
{
	tlbi_el2_all_here();
	dsb_ish();
}

/* Another table of EL2 while what the one before translated is cached: only one that translates alike,
 * or does not translate, and after an invalidation any. */
TEST(machine_notices_an_el2_table_that_contradicts)
{
	const struct translation_geometry geometry = { 39, 1, 1, 44 };
	struct paddr one = el2_table(0, 0), other = el2_table(3, 1), alike = paddr(TABLE(6));
	struct paddr nothing = paddr(TABLE(7)), larger = paddr(TABLE(8));

	put(alike.value, 0, TABLE(1) | NEXT_TABLE);
	put(larger.value, 0, UINT64_C(0x40000000) | S1_BLOCK);
	el2_stage1_load(one, geometry);
	EXPECT_EQUAL(el2_sees(0), DATA(0));
	EXPECT_EQUAL(el2_sees(MIB(2)), UINT64_C(0x40000000));
	el2_stage1_load(alike, geometry);
	el2_stage1_load(one, geometry);
	el2_stage1_load(nothing, geometry);
	EXPECT_EQUAL(machine_violations_total(), 0);
	EXPECT_EQUAL(el2_sees(0), DATA(0)); /* still cached */
	el2_stage1_load(other, geometry);
	expect_only(VIOLATION_ROOT_CHANGE);
	el2_stage1_load(larger, geometry);
	expect_only(VIOLATION_ROOT_CHANGE);

	forget_here();
	el2_stage1_load(other, geometry);
	EXPECT_EQUAL(el2_sees(0), DATA(1));
	el2_stage1_load(nothing, geometry);
	forget_here();
	el2_stage1_load(one, geometry);
	EXPECT_EQUAL(el2_sees(0), DATA(0));
	/* The TLBI is not complete before the barrier. */
	tlbi_el2_all_here();
	el2_stage1_load(other, geometry);
	expect_only(VIOLATION_ROOT_CHANGE);
	dsb_ish();
}

/* Sizes that VTCR_EL2 cannot say, or that this CPU cannot walk. */
TEST(machine_notices_impossible_geometry)
{
	static const struct {
		struct translation_geometry geometry;
		uint64_t root;
		bool possible;
	} cases[] = {
		{ { 40, 1, 2, 44 }, TABLE(0), true },
		{ { 40, 1, 1, 44 }, TABLE(0), false }, /* too few tables */
		{ { 40, 1, 2, 44 }, TABLE(1), false }, /* not aligned to both */
		{ { 43, 1, 16, 44 }, TABLE(0), true },
		{ { 44, 1, 32, 44 }, TABLE(0), false }, /* more than 16 */
		{ { 44, 0, 1, 44 }, TABLE(0), true },
		{ { 45, 0, 1, 44 }, TABLE(0), false }, /* beyond physical addresses */
		{ { 30, 2, 1, 44 }, TABLE(0), true },
		{ { 34, 2, 16, 44 }, TABLE(0), true },
		{ { 25, 2, 1, 44 }, TABLE(0), true },
		{ { 24, 2, 1, 44 }, TABLE(0), false },
		{ { 30, 1, 1, 44 }, TABLE(0), false }, /* nothing left for level 1 */
	};

	by_hand();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct stage2_context context = { paddr(cases[i].root), 1, cases[i].geometry,
						  false };

		stage2_load(&context);
		EXPECT_EQUAL(machine_violations(VIOLATION_GEOMETRY), !cases[i].possible);
		machine_violations_clear();
	}
	stage2_unload();
}

/* One TLBI for both stages needs no second one: what is cached from what it removes goes with it. */
TEST(machine_completes_one_tlbi_for_both_stages)
{
	small_table();
	load_vmid(TABLE(0), 1);
	machine_watch_guest(iaddr(0));
	put(TABLE(2), 0, 0);
	tlbi_vmid_stage12();
	dsb_ish();
	EXPECT_EQUAL(guest_sees(0), 0);
	stage2_unload();
}
