/* SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

const char *conformance_text(enum conformance_claim claim)
{
	static const char *const text[] = {
#define CONFORMANCE_TEXT(name, text) [CONFORMANCE_##name] = text,
		CONFORMANCE_LIST(CONFORMANCE_TEXT)
#undef CONFORMANCE_TEXT
	};

	return (unsigned int)claim < CONFORMANCE_COUNT ? text[claim] : "unknown claim";
}

void trial_note(struct trial *trial, const char *broken, const char *call, uint64_t address)
{
	if (trial->result.broken != NULL || broken == NULL)
		return;
	trial->result.broken = broken;
	trial->result.call = call;
	trial->result.address = address;
}

const char *trial_look(struct trial *trial, struct page_table_state *state)
{
	const char *broken = trial->interface->invariants(trial->table);

	if (broken != NULL)
		return broken;
	mappings_clear(&state->mappings);
	if (!trial->interface->view(trial->table, state))
		return "the arena is full";
	return page_table_state_invariant(state);
}

/* Before a call; false if there is nothing to be learned any more. */
static bool begin(struct trial *trial, const char *call, uint64_t address)
{
	trial_note(trial, trial_look(trial, &trial->before), call, address);
	trial->result.calls++;
	return trial->result.broken == NULL;
}

enum mm_status trial_map(struct trial *trial, struct mapping mapping)
{
	enum mm_status status;

	if (!begin(trial, "before map", mapping.range.start.value))
		return MM_INVALID_ARGS;
	status = trial->interface->map(trial->table, mapping);
	trial_note(trial, trial_look(trial, &trial->after), "map", mapping.range.start.value);
	trial_note(trial, page_table_map_post(&trial->before, &trial->after, &mapping, status),
		   "map", mapping.range.start.value);
	return status;
}

void trial_unmap(struct trial *trial, struct irange range)
{
	enum mm_status status;

	if (!begin(trial, "before unmap", range.start.value))
		return;
	status = trial->interface->unmap(trial->table, range);
	trial_note(trial, trial_look(trial, &trial->after), "unmap", range.start.value);
	trial_note(trial, page_table_unmap_post(&trial->before, &trial->after, range, status),
		   "unmap", range.start.value);
}

void trial_query(struct trial *trial, uint64_t address)
{
	struct mapping found = { .counted = false };
	enum mm_status status;

	if (!begin(trial, "before query", address))
		return;
	status = trial->interface->query(trial->table, iaddr(address), &found);
	trial_note(trial, trial_look(trial, &trial->after), "query", address);
	trial_note(trial,
		   page_table_query_post(&trial->before, &trial->after, iaddr(address), status,
					 &found),
		   "query", address);
}

struct irange trial_range(const struct trial *trial, uint64_t first, uint64_t count)
{
	uint64_t start = trial->input + first * trial->page;

	return irange(iaddr(start), iaddr(start + count * trial->page));
}

struct mapping trial_pages(const struct trial *trial, uint64_t first, uint64_t count,
			   uint64_t output)
{
	return (struct mapping){
		.range = trial_range(trial, first, count),
		.output = paddr(trial->outputs.start.value + output * trial->page),
		.property = trial->property,
		.counted = trial->before.constants.counted,
	};
}

void trial_given(struct trial *trial, uint64_t first, uint64_t count, uint64_t output)
{
	if (trial_map(trial, trial_pages(trial, first, count, output)) != MM_OK)
		trial_note(trial, "what the claim starts from is mapped", "map",
			   trial_range(trial, first, count).start.value);
}
