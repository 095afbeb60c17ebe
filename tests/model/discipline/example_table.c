/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and pages come and go, under their locks; and VMIDs. */
#include "examples.h"
#include "stage.h"

/* ---- Tables and pages ------------------------------------------------------------------------- */

void bad_table_not_ready(void)
{
	two_pages();
	take(MIDDLE);
	put(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

void good_table_not_ready(void)
{
	two_pages();
	new_table(PAGE(3), 3);
	take(MIDDLE);
	put(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

void bad_table_linked_early(void)
{
	two_pages();
	new_table(PAGE(3), 3);
	put_plain(PAGE(3), 0, LEAF(PAGE(2)));
	take(MIDDLE);
	put_plain(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

void good_table_linked_early(void)
{
	two_pages();
	new_table(PAGE(3), 3);
	put_plain(PAGE(3), 0, LEAF(PAGE(2)));
	dsb_ishst();
	take(MIDDLE);
	put_plain(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

void bad_table_freed_reachable(void)
{
	two_pages();
	free_table(LEAVES, 3);
}

static void unlink_leaves(void)
{
	take(MIDDLE);
	put(MIDDLE, 0, 0);
}

static void flush_leaves(void)
{
	dsb_ishst();
	tlbi_ipa_range(irange(iaddr(0), iaddr(UINT64_C(2) << 20)), TLB_LEVEL_ANY, TLB_ALL_LEVELS);
	stage1_step();
}

void good_table_freed_reachable(void)
{
	two_pages();
	unlink_leaves();
	flush_leaves();
	free_table(LEAVES, 3);
	give(MIDDLE);
}

void bad_table_freed_unflushed(void)
{
	two_pages();
	unlink_leaves();
	free_table(LEAVES, 3);
	flush_leaves();
	give(MIDDLE);
}

/* Table and block change places the same way. */
void good_table_freed_unflushed(void)
{
	two_pages();
	unlink_leaves();
	flush_leaves();
	put(MIDDLE, 0, BLOCK);
	dsb_ishst();
	free_table(LEAVES, 3);
	give(MIDDLE);
	guest_reads(0);
}

void bad_page_released_unflushed(void)
{
	unmap_first();
	release(PAGE(0));
	guest_reads(0);
	flush_page(0);
	give(LEAVES);
}

void good_page_released_unflushed(void)
{
	unmap_first();
	flush_page(0);
	release(PAGE(0));
	guest_reads(0);
	give(LEAVES);
}

/* ---- Locks, and VMIDs ------------------------------------------------------------------------- */

void bad_write_without_lock(void)
{
	two_pages();
	on_cpu(1);
	take(LEAVES);
	on_cpu(0);
	put(LEAVES, 2, LEAF(PAGE(2)));
}

/* A table that no CPU can walk yet needs none. */
void good_write_without_lock(void)
{
	new_table(LEAVES, 3);
	put(LEAVES, 2, LEAF(PAGE(2)));
	two_pages();
	take(LEAVES);
	put(LEAVES, 2, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
}

void bad_write_unseen(void)
{
	two_pages();
	machine_write(paddr(LEAVES), LEAF(PAGE(2)));
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	give(LEAVES);
}

void good_write_unseen(void)
{
	unmap_first();
	flush_page(0);
	give(LEAVES);
}

void bad_vmid_reused(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	load(OTHER_ROOT, 1);
	guest_reads(0);
}

void good_vmid_reused(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	unload();
	tlbi_all_vmids();
	dsb_ish();
	isb();
	load(OTHER_ROOT, 1);
	guest_reads(0);
}
