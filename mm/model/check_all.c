/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything, between operations: the store in itself, and against the subsystem. */
#include "check_object.h"
#include "compare.h"

#include <inttypes.h>
#include <strata/mm.h>

/* Below the window the root of a window space is word for word that of EL2's own. */
static void check_below_window(const struct live_space *space, struct subject subject)
{
	const unsigned int shift = 39; /* one descriptor of level 0 */
	const uint64_t *own = mm_linear(space->el2->root);
	const uint64_t *descriptors = mm_linear(space->table.root);

	for (uint64_t i = 0; i < VM_SPACE_WINDOW.start.value >> shift; i++)
		if (descriptors[i] != own[i])
			difference(subject, iaddr(i << shift),
				   "its root has 0x%" PRIx64 ", EL2's own has 0x%" PRIx64,
				   descriptors[i], own[i]);
}

static void check_tables(struct checker *checker)
{
	struct registry *registry = &checker->store.registry;
	struct walk_seen seen; /* one set for all: two spaces may share no table either */
	struct live_space *space;

	walk_seen_init(&seen, &registry->seen_pool);
	LIST_FOREACH(space, &registry->spaces, link)
	{
		struct subject subject = { "full check", space->number };

		check_table(checker, space, walk_table_range(&space->table), &seen, subject);
		if (space->el2 != NULL)
			check_below_window(space, subject);
	}
	if (seen.full)
		checker->store.out_of_storage = true;
	walk_seen_clear(&seen);
}

struct sweep {
	struct store *store;
	uint64_t frames;
};

static bool sweep_page(struct paddr page, const struct page_record *record, void *context)
{
	struct sweep *sweep = context;

	sweep->frames += record->state != PAGE_FREE;
	return check_page(sweep->store, page, (struct subject){ "full check", 0 }) &&
	       check_owner(sweep->store, page, true, (struct subject){ "full check", 0 });
}

/* Every page that is known, and that no other is a frame. */
static void check_frames(struct store *store)
{
	struct sweep sweep = { store, 0 };
	uint64_t frames = mm_usage().pages[PAGE_FRAME];

	if (regions_each(&store->regions, sweep_page, &sweep) && store->frames_before == 0 &&
	    sweep.frames != frames)
		difference((struct subject){ "full check", 0 }, iaddr(0),
			   "%" PRIu64 " pages are frames, model knows of %" PRIu64, frames,
			   sweep.frames);
}

void check_everything(struct checker *checker)
{
	check_tables(checker);
	check_invariants(checker);
	check_frames(&checker->store);
}
