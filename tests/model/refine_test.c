/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks of refinement, checked: for each thing that a machine may do wrong, a step of the right
 * machine, which passes, and the same step spoiled, which must not, by the right name.
 */
#include "machine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };
static const struct page_property read_only = { PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK };

/* Where the state below has things. */
#define BLOCK MIB(2)	/* 2 MiB to offset 2 MiB, cached as a block */
#define PAGE MIB(8)	/* a page to offset 0, read-only */
#define ALIAS MIB(9)	/* a page to offset 0, read-write, cached */
#define LEAVING MIB(10) /* a page to offset 8 KiB, cached */
#define HOLE MIB(12)
#define UNUSED MIB(14)			 /* a page to offset 0, without the Access flag */
#define WORD (MEMORY_START / WORD_BYTES) /* the first of offset 0: 7 */

static const struct page_property not_accessed = { PAGE_READ, CACHE_WRITEBACK };

static void fill_before(struct machine *machine)
{
	struct low_state *low = &machine->before;
	const struct mapping block = machine_mapping(BLOCK, MIB(2), MIB(2), read_write);
	const struct mapping alias = machine_mapping(ALIAS, KIB(4), 0, read_write);
	const struct mapping leaving = machine_mapping(LEAVING, KIB(4), KIB(8), read_write);
	struct mappings *mappings = &low->hardware.table.mappings;

	assert_true(mappings_insert(mappings, block));
	assert_true(mappings_insert(mappings, machine_mapping(PAGE, KIB(4), 0, read_only)));
	assert_true(mappings_insert(mappings, alias));
	assert_true(mappings_insert(mappings, machine_mapping(UNUSED, KIB(4), 0, not_accessed)));
	assert_true(mappings_insert(&low->leaving, leaving));
	assert_true(hardware_fill(&low->hardware, &block));
	assert_true(hardware_fill(&low->hardware, &alias));
	assert_true(hardware_fill(&low->hardware, &leaving));
	assert_true(words_set(&low->hardware.mem, WORD, 7));
	assert_true(words_set(&low->hardware.mem, WORD + 1, 8));
	assert_null(low_invariant(low));
}

/* ---- Steps --------------------------------------------------------------------------------- */

static struct low_step access_step(enum access_kind kind, uint64_t address, uint64_t value)
{
	return (struct low_step){ .kind = STEP_ACCESS,
				  .access = { kind, false, iaddr(address), value } };
}

static struct low_step read_page(void)
{
	return access_step(ACCESS_READ, PAGE, 0);
}

static struct low_step write_page(void)
{
	return access_step(ACCESS_WRITE, PAGE, 9);
}

static struct low_step write_alias(void)
{
	return access_step(ACCESS_WRITE, ALIAS, 9);
}

static struct low_step execute_alias(void)
{
	return access_step(ACCESS_EXECUTE, ALIAS, 0);
}

static struct low_step map_hole(void)
{
	return (struct low_step){ .kind = STEP_MAP,
				  .mapping = machine_mapping(HOLE, KIB(8), KIB(16), read_write) };
}

static struct low_step map_leaving(void)
{
	return (struct low_step){ .kind = STEP_MAP,
				  .mapping =
					  machine_mapping(LEAVING, KIB(4), KIB(16), read_write) };
}

static struct low_step map_page(void)
{
	return (struct low_step){ .kind = STEP_MAP,
				  .mapping = machine_mapping(PAGE, KIB(4), KIB(16), read_write) };
}

static struct low_step unmap_part_of_block(void)
{
	return (struct low_step){ .kind = STEP_UNMAP,
				  .mapping.range = irange(iaddr(BLOCK), iaddr(BLOCK + KIB(4))) };
}

static struct low_step unmap_alias(void)
{
	return (struct low_step){ .kind = STEP_UNMAP,
				  .mapping.range = irange(iaddr(ALIAS), iaddr(ALIAS + KIB(4))) };
}

static struct low_step flush(void)
{
	return (struct low_step){ .kind = STEP_FLUSH };
}

static struct low_step query_page(void)
{
	return (struct low_step){ .kind = STEP_QUERY, .access.address = iaddr(PAGE) };
}

static struct low_step fill_page(void)
{
	return (struct low_step){ .kind = STEP_FILL,
				  .entry = machine_mapping(PAGE, KIB(4), 0, read_only) };
}

static struct low_step evict_alias(void)
{
	return (struct low_step){ .kind = STEP_EVICT,
				  .entry = machine_mapping(ALIAS, KIB(4), 0, read_write) };
}

/* ---- What spoils them ---------------------------------------------------------------------- */

static void restore_entry(struct low_state *low, uint64_t start, uint64_t size, uint64_t offset)
{
	const struct mapping entry = machine_mapping(start, size, offset, read_write);

	assert_true(hardware_fill(&low->hardware, &entry));
}

static void keep_block_entry(struct low_state *low, struct low_step *step)
{
	(void)step;
	restore_entry(low, BLOCK, MIB(2), MIB(2));
}

static void keep_leaving_entry(struct low_state *low, struct low_step *step)
{
	(void)step;
	restore_entry(low, LEAVING, KIB(4), KIB(8));
}

static void forget_what_leaves(struct low_state *low, struct low_step *step)
{
	tlb_invalidate(&low->hardware.tlb, step->mapping.range, false);
	(void)mappings_remove(&low->leaving, step->mapping.range);
}

static void still_leaving(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)mappings_insert(&low->leaving, machine_mapping(LEAVING, KIB(4), KIB(8), read_write));
}

static void leave_more(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)mappings_insert(&low->leaving, machine_mapping(HOLE, KIB(4), KIB(8), read_write));
}

static void read_other(struct low_state *low, struct low_step *step)
{
	(void)low;
	step->outcome.value ^= 1;
}

static void complete(struct low_state *low, struct low_step *step)
{
	(void)low;
	step->outcome = (struct outcome){ .fault = FAULT_NONE };
}

static void fault_otherwise(struct low_state *low, struct low_step *step)
{
	(void)low;
	step->outcome.fault = FAULT_TRANSLATION;
}

static void write_nothing(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)words_set(&low->hardware.mem, WORD, 7);
}

static void write_the_next_word(struct low_state *low, struct low_step *step)
{
	(void)words_set(&low->hardware.mem, WORD + 1, step->access.value);
}

static void lose_a_word(struct low_state *low, struct low_step *step)
{
	(void)step;
	words_forget(&low->hardware.mem, WORD + 1);
}

static void word_beyond_memory(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)words_set(&low->hardware.mem, (MEMORY_START + MEMORY_BYTES) / WORD_BYTES, 1);
}

static void map_another(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)mappings_insert(&low->hardware.table.mappings,
			      machine_mapping(GIB(2), KIB(4), 0, read_write));
}

static void remap(struct low_state *low, struct mapping mapping)
{
	(void)mappings_remove(&low->hardware.table.mappings, mapping.range);
	(void)mappings_insert(&low->hardware.table.mappings, mapping);
}

static void map_elsewhere(struct low_state *low, struct low_step *step)
{
	remap(low, machine_mapping(step->mapping.range.start.value, KIB(8), MIB(1), read_write));
}

static void map_the_old_one_over(struct low_state *low, struct low_step *step)
{
	remap(low, step->mapping);
}

static void map_beyond_memory(struct low_state *low, struct low_step *step)
{
	remap(low, machine_mapping(step->mapping.range.start.value, KIB(8), MEMORY_BYTES - KIB(4),
				   read_write));
}

static void map_beyond_addresses(struct low_state *low, struct low_step *step)
{
	(void)step;
	remap(low, machine_mapping(UINT64_C(1) << 39, KIB(4), 0, read_write));
}

static void map_unaligned(struct low_state *low, struct low_step *step)
{
	remap(low, machine_mapping(step->mapping.range.start.value, KIB(8), 2048, read_write));
}

static void unmap_more(struct low_state *low, struct low_step *step)
{
	(void)step;
	(void)mappings_remove(&low->hardware.table.mappings,
			      irange(iaddr(PAGE), iaddr(PAGE + KIB(4))));
}

static void find_more(struct low_state *low, struct low_step *step)
{
	(void)low;
	step->found.property = read_write;
}

static void find_nothing(struct low_state *low, struct low_step *step)
{
	(void)low;
	step->status = MM_NOT_MAPPED;
}

static void fill_what_is_not(struct low_state *low, struct low_step *step)
{
	(void)step;
	restore_entry(low, HOLE, KIB(4), 0);
}

static void fill_too_large(struct low_state *low, struct low_step *step)
{
	(void)step;
	restore_entry(low, BLOCK, MIB(1), MIB(2));
}

static void fill_without_access_flag(struct low_state *low, struct low_step *step)
{
	const struct mapping entry = machine_mapping(UNUSED, KIB(4), 0, not_accessed);

	(void)step;
	assert_true(hardware_fill(&low->hardware, &entry));
}

#define TLB_IS_SUBMAP "the TLB is a submap of the table and of what is leaving"

static const struct {
	struct low_step (*step)(void);
	void (*spoil)(struct low_state *low, struct low_step *step);
	const char *theorem, *broken;
} wrongs[] = {
	{ read_page, read_other, "ll_read_refines_hl_read", "a read finds what was written last" },
	{ read_page, fault_otherwise, "ll_read_refines_hl_read",
	  "an access faults if, and as, its mapping says" },
	{ read_page, lose_a_word, "ll_read_refines_hl_read",
	  "a word is kept while its address is mapped" },
	{ read_page, map_another, "ll_read_refines_hl_read",
	  "mappings change by map and unmap alone" },
	{ read_page, leave_more, "ll_read_refines_hl_read",
	  "what is leaving changes by map, unmap and flush alone" },
	{ read_page, word_beyond_memory, "ll_read_preserves_invariants",
	  "words lie in physical memory" },
	{ write_page, complete, "ll_write_refines_hl_write",
	  "an access faults if, and as, its mapping says" },
	{ write_alias, write_nothing, "ll_write_refines_hl_write",
	  "a write changes every index of its word" },
	{ write_alias, write_the_next_word, "ll_write_refines_hl_write",
	  "a word changes only when it is written" },
	{ execute_alias, complete, "ll_execute_refines_hl_execute",
	  "an access faults if, and as, its mapping says" },
	{ map_hole, map_elsewhere, "ll_map_refines_hl_map",
	  "what was mapped is there, all of it, as asked" },
	{ map_hole, map_another, "ll_map_refines_hl_map", "map changes nothing besides" },
	{ map_hole, map_beyond_memory, "ll_map_preserves_invariants", "mappings lead into memory" },
	{ map_hole, map_beyond_addresses, "ll_map_preserves_invariants",
	  "mappings lie within the input addresses" },
	{ map_hole, map_unaligned, "ll_map_preserves_invariants",
	  "mappings are aligned to the smallest frame" },
	{ map_page, map_the_old_one_over, "ll_map_refines_hl_map",
	  "what is refused changes nothing" },
	{ map_leaving, keep_leaving_entry, "ll_map_preserves_invariants", TLB_IS_SUBMAP },
	{ map_leaving, still_leaving, "ll_map_preserves_invariants",
	  "what is leaving is not mapped" },
	{ unmap_part_of_block, keep_block_entry, "ll_unmap_preserves_invariants", TLB_IS_SUBMAP },
	{ unmap_part_of_block, unmap_more, "ll_unmap_refines_hl_unmap",
	  "unmap changes nothing besides" },
	{ unmap_alias, forget_what_leaves, "ll_unmap_refines_hl_unmap",
	  "what was unmapped is leaving" },
	{ unmap_alias, leave_more, "ll_unmap_refines_hl_unmap", "nothing else is leaving" },
	{ flush, keep_leaving_entry, "ll_flush_preserves_invariants", TLB_IS_SUBMAP },
	{ flush, still_leaving, "ll_flush_refines_hl_flush", "after a flush nothing is leaving" },
	{ query_page, find_more, "ll_query_refines_hl_query", "query says what the mappings say" },
	{ query_page, find_nothing, "ll_query_refines_hl_query",
	  "query of what is mapped is MM_OK" },
	{ query_page, map_another, "ll_query_refines_hl_query", "query changes nothing" },
	{ fill_page, fill_what_is_not, "ll_tlb_fill_preserves_invariants", TLB_IS_SUBMAP },
	{ fill_page, fill_too_large, "ll_tlb_fill_preserves_invariants", TLB_IS_SUBMAP },
	{ fill_page, fill_without_access_flag, "ll_tlb_fill_preserves_invariants", TLB_IS_SUBMAP },
	{ evict_alias, unmap_more, "ll_tlb_evict_refines_hl_id",
	  "mappings change by map and unmap alone" },
	{ evict_alias, write_the_next_word, "ll_tlb_evict_refines_hl_id",
	  "a word changes only when it is written" },
};

static struct refine_result check(struct machine *machine, const struct low_step *step)
{
	return refine_check_step(&machine->refinement, &machine->before, &machine->after, step);
}

static void each_wrong_step_is_found(void **state)
{
	struct machine *machine = *state;

	fill_before(machine);
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct low_step step = wrongs[i].step();
		struct refine_result result;

		assert_true(low_may(&machine->before, &step));
		assert_true(low_copy(&machine->after, &machine->before));
		assert_true(low_take(&machine->after, &step));
		result = check(machine, &step);
		if (result.broken != NULL)
			fail_msg("%s, when nothing is wrong: %s", result.theorem, result.broken);
		step.access.value = 9;
		wrongs[i].spoil(&machine->after, &step);
		result = check(machine, &step);
		if (result.broken == NULL || strcmp(result.broken, wrongs[i].broken) != 0 ||
		    strcmp(result.theorem, wrongs[i].theorem) != 0)
			fail_msg("%zu: '%s' of %s is found as '%s' of %s", i, wrongs[i].broken,
				 wrongs[i].theorem, result.broken == NULL ? "right" : result.broken,
				 result.theorem);
	}
}

static void expect_no_beginning(struct machine *machine, const char *theorem)
{
	struct refine_result result = refine_check_init(&machine->refinement, &machine->before);

	assert_non_null(result.broken);
	assert_string_equal(result.theorem, theorem);
	low_clear(&machine->before);
}

static void a_machine_begins_with_nothing(void **state)
{
	struct machine *machine = *state;
	struct low_state *low = &machine->before;

	assert_null(refine_check_init(&machine->refinement, low).broken);
	fill_before(machine);
	expect_no_beginning(machine, "ll_init_implies_pt_init");
	restore_entry(low, HOLE, KIB(4), 0);
	expect_no_beginning(machine, "ll_init_implies_invariants");
	still_leaving(low, NULL);
	expect_no_beginning(machine, "ll_init_implies_pt_init");
	low->hardware.table.constants.arch.levels[1].entry_count = 256;
	expect_no_beginning(machine, "ll_init_implies_invariants");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_wrong_step_is_found, machine_set_up,
						machine_tear_down),
		cmocka_unit_test_setup_teardown(a_machine_begins_with_nothing, machine_set_up,
						machine_tear_down),
	};

	return cmocka_run_group_tests_name("refine", tests, NULL, NULL);
}
