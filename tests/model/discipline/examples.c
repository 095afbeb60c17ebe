/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For each rule of the discipline one program that breaks it and one like it that does not. Small
 * programs against the contract of arch/include, on the simulated machine, whose guest is the second
 * witness: where it reads is in the trace.
 *
 *     examples --list     the names
 *     examples --rules    the rules, as docs/model.md shows them
 *     examples NAME       runs one: its trace in casemate's format, reports after "!", and what else
 *                         is worth knowing after ";"
 */
#include <discipline.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stage.h"

/* ---- Changing what is mapped ------------------------------------------------------------------ */

static void bad_valid_to_valid(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, LEAF(PAGE(2)));
	flush_page(0);
	give(LEAVES);
}

static void good_valid_to_valid(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

static void bad_tlbi_missing(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	dsb_ish();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

/* A change of permissions needs no break, but it is not in force before the invalidation. */
static void good_tlbi_missing(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, READ_ONLY_LEAF(PAGE(0)));
	flush_page(0);
	give(LEAVES);
}

static void bad_tlbi_too_narrow(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	put(LEAVES, 1, 0);
	flush_page(PAGE_SIZE);
	release(PAGE(0));
	release(PAGE(1));
	give(LEAVES);
	guest_reads(0);
}

static void good_tlbi_too_narrow(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	put(LEAVES, 1, 0);
	dsb_ishst();
	tlbi_ipa_range(irange(iaddr(0), iaddr(2 * PAGE_SIZE)), 3, TLB_LEAF_ONLY);
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	release(PAGE(0));
	release(PAGE(1));
	give(LEAVES);
	guest_reads(0);
}

static void bad_tlbi_wrong_vmid(void)
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

static void good_tlbi_wrong_vmid(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	load(OTHER_ROOT, 2);
	take(LEAVES);
	put(LEAVES, 0, 0);
	load(ROOT, 1);
	flush_page(0);
	load(OTHER_ROOT, 2);
	release(PAGE(0));
	give(LEAVES);
}

static void bad_tlbi_local(void)
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
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
	on_cpu(1);
	guest_reads(0);
}

static void good_tlbi_local(void)
{
	two_pages();
	on_cpu(1);
	load(ROOT, 1);
	guest_reads(0);
	on_cpu(0);
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	release(PAGE(0));
	give(LEAVES);
	on_cpu(1);
	guest_reads(0);
}

static void bad_stage1_step_missing(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
	guest_reads(0);
}

/* One instruction for both stages. */
static void good_stage1_step_missing(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_vmid_stage12();
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
	guest_reads(0);
}

/* ---- Barriers --------------------------------------------------------------------------------- */

static void bad_dsb_missing_before(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	guest_reads(0);
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
	guest_reads(0);
}

static void good_dsb_missing_before(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ish();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
}

static void bad_dsb_missing_after(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_vmid_stage12();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ish();
	give(LEAVES);
}

/* The two invalidations are ordered, too. */
static void bad_dsb_missing_between(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_ipa_address(iaddr(0), 3, TLB_LEAF_ONLY);
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	release(PAGE(0));
	give(LEAVES);
}

static void good_dsb_missing_after(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	dsb_ishst();
	tlbi_vmid_stage12();
	dsb_ish();
	put(LEAVES, 0, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
	guest_reads(0);
}

static void bad_dsb_missing_publish(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 2, LEAF(PAGE(2)));
	give(LEAVES);
	guest_reads(2 * PAGE_SIZE);
}

static void good_dsb_missing_publish(void)
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

static void bad_isb_missing(void)
{
	el2_page();
	take(LEAVES);
	put(LEAVES, 0, EL2_LEAF(PAGE(0)));
	dsb_ishst();
	give(LEAVES);
}

static void good_isb_missing(void)
{
	el2_page();
	take(LEAVES);
	put(LEAVES, 0, EL2_LEAF(PAGE(0)));
	dsb_ishst();
	isb();
	give(LEAVES);
}

/* ---- Tables and pages that come and go -------------------------------------------------------- */

static void bad_table_not_ready(void)
{
	two_pages();
	take(MIDDLE);
	put(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

static void good_table_not_ready(void)
{
	two_pages();
	new_table(PAGE(3), 3);
	take(MIDDLE);
	put(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

static void bad_table_linked_early(void)
{
	two_pages();
	new_table(PAGE(3), 3);
	put_plain(PAGE(3), 0, LEAF(PAGE(2)));
	take(MIDDLE);
	put_plain(MIDDLE, 1, TABLE(PAGE(3)));
	dsb_ishst();
	give(MIDDLE);
}

static void good_table_linked_early(void)
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

static void bad_table_freed_reachable(void)
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
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
}

static void good_table_freed_reachable(void)
{
	two_pages();
	unlink_leaves();
	flush_leaves();
	free_table(LEAVES, 3);
	give(MIDDLE);
}

static void bad_table_freed_unflushed(void)
{
	two_pages();
	unlink_leaves();
	free_table(LEAVES, 3);
	flush_leaves();
	give(MIDDLE);
}

/* Table and block change places the same way. */
static void good_table_freed_unflushed(void)
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

static void bad_page_released_unflushed(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	release(PAGE(0));
	guest_reads(0);
	flush_page(0);
	give(LEAVES);
}

static void good_page_released_unflushed(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	release(PAGE(0));
	guest_reads(0);
	give(LEAVES);
}

/* ---- Locks, and VMIDs ------------------------------------------------------------------------- */

static void bad_write_without_lock(void)
{
	two_pages();
	on_cpu(1);
	take(LEAVES);
	on_cpu(0);
	put(LEAVES, 2, LEAF(PAGE(2)));
}

/* A table that no CPU can walk yet needs none. */
static void good_write_without_lock(void)
{
	new_table(LEAVES, 3);
	put(LEAVES, 2, LEAF(PAGE(2)));
	two_pages();
	take(LEAVES);
	put(LEAVES, 2, LEAF(PAGE(2)));
	dsb_ishst();
	give(LEAVES);
}

static void bad_write_unseen(void)
{
	two_pages();
	machine_write(paddr(LEAVES), LEAF(PAGE(2)));
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	give(LEAVES);
}

static void good_write_unseen(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
	flush_page(0);
	give(LEAVES);
}

static void bad_vmid_reused(void)
{
	two_pages();
	new_root(OTHER_ROOT, 1);
	load(OTHER_ROOT, 1);
	guest_reads(0);
}

static void good_vmid_reused(void)
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

/* ----------------------------------------------------------------------------------------------- */

struct example {
	const char *name;
	void (*run)(void);
};

#define BOTH(name, sentence, section) { "bad_" #name, bad_##name }, { "good_" #name, good_##name },
static const struct example examples[] = {
	DISCIPLINE_RULES(BOTH){ "bad_dsb_missing_between", bad_dsb_missing_between },
};

#define COUNT (sizeof(examples) / sizeof(examples[0]))

static void print_line(const char *line)
{
	puts(line);
}

static void complain(const char *text)
{
	printf("! %s\n", text);
}

static void run(const struct example *example)
{
	static unsigned char arena[1 << 20];
	const struct machine_config config = {
		.memory = { prange(paddr(0x40000000), paddr(0x40400000)) },
		.memory_count = 1,
		.features = machine_features_v8_4(),
	};

	if (!machine_create(&config))
		exit(2);
	discipline_start(arena, sizeof(arena), complain);
	discipline_trace(print_line);
	example->run();
	for (int kind = 0; kind < VIOLATION_COUNT; kind++)
		if (machine_violations(kind) != 0)
			printf("; the simulated MMU: %s\n", machine_violation_name(kind));
	printf("; %" PRIu64 " reports\n", discipline_report().reports);
	discipline_stop();
	machine_destroy();
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "--list") == 0) {
		for (size_t i = 0; i < COUNT; i++)
			puts(examples[i].name);
		return 0;
	}
	if (strcmp(what, "--rules") == 0) {
		for (int rule = 0; rule < DISCIPLINE_RULE_COUNT; rule++)
			printf("| `%s` | %s | %s |\n", discipline_rule_name(rule),
			       discipline_rule_sentence(rule), discipline_rule_section(rule));
		return 0;
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(what, examples[i].name) == 0) {
			run(&examples[i]);
			return 0;
		}
	}
	fprintf(stderr, "%s: no example is called %s\n", argv[0], what);
	return 2;
}
