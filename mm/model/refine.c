/* SPDX-License-Identifier: BSD-3-Clause */
#include "refine.h"

#include "mappings_relate.h"

void refine_make(struct refinement *refinement, struct machine_pools *pools)
{
	high_make(&refinement->before, pools);
	high_make(&refinement->after, pools);
}

/* The word at @place, under every index by which @mappings lead to it. */
static bool name_word(const struct mappings *mappings, struct paddr place, uint64_t value,
		      struct words *mem)
{
	struct irange left = irange_all();
	struct mapping mapping;

	for (; mappings_next_in(mappings, left, &mapping); left.start = mapping.range.end) {
		uint64_t offset = place.value - mapping.output.value;

		if (place.value >= mapping.output.value && offset < irange_size(mapping.range) &&
		    !words_set(mem, (mapping.range.start.value + offset) / WORD_BYTES, value))
			return false;
	}
	return true;
}

bool refine(const struct low_state *low, struct high_state *high)
{
	const struct hardware_state *hardware = &low->hardware;
	struct word word;

	words_clear(&high->mem);
	high->table.constants = hardware->table.constants;
	if (!mappings_copy(&high->table.mappings, &hardware->table.mappings) ||
	    !mappings_copy(&high->leaving, &low->leaving))
		return false;
	for (uint64_t i = 0; words_next(&hardware->mem, i, &word); i = word.index + 1) {
		struct paddr place = paddr(word.index * WORD_BYTES);

		if (!name_word(&high->table.mappings, place, word.value, &high->mem) ||
		    !name_word(&high->leaving, place, word.value, &high->mem))
			return false;
	}
	return true;
}

struct refine_result refine_check_init(struct refinement *refinement, const struct low_state *low)
{
	struct refine_result result = { "ll_init_implies_invariants", low_invariant(low) };

	if (result.broken != NULL)
		return result;
	result.theorem = "ll_init_implies_pt_init";
	if (!low_init(low) || !page_table_init(&low->hardware.table))
		result.broken = "at first nothing is mapped, and nothing cached";
	if (result.broken != NULL)
		return result;
	result.theorem = "ll_init_refines_hl_init";
	if (!refine(low, &refinement->before))
		result.broken = "the arena is full";
	else if (!high_init(&refinement->before))
		result.broken = "at first nothing is mapped, and no word has an index";
	return result;
}

struct theorems {
	const char *preserves, *refines;
};

static const struct theorems of_step[STEP_COUNT] = {
	[STEP_MAP] = { "ll_map_preserves_invariants", "ll_map_refines_hl_map" },
	[STEP_UNMAP] = { "ll_unmap_preserves_invariants", "ll_unmap_refines_hl_unmap" },
	[STEP_FLUSH] = { "ll_flush_preserves_invariants", "ll_flush_refines_hl_flush" },
	[STEP_QUERY] = { "ll_query_preserves_invariants", "ll_query_refines_hl_query" },
	[STEP_FILL] = { "ll_tlb_fill_preserves_invariants", "ll_tlb_fill_refines_hl_id" },
	[STEP_EVICT] = { "ll_tlb_evict_preserves_invariants", "ll_tlb_evict_refines_hl_id" },
};

static const struct theorems of_access[] = {
	[ACCESS_READ] = { "ll_read_preserves_invariants", "ll_read_refines_hl_read" },
	[ACCESS_WRITE] = { "ll_write_preserves_invariants", "ll_write_refines_hl_write" },
	[ACCESS_EXECUTE] = { "ll_execute_preserves_invariants", "ll_execute_refines_hl_execute" },
};

static struct theorems theorems_of(const struct low_step *step)
{
	return step->kind == STEP_ACCESS ? of_access[step->access.kind] : of_step[step->kind];
}

static const char *simulates(const struct refinement *refinement, const struct low_step *step)
{
	const struct high_state *before = &refinement->before;
	const struct high_state *after = &refinement->after;

	switch (step->kind) {
	case STEP_ACCESS:
		return high_access(before, after, &step->access, &step->outcome);
	case STEP_MAP:
		return high_map(before, after, &step->mapping, step->status);
	case STEP_UNMAP:
		return high_unmap(before, after, step->mapping.range, step->status);
	case STEP_FLUSH:
		return high_flush(before, after);
	case STEP_QUERY:
		return high_query(before, after, step->access.address, step->status, &step->found);
	case STEP_FILL: /* programs see nothing of these */
	case STEP_EVICT:
	case STEP_COUNT:
		break;
	}
	return high_id(before, after);
}

struct refine_result refine_check_step(struct refinement *refinement,
				       const struct low_state *before,
				       const struct low_state *after, const struct low_step *step)
{
	const struct theorems theorem = theorems_of(step);
	struct refine_result result = { theorem.preserves, low_invariant(after) };

	if (result.broken != NULL)
		return result;
	result.theorem = theorem.refines;
	if (!refine(before, &refinement->before) || !refine(after, &refinement->after)) {
		result.broken = "the arena is full";
		return result;
	}
	result.broken = high_invariant(&refinement->after);
	if (result.broken == NULL)
		result.broken = simulates(refinement, step);
	return result;
}
