/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every byte of every page that spaces map (but the program's), that was taken away and has poison, or that
 * is in a box.
 *
 * Two witnesses, neither of them what is tested: where a page is mapped is read from the tables in memory by
 * the model's walker, and what it must have there follows from that address (places.h).
 */
#include "stress.h"

#if STRATA_CHECKED

#include <walk.h>

struct look {
	struct worker *worker;
	const struct guest_space *guest;
	uint64_t pages;
};

static bool is_as_mapped(const struct look *look, struct paddr page, uint64_t ia)
{
	/* Frames and segments are mapped, nothing else, and no memory is added: it is the world's. */
	if (prange_contains(stress.memory, page_range(page)))
		return page_says(look->worker, page, identity(look->guest->id, ia), "mapped at",
				 ia);
	find(look->worker, JUDGE_PAGE, "page 0x%llx, mapped at 0x%llx, is none of this world",
	     (unsigned long long)page.value, (unsigned long long)ia);
	return false;
}

static void look_at_leaf(const struct walk_leaf *leaf, void *context)
{
	struct look *look = context;

	/* What is wrong with the leaf is the model's to say; the program has no words of ours. */
	if (leaf->faulty || leaf->range.start.value == PROGRAM)
		return;
	for (uint64_t offset = 0; offset < irange_size(leaf->range); offset += PAGE_SIZE) {
		const struct paddr page = paddr(leaf->output.value + offset);
		const uint64_t ia = leaf->range.start.value + offset;

		if (!is_as_mapped(look, page, ia))
			return;
		look->pages++;
	}
}

static uint64_t look_at_guest(struct worker *worker, const struct guest_space *guest)
{
	const struct vm_space *space = &guest->space;
	const struct walk_table table = {
		.stage = space->stage,
		.geometry = space->geometry,
		.root = space->root,
		.part = space->part,
	};
	struct look look = { .worker = worker, .guest = guest };
	const struct walk_visitor visitor = { .leaf = look_at_leaf, .context = &look };

	walk_descriptors(&table, walk_table_range(&table), &visitor);
	return look.pages;
}

#else

/* There is no walker: guests look, and what is held is looked at. */
static uint64_t look_at_guest(struct worker *worker, const struct guest_space *guest)
{
	(void)worker;
	(void)guest;
	return 0;
}

#endif

uint64_t contents_look(struct worker *worker)
{
	uint64_t pages = world_each_guest(worker, look_at_guest) + world_look_at_boxes(worker);

	for (unsigned int cpu = 0; cpu < STRESS_CPUS_MAX; cpu++)
		pages += look_at_held(&stress.workers[cpu]);
	return pages;
}
