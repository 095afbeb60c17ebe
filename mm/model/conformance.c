/* SPDX-License-Identifier: BSD-3-Clause */
#include "conformance.h"

#include "trial.h"

#define RANDOM_CALLS 400
#define RANDOM_PAGES 40 /* of input addresses: few, so that calls meet */

static void a_new_table_is_empty(struct trial *trial)
{
	trial_query(trial, trial->input);
	if (!page_table_init(&trial->before))
		trial_note(trial, "a new table is empty", "init", 0);
}

static void map_adds_what_it_is_asked(struct trial *trial)
{
	trial_given(trial, 3, 1, 7);
	trial_given(trial, 5, 3, 0);
	trial_given(trial, 4, 1, 8); /* continues the first, in the gap */
	trial_given(trial, 0, 2, 5);
}

static void map_keeps_off_mappings(struct trial *trial)
{
	trial_given(trial, 4, 3, 0);
	for (uint64_t first = 2; first < 8; first++)
		for (uint64_t count = 1; count <= 5; count++)
			if (first + count > 4 && first < 7)
				(void)trial_map(trial, trial_pages(trial, first, count, 9));
}

static void map_has_a_precondition(struct trial *trial)
{
	const struct page_table_constants *constants = &trial->before.constants;
	struct mapping mapping;

	trial_given(trial, 4, 1, 0);
	mapping = trial_pages(trial, 1, 1, 1);
	mapping.range.start.value += trial->page / 2;
	mapping.range.end.value += trial->page / 2;
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 1, 1);
	mapping.range.end.value += trial->page / 2;
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 1, 1);
	mapping.output.value += trial->page / 2;
	(void)trial_map(trial, mapping);
	(void)trial_map(trial, trial_pages(trial, 1, 0, 1));
	mapping = trial_pages(trial, 1, 2, 1);
	mapping.range = irange(mapping.range.end, mapping.range.start);
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 2, 0);
	mapping.output.value = constants->memory.end.value - trial->page;
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 1, 1);
	mapping.range =
		irange(constants->input.end, iaddr(constants->input.end.value + trial->page));
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 2, 1);
	mapping.range = irange(iaddr(constants->input.end.value - trial->page),
			       iaddr(constants->input.end.value + trial->page));
	(void)trial_map(trial, mapping);
	mapping = trial_pages(trial, 1, 1, 1);
	mapping.property = page_property(PAGE_READ, CACHE_POLICY_COUNT);
	(void)trial_map(trial, mapping);
}

static void outputs_may_be_shared(struct trial *trial)
{
	trial_given(trial, 0, 3, 1);
	trial_given(trial, 8, 3, 1);
	trial_given(trial, 4, 2, 2);
	trial_unmap(trial, trial_range(trial, 8, 3));
	trial_query(trial, trial_range(trial, 1, 1).start.value);
}

static void unmap_removes_what_it_is_asked(struct trial *trial)
{
	trial_given(trial, 2, 1, 4);
	trial_given(trial, 3, 1, 9);
	trial_given(trial, 4, 1, 6);
	trial_unmap(trial, trial_range(trial, 3, 1));
	trial_given(trial, 7, 2, 0);
	/* Holes in it, and mappings that reach over neither edge. */
	trial_unmap(trial, trial_range(trial, 1, 7));
}

static void unmap_splits(struct trial *trial)
{
	trial_given(trial, 2, 9, 2);
	trial_unmap(trial, trial_range(trial, 2, 1));
	trial_unmap(trial, trial_range(trial, 10, 1));
	trial_unmap(trial, trial_range(trial, 5, 2));
	trial_unmap(trial, trial_range(trial, 4, 4));
}

static void unmap_of_a_hole_is_refused(struct trial *trial)
{
	trial_unmap(trial, trial_range(trial, 0, 4));
	trial_given(trial, 4, 1, 0);
	trial_unmap(trial, trial_range(trial, 0, 4));
	trial_unmap(trial, trial_range(trial, 5, 1));
}

static void unmap_has_a_precondition(struct trial *trial)
{
	const struct irange input = trial->before.constants.input;
	struct irange range;

	trial_given(trial, 0, 3, 0);
	range = trial_range(trial, 1, 1);
	range.start.value += trial->page / 2;
	range.end.value += trial->page / 2;
	trial_unmap(trial, range);
	range = trial_range(trial, 1, 1);
	range.end.value -= trial->page / 2;
	trial_unmap(trial, range);
	trial_unmap(trial, trial_range(trial, 1, 0));
	trial_unmap(trial, irange(trial_range(trial, 2, 0).start, trial_range(trial, 1, 0).start));
	trial_unmap(trial,
		    irange(trial_range(trial, 1, 0).start, iaddr(input.end.value + trial->page)));
	trial_unmap(trial, irange(input.end, iaddr(input.end.value + trial->page)));
}

static void query_finds_the_frame(struct trial *trial)
{
	trial_given(trial, 1, 1, 3);
	trial_given(trial, 2, 3, 8);
	for (uint64_t word = 0; word < 4; word++) {
		uint64_t start = trial_range(trial, 1 + word, 1).start.value;

		trial_query(trial, start);
		trial_query(trial, start + trial->page / 2);
		trial_query(trial, start + trial->page - sizeof(uint64_t));
	}
}

static void query_finds_no_more(struct trial *trial)
{
	const struct irange input = trial->before.constants.input;

	trial_given(trial, 3, 2, 3);
	trial_query(trial, trial_range(trial, 3, 0).start.value - sizeof(uint64_t));
	trial_query(trial, trial_range(trial, 5, 0).start.value);
	trial_query(trial, input.start.value);
	trial_query(trial, input.end.value - sizeof(uint64_t));
	trial_query(trial, input.end.value);
	trial_query(trial, trial_range(trial, 3, 0).start.value + 1);
}

static void query_changes_nothing(struct trial *trial)
{
	trial_given(trial, 0, 4, 4);
	for (unsigned int i = 0; i < 20; i++)
		trial_query(trial, trial_range(trial, i % 5, 0).start.value);
}

static void properties_are_kept(struct trial *trial)
{
	const uint8_t all = PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED;
	uint64_t place = 0;

	for (int cache = 0; cache < CACHE_POLICY_COUNT; cache++)
		for (uint8_t flags = 0; flags <= all; flags++) {
			struct mapping mapping = trial_pages(trial, place % RANDOM_PAGES, 1, 1);

			mapping.property = page_property(flags, (enum cache_policy)cache);
			if (trial_map(trial, mapping) == MM_OK) {
				trial_query(trial, mapping.range.start.value);
				if (++place >= 8)
					trial_unmap(
						trial,
						trial_range(trial, (place - 8) % RANDOM_PAGES, 1));
			}
		}
	if (place < 2)
		trial_note(trial, "some properties can be said", "map", 0);
}

/* A frame of each size, with a smallest one on each side that continues it; then without its ends. */
static void frames_of_every_size(struct trial *trial)
{
	const struct page_table_constants *constants = &trial->before.constants;

	for (int level = constants->arch.root_level; level < 4; level++) {
		uint64_t frame = table_arch_leaf(&constants->arch, level) / trial->page;
		struct irange around;

		if (frame == 0 || (frame + 2) * trial->page > prange_size(trial->outputs) ||
		    (2 * frame + 1) * trial->page > irange_size(constants->input))
			continue;
		trial_given(trial, frame, frame, 0);
		trial_query(trial, trial_range(trial, frame, 0).start.value);
		trial_given(trial, 2 * frame, 1, frame);
		trial_query(trial, trial_range(trial, 2 * frame - 1, 0).start.value);
		trial_given(trial, frame - 1, 1, frame + 1);
		around = trial_range(trial, frame - 1, frame + 2);
		trial_unmap(trial, trial_range(trial, frame, 1));
		trial_unmap(trial, trial_range(trial, 2 * frame - 1, 1));
		trial_query(trial, trial_range(trial, frame + frame / 2, 0).start.value);
		trial_unmap(trial, around);
	}
}

static void both_ends_are_reached(struct trial *trial)
{
	const struct irange input = trial->before.constants.input;
	uint64_t last = irange_size(input) / trial->page - 1;

	trial_given(trial, 0, 1, 0);
	trial_given(trial, last, 1, 0);
	trial_query(trial, input.end.value - sizeof(uint64_t));
	trial_given(trial, last - 2, 2, 1);
	trial_unmap(trial, trial_range(trial, last - 1, 2));
	trial_unmap(trial, trial_range(trial, 0, last + 1));
}

static void holes_are_mapped_again(struct trial *trial)
{
	for (uint64_t round = 0; round < 4; round++) {
		trial_given(trial, 2, 4, round);
		trial_query(trial, trial_range(trial, 3, 0).start.value);
		trial_unmap(trial, trial_range(trial, 2, 4));
		trial_query(trial, trial_range(trial, 3, 0).start.value);
	}
}

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*state >> 33) % limit;
}

static void any_order(struct trial *trial)
{
	uint64_t random = 1;

	for (unsigned int i = 0; i < RANDOM_CALLS && trial->result.broken == NULL; i++) {
		uint64_t first = random_below(&random, RANDOM_PAGES);
		uint64_t count = 1 + random_below(&random, RANDOM_PAGES - first);

		switch (random_below(&random, 4)) {
		case 0:
			trial_unmap(trial,
				    trial_range(trial, first, 1 + random_below(&random, count)));
			break;
		case 1:
			trial_query(trial, trial_range(trial, first, 0).start.value);
			break;
		default:
			/* Often what continues a neighbour: then tables may merge. */
			count = 1 + random_below(&random, count < 6 ? count : 6);
			(void)trial_map(trial, trial_pages(trial, first, count,
							   random_below(&random, 2) * 3 + first));
		}
	}
	trial_unmap(trial, trial_range(trial, 0, RANDOM_PAGES));
}

static void (*const claims[])(struct trial *trial) = {
	[CONFORMANCE_A_NEW_TABLE_IS_EMPTY] = a_new_table_is_empty,
	[CONFORMANCE_MAP_ADDS_WHAT_IT_IS_ASKED] = map_adds_what_it_is_asked,
	[CONFORMANCE_MAP_KEEPS_OFF_MAPPINGS] = map_keeps_off_mappings,
	[CONFORMANCE_MAP_HAS_A_PRECONDITION] = map_has_a_precondition,
	[CONFORMANCE_OUTPUTS_MAY_BE_SHARED] = outputs_may_be_shared,
	[CONFORMANCE_UNMAP_REMOVES_WHAT_IT_IS_ASKED] = unmap_removes_what_it_is_asked,
	[CONFORMANCE_UNMAP_SPLITS] = unmap_splits,
	[CONFORMANCE_UNMAP_OF_A_HOLE_IS_REFUSED] = unmap_of_a_hole_is_refused,
	[CONFORMANCE_UNMAP_HAS_A_PRECONDITION] = unmap_has_a_precondition,
	[CONFORMANCE_QUERY_FINDS_THE_FRAME] = query_finds_the_frame,
	[CONFORMANCE_QUERY_FINDS_NO_MORE] = query_finds_no_more,
	[CONFORMANCE_QUERY_CHANGES_NOTHING] = query_changes_nothing,
	[CONFORMANCE_PROPERTIES_ARE_KEPT] = properties_are_kept,
	[CONFORMANCE_FRAMES_OF_EVERY_SIZE] = frames_of_every_size,
	[CONFORMANCE_BOTH_ENDS_ARE_REACHED] = both_ends_are_reached,
	[CONFORMANCE_HOLES_ARE_MAPPED_AGAIN] = holes_are_mapped_again,
	[CONFORMANCE_ANY_ORDER] = any_order,
};

struct conformance_result conformance_try(enum conformance_claim claim,
					  const struct page_table_interface *interface, void *table,
					  struct model_arena arena)
{
	struct trial trial = { .interface = interface, .table = table };

	model_pool_init(&trial.pool, &arena, sizeof(struct extent));
	mappings_init(&trial.before.mappings, &trial.pool);
	mappings_init(&trial.after.mappings, &trial.pool);
	if (!interface->init(table)) {
		trial_note(&trial, "the table can be made", "init", 0);
		return trial.result;
	}
	trial_note(&trial, trial_look(&trial, &trial.before), "init", 0);
	if (!page_table_init(&trial.before))
		trial_note(&trial, "a new table is empty", "init", 0);
	if (trial.result.broken == NULL) {
		trial.outputs = interface->outputs(table);
		trial.input = trial.before.constants.input.start.value;
		trial.page = table_arch_page(&trial.before.constants.arch);
		trial.property =
			page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK);
		claims[claim](&trial);
	}
	interface->release(table);
	return trial.result;
}
