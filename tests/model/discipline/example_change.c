/* SPDX-License-Identifier: BSD-3-Clause */
/* What is mapped changes: its old translation is invalidated, all of it, everywhere, before anything relies on that. */
#include "examples.h"
#include "stage.h"

void bad_valid_to_valid(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, LEAF(PAGE(2)));
	flush_page(0);
	give(LEAVES);
}

void good_valid_to_valid(void)
{
	unmap_first();
	flush_page(0);
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

void bad_tlbi_missing(void)
{
	unmap_first();
	dsb_ishst();
	dsb_ish();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

/* A change of permissions needs no break, but it is not in force before the invalidation. */
void good_tlbi_missing(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, READ_ONLY_LEAF(PAGE(0)));
	flush_page(0);
	give(LEAVES);
}

void bad_tlbi_too_narrow(void)
{
	unmap_first();
	put(LEAVES, 1, 0);
	flush_page(PAGE_SIZE);
	release(PAGE(0));
	release(PAGE(1));
	give(LEAVES);
	guest_reads(0);
}

void good_tlbi_too_narrow(void)
{
	unmap_first();
	put(LEAVES, 1, 0);
	dsb_ishst();
	tlbi_ipa_range(irange(iaddr(0), iaddr(2 * PAGE_SIZE)), 3, TLB_LEAF_ONLY);
	stage1_step();
	release(PAGE(0));
	release(PAGE(1));
	give(LEAVES);
	guest_reads(0);
}

void bad_tlbi_wrong_vmid(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	take(LEAVES);
	put(LEAVES, 0, 0);
	load(OTHER_ROOT, 2);
	flush_page(0);
	release(PAGE(0));
	load(ROOT, 1);
	give(LEAVES);
	guest_reads(0);
}

void good_tlbi_wrong_vmid(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	load(OTHER_ROOT, 2);
	take(LEAVES);
	put(LEAVES, 0, 0);
	load(ROOT, 1);
	flush_page(0);
	load(OTHER_ROOT, 2);
	give_back_first();
}

void bad_tlbi_local(void)
{
	two_pages();
	on_cpu(1);
	load(ROOT, 1);
	guest_reads(0);
	on_cpu(0);
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_here(0);
	stage1_step();
	give_back_first();
	on_cpu(1);
	guest_reads(0);
}

void good_tlbi_local(void)
{
	two_pages();
	on_cpu(1);
	load(ROOT, 1);
	guest_reads(0);
	on_cpu(0);
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	give_back_first();
	on_cpu(1);
	guest_reads(0);
}

void bad_stage1_step_missing(void)
{
	unmap_first();
	dsb_ishst();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	dsb_ish();
	isb();
	give_back_first();
	guest_reads(0);
}

/* One instruction for both stages. */
void good_stage1_step_missing(void)
{
	unmap_first();
	dsb_ishst();
	tlbi_vmid_stage12();
	dsb_ish();
	isb();
	give_back_first();
	guest_reads(0);
}
