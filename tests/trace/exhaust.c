/* SPDX-License-Identifier: BSD-3-Clause */
/* Breadth first. A state is reached again by the steps that led to it, in a world that was emptied. */
#include "exhaust.h"

#include "trace.h"

#include <model.h>
#include <store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACES 2U
#define CURSORS 2U
#define FRAMES 3U
#define DEPTH_MAX 16
#define ALPHABET_MAX 64

struct state {
	uint64_t key;
	uint8_t path[DEPTH_MAX]; /* of steps of the alphabet */
};

struct search {
	struct trace trace;
	struct step alphabet[ALPHABET_MAX];
	unsigned int letters;
	struct state *states; /* by the order in which they were found */
	size_t count, room;
	uint32_t *table; /* of number + 1 by key; a power of two, half full at most */
	size_t table_size;
	uint64_t steps, refused;
};

/* ---- The alphabet ------------------------------------------------------------------------------ */

static struct step *letter(struct search *search, enum act act)
{
	struct step *step = &search->alphabet[search->letters++];

	*step = (struct step){ .act = (uint16_t)act };
	return step;
}

static void make_alphabet(struct search *search)
{
	for (uint8_t space = 0; space < SPACES; space++) {
		struct step *step = letter(search, ACT_SPACE_NEW_STAGE_2);

		step->made[OBJECT_SPACE] = space;
		step->numbers[NUMBER_BITS] = 30;
		letter(search, ACT_SPACE_DESTROY)->used[OBJECT_SPACE] = space;
		for (uint8_t cursor = 0; cursor < CURSORS; cursor++) {
			step = letter(search, ACT_CURSOR_OPEN);
			step->used[OBJECT_SPACE] = space;
			step->made[OBJECT_CURSOR] = cursor;
			step->numbers[NUMBER_LENGTH] = 2 * PAGE_SIZE;
			step->numbers[NUMBER_ACCESS] = CURSOR_MUTABLE;
		}
	}
	for (uint8_t cursor = 0; cursor < CURSORS; cursor++) {
		static const enum act plain[] = { ACT_CURSOR_CLOSE, ACT_CURSOR_JUMP,
						  ACT_CURSOR_UNMAP, ACT_CURSOR_FLUSH };

		for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
			struct step *step = letter(search, plain[i]);

			step->used[OBJECT_CURSOR] = cursor;
			step->numbers[NUMBER_LENGTH] = PAGE_SIZE;
		}
		for (uint8_t frame = 0; frame < FRAMES; frame++) {
			struct step *step = letter(search, ACT_CURSOR_MAP);

			step->used[OBJECT_CURSOR] = cursor;
			step->used[OBJECT_FRAME] = frame;
			step->numbers[NUMBER_FLAGS] = PAGE_READ | PAGE_ACCESSED;
			step = letter(search, ACT_CURSOR_QUERY);
			step->used[OBJECT_CURSOR] = cursor;
			step->made[OBJECT_FRAME] = frame;
		}
	}
	for (uint8_t frame = 0; frame < FRAMES; frame++) {
		letter(search, ACT_FRAME_ALLOC)->made[OBJECT_FRAME] = frame;
		letter(search, ACT_FRAME_DROP)->used[OBJECT_FRAME] = frame;

		struct step *step = letter(search, ACT_FRAME_CLONE);

		step->used[OBJECT_FRAME] = frame;
		step->made[OBJECT_FRAME] = (uint8_t)((frame + 1) % FRAMES);
	}
}

/* There are three frames, and no more. */
static bool may(const struct trace *trace, const struct step *step)
{
	return trace_may(trace, step) &&
	       (step->act != ACT_FRAME_ALLOC || mm_usage().pages[PAGE_FRAME] < FRAMES);
}

/* ---- What makes a state ------------------------------------------------------------------------ */

struct description {
	uint64_t key;
	uint64_t pages[16]; /* by the order in which they were met */
	unsigned int page_count;
};

static void add(struct description *description, uint64_t value)
{
	uint64_t key = (description->key ^ value) * UINT64_C(0x9e3779b97f4a7c15);

	description->key = key ^ key >> 29;
}

/* A page is what its counts are, and the number of the first place where it was met. */
static void add_page(struct description *description, struct paddr page)
{
	const struct page_record *record = regions_find(&model_store()->regions, page);
	unsigned int i = 0;

	while (i < description->page_count && description->pages[i] != page.value)
		i++;
	if (i == description->page_count && i < sizeof(description->pages) / sizeof(uint64_t))
		description->pages[description->page_count++] = page.value;
	add(description, i);
	if (record == NULL)
		return;
	add(description, record->references);
	add(description, record->handles);
	add(description, record->entries);
	add(description, record->parked);
	add(description, page_owner(page).kind);
}

static void add_mappings(struct description *description, const struct vm_space *space)
{
	const struct live_space *live;

	LIST_FOREACH(live, &model_store()->registry.spaces, link)
	{
		struct iaddr at = iaddr(0);
		struct mapping mapping;

		if (live->space != space)
			continue;
		while (mappings_next(&live->state.mappings, at, &mapping)) {
			for (at = mapping.range.start; at.value < mapping.range.end.value;
			     at.value += PAGE_SIZE) {
				add(description, at.value);
				add_page(description, mapping_output(&mapping, at));
			}
		}
	}
}

static uint64_t key_of(const struct trace *trace)
{
	struct description description = { .key = 1 };
	const struct objects *o = &trace->objects;

	for (unsigned int i = 0; i < FRAMES; i++) {
		add(&description, trace->live[OBJECT_FRAME][i]);
		if (trace->live[OBJECT_FRAME][i])
			add_page(&description, o->frames[i].paddr);
	}
	for (unsigned int i = 0; i < SPACES; i++) {
		add(&description, trace->live[OBJECT_SPACE][i]);
		if (trace->live[OBJECT_SPACE][i])
			add_mappings(&description, &o->spaces[i]);
	}
	for (unsigned int i = 0; i < CURSORS; i++) {
		const struct cursor *cursor = &o->cursors[i];

		add(&description, trace->live[OBJECT_CURSOR][i]);
		if (!trace->live[OBJECT_CURSOR][i])
			continue;
		add(&description, (uint64_t)(cursor->space - o->spaces));
		add(&description, cursor_virt_addr(cursor).value);
		add(&description, cursor->gather.run_count);
		for (size_t run = 0; run < cursor->gather.run_count; run++)
			add_page(&description, cursor->gather.runs[run].start);
	}
	return description.key;
}

/* ---- The search -------------------------------------------------------------------------------- */

static size_t place_of(const struct search *search, uint64_t key)
{
	size_t place = key & (search->table_size - 1);

	while (search->table[place] != 0 && search->states[search->table[place] - 1].key != key)
		place = (place + 1) & (search->table_size - 1);
	return place;
}

/* False: there is no room for more. */
static bool note(struct search *search, const struct state *from, unsigned int depth,
		 unsigned int last)
{
	uint64_t key = key_of(&search->trace);
	size_t place = place_of(search, key);

	if (search->table[place] != 0)
		return true;
	if (search->count == search->room)
		return false;

	struct state *state = &search->states[search->count++];

	search->table[place] = (uint32_t)search->count;
	if (from != NULL) {
		*state = *from;
		state->path[depth] = (uint8_t)last;
	}
	state->key = key;
	return true;
}

static bool empty_world(struct trace *trace)
{
	struct step step;

	while (trace_next_end(trace, &step))
		if (!trace_perform(trace, &step) || trace->status != MM_OK)
			return false;
	return true;
}

static bool go_to(struct search *search, const struct state *state, unsigned int depth)
{
	if (!empty_world(&search->trace))
		return false;
	for (unsigned int i = 0; i < depth; i++)
		if (!trace_perform(&search->trace, &search->alphabet[state->path[i]]))
			return false;
	return true;
}

static void complain(const struct search *search, const struct state *state, unsigned int depth,
		     unsigned int last)
{
	char call[300];

	printf("DIFFERENT: %s: %s\n", judge_name(search->trace.finding.judge),
	       search->trace.finding.text);
	for (unsigned int i = 0; i <= depth; i++) {
		act_print(&search->alphabet[i < depth ? state->path[i] : last], call, sizeof(call));
		printf("  %s\n", call);
	}
	trace_print_states(&search->trace);
}

/* Every letter from one state. A refusal leaves the state: the next letter needs no way back. */
static bool expand(struct search *search, size_t number, unsigned int depth)
{
	const struct state state = search->states[number];
	bool there = false;

	for (unsigned int i = 0; i < search->letters; i++) {
		if (!there && !go_to(search, &state, depth)) {
			complain(search, &state, depth, i);
			return false;
		}
		there = true;
		if (!may(&search->trace, &search->alphabet[i]))
			continue;
		if (!trace_perform(&search->trace, &search->alphabet[i]) ||
		    (search->steps % 64 == 0 && !trace_check(&search->trace))) {
			complain(search, &state, depth, i);
			return false;
		}
		search->steps++;
		search->refused += search->trace.status != MM_OK;
		there = search->trace.status != MM_OK && key_of(&search->trace) == state.key;
		if (!there && !note(search, &state, depth, i)) {
			printf("no room for more than %zu states\n", search->room);
			return false;
		}
	}
	return true;
}

static bool go_through(struct search *search, unsigned int depth)
{
	static struct coverage coverage;
	size_t first = 0;
	bool good = trace_begin(&search->trace, WORLD_SMALL) && note(search, NULL, 0, 0);

	for (unsigned int level = 0; good && level < depth; level++) {
		size_t end = search->count;

		for (size_t i = first; good && i < end; i++)
			good = expand(search, i, level);
		first = end;
		if (good)
			printf("depth %u: %zu states, %llu steps\n", level + 1, search->count,
			       (unsigned long long)search->steps);
	}
	return good && trace_end(&search->trace, &coverage);
}

int exhaust(unsigned int depth)
{
	static struct search search;
	bool good;

	acts_init();
	search.room = 1 << 20;
	search.table_size = search.room * 2;
	search.states = calloc(search.room, sizeof(*search.states));
	search.table = calloc(search.table_size, sizeof(*search.table));
	if (search.states == NULL || search.table == NULL || depth > DEPTH_MAX)
		return 2;
	make_alphabet(&search);
	good = go_through(&search, depth);
	if (good)
		printf("exhaustive: %u frames, %u spaces, %u cursors, depth %u: %zu states, %llu "
		       "steps, %llu of them refused, 0 differences\n",
		       FRAMES, SPACES, CURSORS, depth, search.count,
		       (unsigned long long)search.steps, (unsigned long long)search.refused);
	free(search.states);
	free(search.table);
	return good ? 0 : 1;
}
