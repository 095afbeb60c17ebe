/* SPDX-License-Identifier: BSD-3-Clause */
/* Ownership between two instructions of another CPU. */
#include "mapping.h"
#include "owner_table.h"
#include "share_table.h"
#include "slot.h"
#include "stepping.h"
#include <strata/unique_frame.h>

static bool is_locked(struct ticket_lock *lock)
{
	return atomic_load(&lock->next) != atomic_load(&lock->serving);
}

/* CPU 0 maps the page; CPU 1 shares it as soon as it may. */
struct first_map {
	struct cursor cursor;
	frame_t frame;
	struct segment segment;
	struct sharing *sharing;
	enum mm_status mapped;
	enum mm_status shared;
};

static void map_it(void *context)
{
	struct first_map *map = context;

	map->mapped = cursor_map(&map->cursor, &map->frame, READ_WRITE);
}

static bool share_it(void *context)
{
	struct first_map *map = context;

	if (atomic_load(&slot_of(map->segment.start)->owner) == 0)
		return true;
	machine_set_cpu(1);
	map->shared = ownership_share(&map->segment, map->sharing);
	machine_set_cpu(0);
	return false;
}

static void map_one_of_sharing(struct world *world, struct cursor *cursor, struct sharing *sharing)
{
	struct segment segment = world_segment(world, 1, PAGE_SIZE);

	EXPECT_OK(ownership_share(&segment, sharing));
	EXPECT_OK(cursor_map_segment(cursor, &segment, READ_WRITE));
}

/* A page of a space that has no other is shared in the moment in which it becomes that: the space still
 * owns what it maps next. @at_hand: the cursor has the table of the page. */
static void first_map_and_share(struct world *world, bool at_hand)
{
	struct vm_space space;
	const struct vm_space *const members[] = { &space };
	struct first_map map = { .mapped = MM_BUSY, .shared = MM_BUSY };
	struct sharing *of_hypervisor;
	frame_t next = world_frame(world);
	struct paddr next_page = next.paddr;

	world_space(world, &space);
	map.segment = world_segment(world, 1, PAGE_SIZE);
	EXPECT_OK(frame_from_in_use(map.segment.start, &map.frame));
	EXPECT_OK(sharing_new(&space, NULL, 0, &map.sharing));
	EXPECT_OK(sharing_new(NULL, members, 1, &of_hypervisor));
	open_at(&space, 0, MIB(2), &map.cursor);
	if (at_hand)
		map_one_of_sharing(world, &map.cursor, of_hypervisor);

	step_through(map_it, share_it, &map);
	EXPECT_OK(map.mapped);
	EXPECT_OK(map.shared);
	EXPECT_TRUE(page_owner(map.segment.start).sharing == map.sharing);
	EXPECT_OK(cursor_map(&map.cursor, &next, READ_WRITE));
	EXPECT_TRUE(page_owner(next_page).space == &space);

	cursor_close(&map.cursor);
	EXPECT_OK(vm_space_destroy(&space));
	segment_drop(&map.segment);
	EXPECT_OK(sharing_destroy(map.sharing));
	EXPECT_OK(sharing_destroy(of_hypervisor));
}

TEST(a_page_that_is_shared_while_it_is_first_mapped_was_counted)
{
	first_map_and_share(world, false);
	first_map_and_share(world, true);
}

/* CPU 0 makes the page unique; before one of its instructions CPU 1 maps and unmaps it. */
struct making {
	struct vm_space space;
	frame_t frame;
	unique_frame_t unique;
	enum mm_status status;
	unsigned int instructions; /* of CPU 0 so far */
	unsigned int wait;	   /* for so many of them */
	bool mapped;
	bool failed;	/* to map or unmap it */
	bool a_mixture; /* UNIQUE, and a space's, was seen */
};

static void make_unique(void *context)
{
	struct making *making = context;

	making->status = unique_frame_try_from_shared(&making->frame, &making->unique);
}

static void map_and_unmap(struct making *making)
{
	struct cursor cursor;
	frame_t frame;

	machine_set_cpu(1);
	making->mapped = true;
	making->failed =
		cursor_open(&making->space, span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK ||
		frame_from_in_use(making->frame.paddr, &frame) != MM_OK ||
		cursor_map(&cursor, &frame, READ_WRITE) != MM_OK ||
		cursor_jump(&cursor, iaddr(0)) != MM_OK ||
		cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK;
	if (!making->failed)
		cursor_close(&cursor);
	machine_set_cpu(0);
}

static bool map_or_look(void *context)
{
	struct making *making = context;
	struct slot *slot = slot_of(making->frame.paddr);
	uint32_t references = atomic_load(&slot->references);

	if (making->mapped) {
		making->a_mixture |= references == SLOT_UNIQUE && slot_list(slot) != 0;
		return true;
	}
	if (references == 1 && making->instructions++ == making->wait && !is_locked(&shares.lock))
		map_and_unmap(making);
	return references == 1;
}

/* The last instructions before a page is UNIQUE. */
#define LAST 32

/* Makes a page unique, while a space takes part in it after @wait instructions; returns how many there are
 * before the page is not to be had. */
static unsigned int make_while_mapped(struct world *world, unsigned int wait, unsigned int *denied)
{
	struct making making = { .wait = wait };

	making.frame = world_frame(world);
	world_space(world, &making.space);
	step_through(make_unique, map_or_look, &making);
	EXPECT_FALSE(making.failed);
	EXPECT_FALSE(making.a_mixture);
	EXPECT_STATUS(making.status, making.mapped ? MM_ACCESS_DENIED : MM_OK);
	if (making.mapped)
		frame_drop(&making.frame);
	else
		unique_frame_drop(&making.unique);
	*denied += making.mapped;
	EXPECT_OK(vm_space_destroy(&making.space));
	return making.instructions;
}

/* Whenever a space takes part in a page that is being made unique: nobody finds it UNIQUE and
 * the space's. */
TEST(no_page_is_unique_and_a_spaces)
{
	unsigned int denied = 0;
	unsigned int all = make_while_mapped(world, UINT32_MAX, &denied);

	EXPECT_EQUAL(denied, 0);
	EXPECT_TRUE(all > LAST);
	for (unsigned int wait = all - LAST; wait < all; wait++)
		make_while_mapped(world, wait, &denied);
	EXPECT_TRUE(denied > 0);
}

/* A map of pages, of which the lock is watched until they are mapped. */
enum { OWN_PAGES = 8 };

struct watched_map {
	struct cursor cursor;
	struct segment segment;
	frame_t frames[OWN_PAGES]; /* of the same pages */
	enum mm_status status;
	bool was_locked;
};

static void map_segment(void *context)
{
	struct watched_map *map = context;

	map->status = cursor_map_segment(&map->cursor, &map->segment, READ_WRITE);
}

static bool watch_lock(void *context)
{
	struct watched_map *map = context;

	map->was_locked |= is_locked(&ownership_lock);
	return !map->was_locked && !map->cursor.changed;
}

static void map_each(void *context)
{
	struct watched_map *map = context;

	map->status = cursor_map_frames(&map->cursor, map->frames, OWN_PAGES, READ_WRITE);
}

static void hold_pages(struct watched_map *map, const struct segment *segment)
{
	EXPECT_OK(segment_clone(segment, &map->segment));
	for (uint64_t i = 0; i < OWN_PAGES; i++)
		EXPECT_OK(frame_from_in_use(paddr(segment->start.value + i * PAGE_SIZE),
					    &map->frames[i]));
}

/* Those that were not mapped. */
static void drop_pages(struct watched_map *map, bool frames)
{
	if (!frames) {
		segment_drop(&map->segment);
		return;
	}
	for (size_t i = 0; i < OWN_PAGES; i++)
		frame_drop(&map->frames[i]);
}

/* A space maps again what it has while other CPUs change owners. */
TEST(what_is_a_spaces_own_is_mapped_without_the_lock)
{
	static void (*const maps[])(void *) = { map_segment, map_each };

	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		struct segment segment = world_segment(world, OWN_PAGES, PAGE_SIZE);
		struct vm_space space;

		world_space(world, &space);
		for (int again = 0; again < 2; again++) {
			struct watched_map map = { .status = MM_BUSY };

			hold_pages(&map, &segment);
			open_at(&space, 0, MIB(2), &map.cursor);
			step_through(maps[i], watch_lock, &map);
			EXPECT_OK(map.status);
			EXPECT_EQUAL(map.was_locked, again == 0);
			cursor_close(&map.cursor);
			EXPECT_EQUAL(unmap_at(&space, 0, MIB(2)), OWN_PAGES);
			drop_pages(&map, maps[i] == map_segment);
		}
		EXPECT_OK(vm_space_destroy(&space));
		segment_drop(&segment);
	}
}
