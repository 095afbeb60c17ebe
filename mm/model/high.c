/* SPDX-License-Identifier: BSD-3-Clause */
#include "high.h"

#include "hardware.h"
#include "mappings_relate.h"

void high_make(struct high_state *high, struct machine_pools *pools)
{
	words_init(&high->mem, &pools->words);
	mappings_init(&high->table.mappings, &pools->extents);
	mappings_init(&high->leaving, &pools->extents);
}

void high_clear(struct high_state *high)
{
	words_clear(&high->mem);
	mappings_clear(&high->table.mappings);
	mappings_clear(&high->leaving);
}

bool high_place(const struct high_state *high, struct iaddr address, struct paddr *place)
{
	struct mapping mapping;

	if (!mappings_find(&high->table.mappings, address, &mapping) &&
	    !mappings_find(&high->leaving, address, &mapping))
		return false;
	*place = mapping_output(&mapping, address);
	return true;
}

static bool place_of(const struct high_state *high, uint64_t index, struct paddr *place)
{
	return high_place(high, iaddr(index * WORD_BYTES), place);
}

/* Whether every index by which @mappings lead to @place holds @value, if anybody looked. */
static bool hold(const struct high_state *high, const struct mappings *mappings, struct paddr place,
		 uint64_t value)
{
	struct irange left = irange_all();
	struct mapping mapping;
	uint64_t other;

	for (; mappings_next_in(mappings, left, &mapping); left.start = mapping.range.end) {
		uint64_t offset = place.value - mapping.output.value;

		if (place.value >= mapping.output.value && offset < irange_size(mapping.range) &&
		    words_find(&high->mem, (mapping.range.start.value + offset) / WORD_BYTES,
			       &other) &&
		    other != value)
			return false;
	}
	return true;
}

const char *high_invariant(const struct high_state *high)
{
	uint64_t index = 0;
	struct word word;

	for (; words_next(&high->mem, index, &word); index = word.index + 1) {
		struct paddr place;

		if (!place_of(high, word.index, &place))
			return "a word has an index only where something is mapped, or leaving";
		if (!hold(high, &high->table.mappings, place, word.value) ||
		    !hold(high, &high->leaving, place, word.value))
			return "indices that lead to one word hold the same";
	}
	return NULL;
}

bool high_init(const struct high_state *high)
{
	return RB_EMPTY(&high->mem.tree) && page_table_init(&high->table) &&
	       mappings_empty_in(&high->leaving, irange_all());
}

/* ---- Memory -------------------------------------------------------------------------------- */

/* What an operation does to words: it writes one, or none, and maps a range anew, or nothing. */
struct written {
	bool any;
	struct paddr place;
	uint64_t value;
	struct irange anew; /* its indices are others from now on, of any value */
};

static bool is_new(const struct written *written, uint64_t index)
{
	return irange_has(written->anew, iaddr(index * WORD_BYTES));
}

/*
 * Of the words that are still reached, each is what it was, or what was written to where it leads. An
 * index that is new holds what was written to where it leads, or what nobody had looked at.
 */
static const char *words_follow(const struct high_state *before, const struct high_state *after,
				const struct written *written)
{
	uint64_t value;
	struct paddr place;
	struct word word;

	for (uint64_t i = 0; words_next(&before->mem, i, &word); i = word.index + 1)
		if (place_of(after, word.index, &place) && !is_new(written, word.index) &&
		    !words_find(&after->mem, word.index, &value))
			return "a word is kept while its address is mapped";
	for (uint64_t i = 0; words_next(&after->mem, i, &word); i = word.index + 1) {
		if (!place_of(after, word.index, &place))
			return "a word goes with its mapping";
		if (written->any && place.value == written->place.value) {
			if (word.value != written->value)
				return "a write changes every index of its word";
		} else if (!is_new(written, word.index) &&
			   words_find(&before->mem, word.index, &value) && value != word.value) {
			return "a word changes only when it is written";
		}
	}
	return NULL;
}

static const char *mappings_stay(const struct high_state *before, const struct high_state *after)
{
	if (!mappings_equal(&before->table.mappings, &after->table.mappings))
		return "mappings change by map and unmap alone";
	if (!mappings_equal(&before->leaving, &after->leaving))
		return "what is leaving changes by map, unmap and flush alone";
	return NULL;
}

static bool reads_right(const struct high_state *before, const struct access *access,
			const struct outcome *outcome)
{
	uint64_t value;

	return access->kind == ACCESS_WRITE || !outcome->value_known ||
	       !words_find(&before->mem, access->address.value / WORD_BYTES, &value) ||
	       value == outcome->value;
}

/* Too large for any physical memory: who has no table of its own refuses it as that. */
static bool is_no_address(const struct high_state *high, struct iaddr address)
{
	return address.value >> high->table.constants.pa_bits != 0;
}

const char *high_access(const struct high_state *before, const struct high_state *after,
			const struct access *access, const struct outcome *outcome)
{
	const struct table_arch *arch = &before->table.constants.arch;
	struct written written = { .any = false, .value = access->value };
	const char *broken = mappings_stay(before, after);
	enum fault_kind by_table = FAULT_TRANSLATION;
	enum fault_kind by_leaving;
	struct mapping mapping;

	if (broken != NULL)
		return broken;
	if (mappings_find(&before->table.mappings, access->address, &mapping))
		by_table = outcome_through(arch, &mapping, access).fault;
	else if (outcome->fault == FAULT_ADDRESS_SIZE && is_no_address(before, access->address))
		by_table = FAULT_ADDRESS_SIZE;
	by_leaving = by_table;
	if (mappings_find(&before->leaving, access->address, &mapping))
		by_leaving = outcome_through(arch, &mapping, access).fault;
	if (outcome->fault != by_table && outcome->fault != by_leaving)
		return "an access faults if, and as, its mapping says";
	if (outcome->fault == FAULT_NONE) {
		if (!reads_right(before, access, outcome))
			return "a read finds what was written last";
		written.any = access->kind == ACCESS_WRITE &&
			      high_place(before, access->address, &written.place);
	}
	return words_follow(before, after, &written);
}

/* ---- The page table ------------------------------------------------------------------------ */

static const char *words_stay(const struct high_state *before, const struct high_state *after)
{
	return words_follow(before, after, &(struct written){ .any = false });
}

const char *high_map(const struct high_state *before, const struct high_state *after,
		     const struct mapping *mapping, enum mm_status status)
{
	const char *broken = page_table_map_post(&before->table, &after->table, mapping, status);

	if (broken != NULL)
		return broken;
	if (status != MM_OK)
		return high_id(before, after);
	if (!mappings_empty_in(&after->leaving, mapping->range))
		return "what was leaving is gone before something else is mapped there";
	if (!mappings_equal_outside(&before->leaving, &after->leaving, mapping->range))
		return "map changes nothing besides";
	return words_follow(before, after, &(struct written){ .anew = mapping->range });
}

static uint64_t bytes_in(const struct mappings *mappings, struct irange range)
{
	struct mapping mapping;
	uint64_t bytes = 0;

	for (; mappings_next_in(mappings, range, &mapping); range.start = mapping.range.end)
		bytes += irange_size(mapping.range);
	return bytes;
}

static bool all_in(const struct mappings *parts, struct irange range,
		   const struct mappings *mappings)
{
	struct mapping part;

	for (; mappings_next_in(parts, range, &part); range.start = part.range.end)
		if (!mappings_contain(mappings, &part))
			return false;
	return true;
}

const char *high_unmap(const struct high_state *before, const struct high_state *after,
		       struct irange range, enum mm_status status)
{
	const char *broken = page_table_unmap_post(&before->table, &after->table, range, status);

	if (broken != NULL)
		return broken;
	if (status != MM_OK)
		return high_id(before, after);
	if (!all_in(&before->leaving, range, &after->leaving) ||
	    !all_in(&before->table.mappings, range, &after->leaving))
		return "what was unmapped is leaving";
	if (!mappings_equal_outside(&before->leaving, &after->leaving, range) ||
	    bytes_in(&after->leaving, range) !=
		    bytes_in(&before->leaving, range) + bytes_in(&before->table.mappings, range))
		return "nothing else is leaving";
	return words_stay(before, after);
}

const char *high_flush(const struct high_state *before, const struct high_state *after)
{
	if (!mappings_equal(&before->table.mappings, &after->table.mappings))
		return "mappings change by map and unmap alone";
	if (!mappings_empty_in(&after->leaving, irange_all()))
		return "after a flush nothing is leaving";
	return words_stay(before, after);
}

const char *high_query(const struct high_state *before, const struct high_state *after,
		       struct iaddr address, enum mm_status status, const struct mapping *found)
{
	const char *broken =
		page_table_query_post(&before->table, &after->table, address, status, found);

	return broken != NULL ? broken : high_id(before, after);
}

const char *high_id(const struct high_state *before, const struct high_state *after)
{
	const char *broken = mappings_stay(before, after);

	return broken != NULL ? broken : words_stay(before, after);
}
