/* SPDX-License-Identifier: BSD-3-Clause */
/* Ownership with several CPUs at once. */
#include "several_cpus.h"
#include <strata/ownership.h>

enum { ROUNDS = 200, PAGES = 24 };

static struct vm_space spaces[CPUS];
static struct segment segment;
static struct sharing *sharing;
static _Atomic unsigned int arrived;

/* All CPUs leave it at about the same time. */
static void meet(void)
{
	unsigned int mine = atomic_fetch_add(&arrived, 1);

	while (atomic_load(&arrived) / CPUS == mine / CPUS)
		cpu_relax();
}

static enum mm_status map_all(struct vm_space *space, bool pagewise)
{
	struct segment clone;
	struct cursor cursor;
	enum mm_status status;

	if (segment_clone(&segment, &clone) != MM_OK ||
	    cursor_open(space, span(0, MIB(2)), CURSOR_MUTABLE, &cursor) != MM_OK)
		return MM_BUSY;
	if (pagewise) {
		frame_t frames[PAGES];

		for (size_t i = 0; i < PAGES; i++)
			segment_next(&clone, &frames[i]);
		status = cursor_map_frames(&cursor, frames, PAGES, READ_WRITE);
		for (size_t i = 0; status != MM_OK && i < PAGES; i++)
			frame_drop(&frames[i]);
	} else {
		status = cursor_map_segment(&cursor, &clone, READ_WRITE);
		if (status != MM_OK)
			segment_drop(&clone);
	}
	cursor_close(&cursor);
	return status;
}

static enum mm_status map_one(struct vm_space *space, uint64_t index)
{
	struct paddr page = paddr(segment.start.value + index * PAGE_SIZE);
	uint64_t ia = MIB(4) + index * PAGE_SIZE;
	enum mm_status status;
	struct cursor cursor;
	frame_t frame;

	status = frame_from_in_use(page, &frame);
	if (status != MM_OK)
		return status;
	if (cursor_open(space, span(ia, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK)
		return MM_BUSY;
	status = cursor_map(&cursor, &frame, READ_WRITE);
	cursor_close(&cursor);
	if (status != MM_OK)
		frame_drop(&frame);
	return status;
}

static _Atomic unsigned int winners;

static void race_to_map(unsigned int cpu)
{
	meet();
	if (map_all(&spaces[cpu], cpu % 2 == 0) == MM_OK)
		atomic_fetch_add(&winners, 1);
}

/* Spaces race for the same pages: one gets all of them, and the others none. */
TEST(of_spaces_that_race_for_pages_one_wins)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		const struct vm_space *owner;

		segment = world_segment(world, PAGES, PAGE_SIZE);
		atomic_store(&winners, 0);
		for (size_t i = 0; i < CPUS; i++)
			world_space(world, &spaces[i]);
		run_on_cpus(race_to_map, CPUS);
		EXPECT_EQUAL(atomic_load(&winners), 1);
		owner = page_owner(segment.start).space;
		for (uint64_t i = 0; i < PAGES; i++) {
			struct paddr page = paddr(segment.start.value + i * PAGE_SIZE);

			EXPECT_TRUE(page_owner(page).space == owner);
			EXPECT_EQUAL(references_of(page), 2);
		}
		for (size_t i = 0; i < CPUS; i++) {
			EXPECT_EQUAL(item_at(&spaces[i], 0).mapped, owner == &spaces[i]);
			EXPECT_OK(vm_space_destroy(&spaces[i]));
		}
		segment_drop(&segment);
	}
}

/* Who mapped which page by itself. */
static _Atomic unsigned int taker[PAGES];

/* CPU 0 maps all pages, which is done from the first to the last; the others one after the other from the
 * last to the first, so that they meet. */
static void race_one_against_all(unsigned int cpu)
{
	meet();
	if (cpu == 0) {
		if (map_all(&spaces[0], false) == MM_OK)
			atomic_store(&winners, 1);
		return;
	}
	for (uint64_t i = PAGES; i-- > 0;) {
		enum mm_status status = map_one(&spaces[cpu], i);

		if (status == MM_OK)
			atomic_store(&taker[i], cpu);
		else if (status != MM_ACCESS_DENIED)
			complain("a map was neither done nor denied");
	}
}

/* A map of all pages is done or denied as a whole, whatever maps of single ones come in between; and a
 * page that somebody mapped by itself is nobody else's. */
TEST(a_map_of_many_pages_races_with_maps_of_one)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		bool all;

		segment = world_segment(world, PAGES, PAGE_SIZE);
		atomic_store(&winners, 0);
		for (uint64_t i = 0; i < PAGES; i++)
			atomic_store(&taker[i], 0);
		for (size_t i = 0; i < CPUS; i++)
			world_space(world, &spaces[i]);
		run_on_cpus(race_one_against_all, CPUS);
		all = atomic_load(&winners) != 0;
		for (uint64_t i = 0; i < PAGES; i++) {
			struct paddr page = paddr(segment.start.value + i * PAGE_SIZE);
			unsigned int by = atomic_load(&taker[i]);

			EXPECT_TRUE(!all || by == 0);
			EXPECT_TRUE(page_owner(page).space ==
				    (all || by != 0 ? &spaces[by] : NULL));
		}
		for (size_t i = 0; i < CPUS; i++)
			EXPECT_OK(vm_space_destroy(&spaces[i]));
		segment_drop(&segment);
	}
}

/* CPU 0 shares and unshares; the others map a page of it when they can, and unmap it. */
static void share_and_map(unsigned int cpu)
{
	for (unsigned int i = 0; cpu == 0 && i < ROUNDS; i++) {
		enum mm_status status;

		if (ownership_share(&segment, sharing) != MM_OK)
			complain("what is the hypervisor's was not shared");
		while ((status = ownership_unshare(&segment, sharing)) == MM_IN_USE)
			cpu_relax();
		if (status != MM_OK)
			complain("what is shared was not unshared");
		/* Nobody has it now, and nobody else can take part in it. */
		for (uint64_t page = 0; page < PAGES; page++)
			if (page_owner(paddr(segment.start.value + page * PAGE_SIZE)).kind ==
			    OWNER_SHARING)
				complain("what is unshared is shared");
	}
	if (cpu == 0)
		return;
	for (unsigned int i = 0; !first_has_ended(); i++) {
		struct paddr page = paddr(segment.start.value + i % PAGES * PAGE_SIZE);
		struct cursor cursor;
		enum mm_status status;
		frame_t frame;

		if (cursor_open(&spaces[cpu], span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK)
			continue;
		status = frame_from_in_use(page, &frame);
		if (status == MM_OK) {
			/* Only looks whether it would be let in: the hypervisor's is not taken. */
			if (page_owner(page).kind != OWNER_SHARING) {
				frame_drop(&frame);
			} else if (cursor_map(&cursor, &frame, READ_WRITE) == MM_OK) {
				if (page_owner(page).kind != OWNER_SHARING)
					complain("a page was unshared while it was mapped");
			} else {
				complain("a member was denied a page that is shared");
				frame_drop(&frame);
			}
		} else if (status != MM_BUSY) {
			complain("a page on its way is neither busy nor there");
		}
		if (cursor_jump(&cursor, iaddr(0)) != MM_OK ||
		    cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK)
			complain("what was mapped can be unmapped");
		cursor_close(&cursor);
	}
}

/* CPU 0 maps the pages one by one; CPU 1 puts each into a sharing of CPU 0's space as soon as it is the
 * space's. */
static void map_and_lose(unsigned int cpu)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		struct paddr page = paddr(segment.start.value + i * PAGE_SIZE);
		struct segment one;

		if (cpu == 0) {
			if (map_one(&spaces[0], i) != MM_OK)
				complain("a space was denied a page of its own");
			continue;
		}
		if (segment_slice(&segment, page_range(page), &one) != MM_OK)
			complain("a page has too many references");
		while (ownership_share(&one, sharing) != MM_OK)
			cpu_relax();
		segment_drop(&one);
	}
}

/* A space whose pages are shared in the moment in which it maps them has not lost what owns them. */
TEST(a_new_spaces_first_pages_are_shared_at_once)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		frame_t next = world_frame(world);
		struct cursor cursor;

		segment = world_segment(world, PAGES, PAGE_SIZE);
		world_space(world, &spaces[0]);
		EXPECT_OK(sharing_new(&spaces[0], NULL, 0, &sharing));
		run_on_cpus(map_and_lose, 2);
		for (uint64_t i = 0; i < PAGES; i++)
			EXPECT_TRUE(
				page_owner(paddr(segment.start.value + i * PAGE_SIZE)).sharing ==
				sharing);
		EXPECT_TRUE(sharing_owner(sharing) == &spaces[0]);
		open_at(&spaces[0], 0, PAGE_SIZE, &cursor);
		EXPECT_EQUAL(page_owner(next.paddr).kind, OWNER_HYPERVISOR);
		EXPECT_OK(cursor_map(&cursor, &next, READ_WRITE));
		EXPECT_TRUE(page_owner(next.paddr).space == &spaces[0]);
		cursor_close(&cursor);
		EXPECT_OK(vm_space_destroy(&spaces[0]));
		segment_drop(&segment);
		EXPECT_OK(sharing_destroy(sharing));
	}
}

/* What is mapped stays shared until it is unmapped, and who sees a page shared may map it. */
TEST(sharing_races_with_maps)
{
	const struct vm_space *members[CPUS - 1];

	for (size_t i = 0; i < CPUS; i++)
		world_space(world, &spaces[i]);
	for (size_t i = 1; i < CPUS; i++)
		members[i - 1] = &spaces[i];
	segment = world_segment(world, PAGES, PAGE_SIZE);
	EXPECT_OK(sharing_new(NULL, members, CPUS - 1, &sharing));
	run_on_cpus(share_and_map, CPUS);
	segment_drop(&segment);
	EXPECT_OK(sharing_destroy(sharing));
	for (size_t i = 0; i < CPUS; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}
