/* SPDX-License-Identifier: BSD-3-Clause */
/* Readings: which outcomes are right, whatever the TLB holds. */
#include "low.h"

struct outcomes {
	struct outcome *list;
	unsigned int count;
};

static void add(struct outcomes *outcomes, struct outcome outcome, int stage)
{
	if (outcomes->count == LOW_OUTCOMES_MAX)
		return;
	outcome.stage = outcome.fault == FAULT_NONE ? 0 : stage;
	outcomes->list[outcomes->count++] = outcome;
}

/*
 * All ways to translate by this machine's table: what is mapped there or, if nothing is, the hole; and
 * what is leaving from there. A TLB without an entry walks, and finds the first. A TLB with one has
 * it from the first or from the second.
 */
static void through_table(const struct low_state *low, const struct access *access, int stage,
			  struct outcomes *outcomes)
{
	const struct page_table_state *table = &low->hardware.table;
	const struct table_arch *arch = &table->constants.arch;
	struct mapping mapping;

	if (mappings_find(&table->mappings, access->address, &mapping))
		add(outcomes, outcome_through(arch, &mapping, access), stage);
	else
		add(outcomes, outcome_of_hole(table, access->address), stage);
	if (mappings_find(&low->leaving, access->address, &mapping))
		add(outcomes, outcome_through(arch, &mapping, access), stage);
}

/*
 * The descriptors of the guest's own tables are read through this machine's. Adds the faults that may
 * come of it; false if one of them must.
 */
static bool through_walk(const struct low_state *low, const struct guest_stage1 *stage1, int stage,
			 struct outcomes *outcomes)
{
	for (unsigned int i = 0; i < stage1->walk_length; i++) {
		const struct access read = { .kind = ACCESS_READ, .address = stage1->walk[i] };
		struct outcome list[2];
		struct outcomes found = { list, 0 };
		bool completes = false;

		through_table(low, &read, stage, &found);
		for (unsigned int j = 0; j < found.count; j++) {
			list[j].table_walk = true;
			if (list[j].fault == FAULT_NONE)
				completes = true;
			else
				add(outcomes, list[j], stage);
		}
		if (!completes)
			return false;
	}
	return true;
}

unsigned int low_outcomes(const struct low_state *low, const struct guest_stage1 *stage1,
			  const struct access *access, int stage,
			  struct outcome outcomes[LOW_OUTCOMES_MAX])
{
	const unsigned int pa_bits = low->hardware.table.constants.pa_bits;
	struct outcomes found = { outcomes, 0 };
	struct access inner = *access;
	struct mapping mapping;
	struct outcome outcome;

	if (stage1 == NULL && stage == 2 && access->address.value >> pa_bits != 0) {
		/* Stage 1 is off, and refuses what is no physical address (Arm ARM D8.2.10). */
		outcome = (struct outcome){ .fault = FAULT_ADDRESS_SIZE, .levels = 1 };
		add(&found, outcome, 1);
		return found.count;
	}
	if (stage1 != NULL) {
		if (!through_walk(low, stage1, stage, &found))
			return found.count;
		if (!mappings_find(&stage1->table.mappings, access->address, &mapping)) {
			add(&found, outcome_of_hole(&stage1->table, access->address), 1);
			return found.count;
		}
		outcome = outcome_through(&stage1->table.constants.arch, &mapping, access);
		if (outcome.fault != FAULT_NONE) {
			add(&found, outcome, 1);
			return found.count;
		}
		inner.address = iaddr(outcome.place.value);
		inner.user = false;
	}
	through_table(low, &inner, stage, &found);
	for (unsigned int i = 0; i < found.count; i++)
		if (outcomes[i].fault == FAULT_NONE && access->kind != ACCESS_WRITE)
			outcomes[i].value_known =
				words_find(&low->hardware.mem, outcomes[i].place.value / WORD_BYTES,
					   &outcomes[i].value);
	return found.count;
}

const char *low_observe(struct low_state *low, const struct guest_stage1 *stage1,
			const struct access *access, int stage, const struct outcome *observed)
{
	struct outcome outcomes[LOW_OUTCOMES_MAX];
	unsigned int count = low_outcomes(low, stage1, access, stage, outcomes);
	bool alike = false;

	for (unsigned int i = 0; i < count; i++) {
		const struct outcome *outcome = &outcomes[i];
		uint64_t index = outcome->place.value / WORD_BYTES;
		bool writes = access->kind == ACCESS_WRITE;
		uint64_t value = writes ? access->value : observed->value;

		alike = alike || outcome->fault == observed->fault;
		if (!outcome_allows(outcome, observed))
			continue;
		if (outcome->fault == FAULT_NONE && (writes || observed->value_known) &&
		    !words_set(&low->hardware.mem, index, value))
			return "the arena is full";
		return NULL;
	}
	if (observed->fault == FAULT_NONE)
		return alike ? "no translation that may be cached leads to this value"
			     : "the access completed, and the machine says that it faults";
	return alike ? "the fault is reported at a stage or a level where it cannot be"
		     : "no translation that may be cached gives this fault";
}
