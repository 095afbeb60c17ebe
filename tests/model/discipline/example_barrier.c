/* SPDX-License-Identifier: BSD-3-Clause */
/* Barriers: between a store, an invalidation, and what relies on either. */
#include "examples.h"
#include "stage.h"

void bad_dsb_missing_before(void)
{
	unmap_first();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	guest_reads(0);
	stage1_step();
	give_back_first();
	guest_reads(0);
}

void good_dsb_missing_before(void)
{
	unmap_first();
	dsb_ish();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	stage1_step();
	give_back_first();
}

void bad_dsb_missing_after(void)
{
	unmap_first();
	dsb_ishst();
	tlbi_vmid_stage12();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ish();
	give(LEAVES);
}

/* The two invalidations are ordered, too. */
void bad_dsb_missing_between(void)
{
	unmap_first();
	dsb_ishst();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	give_back_first();
}

void good_dsb_missing_after(void)
{
	unmap_first();
	dsb_ishst();
	tlbi_vmid_stage12();
	dsb_ish();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

void bad_dsb_missing_publish(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 2, LEAF(PAGE(2)));
	give(LEAVES);
	guest_reads(2 * PAGE_SIZE);
}

void good_dsb_missing_publish(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 2, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(2 * PAGE_SIZE);
}

static void el2_page(void)
{
	new_root(ROOT, 1);
	new_table(MIDDLE, 2);
	new_table(LEAVES, 3);
	put(MIDDLE, 0, TABLE(LEAVES));
	take(ROOT);
	put(ROOT, 0, TABLE(MIDDLE));
	dsb_ishst();
	give(ROOT);
	load_el2(ROOT);
}

void bad_isb_missing(void)
{
	el2_page();
	take(LEAVES);
	put(LEAVES, 0, EL2_LEAF(PAGE(0)));
	dsb_ishst();
	give(LEAVES);
}

void good_isb_missing(void)
{
	el2_page();
	take(LEAVES);
	put(LEAVES, 0, EL2_LEAF(PAGE(0)));
	dsb_ishst();
	isb();
	give(LEAVES);
}
