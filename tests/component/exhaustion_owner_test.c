/* SPDX-License-Identifier: BSD-3-Clause */
/* MM_NO_MEMORY from what makes owners; changes of owner need no memory. */
#include "exhaustion.h"

#if STRATA_CHECKED

#define SEGMENT (&scene->segment)

static void a_space(struct scene *scene)
{
	world_space(scene->world, &scene->space);
}

static enum mm_status make_sharing(struct scene *scene, const struct vm_space *owner)
{
	const struct vm_space *const members[] = { &scene->space };

	return sharing_new(owner, members, owner == NULL, &scene->sharing);
}

/* Pages of the hypervisor, and a sharing of it with a space. */
static void a_sharing(struct scene *scene)
{
	a_space(scene);
	EXPECT_OK(make_sharing(scene, NULL));
	scene->segment = world_segment(scene->world, 3, PAGE_SIZE);
}

static void shared_pages(struct scene *scene)
{
	a_sharing(scene);
	EXPECT_OK(ownership_share(SEGMENT, scene->sharing));
}

static void lent_pages(struct scene *scene)
{
	a_sharing(scene);
	EXPECT_OK(ownership_lend(SEGMENT, scene->sharing));
}

/* Objects of the heap that a sharing needs are pages of their own. */
static void a_hoard_and_a_space(struct scene *scene)
{
	a_space(scene);
	hoard_cells(scene);
}

static enum mm_status destroy(struct scene *scene)
{
	segment_drop(SEGMENT);
	scene->segment = (struct segment){ .start = { 0 } };
	return taken(sharing_destroy(scene->sharing), &scene->sharing, sizeof(void *));
}

/* clang-format off */
#define OWNER_ROWS(X)                                                                              \
	X(sharing_new, PAGES, a_hoard_and_a_space, make_sharing(scene, NULL))                      \
	X(sharing_new_of_a_space, PAGES, a_hoard_and_a_space, make_sharing(scene, &scene->space))  \
	X(sharing_destroy, NOTHING, a_sharing, destroy(scene))                                     \
	X(ownership_donate, NOTHING, a_sharing,                                                    \
	  ownership_donate(SEGMENT, NULL, &scene->space, FRAME_ZEROED))                            \
	X(ownership_share, NOTHING, a_sharing, ownership_share(SEGMENT, scene->sharing))           \
	X(ownership_unshare, NOTHING, shared_pages, ownership_unshare(SEGMENT, scene->sharing))    \
	X(ownership_lend, NOTHING, a_sharing, ownership_lend(SEGMENT, scene->sharing))             \
	X(ownership_reclaim, NOTHING, lent_pages,                                                  \
	  ownership_reclaim(SEGMENT, scene->sharing, FRAME_ZEROED))
/* clang-format on */

OWNER_ROWS(EXHAUSTION_RUN)

TEST(every_failing_allocation_of_owners_leaves_all_as_it_was)
{
	static const struct exhaustion_row rows[] = { OWNER_ROWS(EXHAUSTION_ROW) };

	exhaust(world, rows, COUNT_OF(rows));
}

#endif
