/* SPDX-License-Identifier: BSD-3-Clause */
/* That a misused heap object is a broken invariant, named. Only on the host can a panic be survived. */
#include "harness.h"
#include <arch/observe.h>
#include <host/machine.h>
#include <setjmp.h>
#include <string.h>
#include <strata/heap.h>

#if STRATA_CHECKED

static jmp_buf after_panic;
static const char *broken;

static void __attribute__((noreturn)) remember(const char *invariant, uint64_t value)
{
	(void)value;
	broken = invariant;
	longjmp(after_panic, 1);
}

static void write_past(uint8_t *object, size_t size)
{
	object[size] ^= 1;
	heap_free(object);
}

static void write_before(uint8_t *object, size_t size)
{
	(void)size;
	object[-1] ^= 1;
	heap_free(object);
}

static void release_twice(uint8_t *object, size_t size)
{
	(void)size;
	heap_free(object);
	heap_free(object);
}

static void write_after(uint8_t *object, size_t size)
{
	void *again;

	heap_free(object);
	object[size - 1] ^= 1;
	/* The cell is given out again, sooner or later: a slab has no more than this many. */
	for (int i = 0; i < 200; i++)
		(void)!heap_alloc(size, &again);
}

TEST(heap_names_what_was_done_to_an_object)
{
	static const struct {
		void (*misuse)(uint8_t *object, size_t size);
		size_t size;
		const char *invariant;
	} cases[] = {
#define OF_EVERY_CELL(misuse, invariant)                                                           \
	{ misuse, 1, invariant }, { misuse, 16, invariant }, { misuse, 100, invariant },           \
		{ misuse, 900, invariant }
		OF_EVERY_CELL(write_past, "nobody writes past a heap object"),
		OF_EVERY_CELL(write_before, "nobody writes before a heap object"),
		OF_EVERY_CELL(release_twice, "a heap object is released once"),
		OF_EVERY_CELL(write_after, "nobody writes to a heap object after its release"),
		/* With pages of its own. */
		{ write_past, 3000, "nobody writes past a heap object" },
		{ write_past, 5 * PAGE_SIZE - 1, "nobody writes past a heap object" },
		{ release_twice, 3000, "what the heap releases it gave out" },
	};
	struct world_config again = world_default_config();

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t size = cases[i].size;
		const struct prange memory = again.machine.memory[0];
		struct mm_config config = {
			.memory = &memory,
			.memory_count = 1,
			.linear_offset = machine_linear_offset(),
			.panic = remember,
		};
		void *neighbour, *object;

		EXPECT_OK(mm_init(&config));
		/* With a neighbour the slab stays when the object goes. */
		EXPECT_OK(heap_alloc(size, &neighbour));
		EXPECT_OK(heap_alloc(size, &object));
		memset(object, 0, size);
		broken = "nothing";
		if (setjmp(after_panic) == 0)
			cases[i].misuse(object, size);
		if (strcmp(broken, cases[i].invariant) != 0)
			FAIL("case %zu: \"%s\" instead of \"%s\"", i, broken, cases[i].invariant);
	}
	world_restart(world, &again);
}

/* Who reads an object after its release does not find what was in it. */
TEST(heap_objects_with_pages_of_their_own_are_filled_when_they_go)
{
	void *memory;

	EXPECT_OK(heap_alloc(3000, &memory));

	volatile uint8_t *object = memory;

	memset(memory, 0, 3000);
	heap_free(memory);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		EXPECT_EQUAL(object[i], 0x6b);
}

/* Pages that are the hypervisor's, but not an object with pages of its own; and one that was. */
TEST(heap_releases_no_page_that_it_did_not_give_out)
{
	const struct prange memory = world_default_config().machine.memory[0];
	const struct mm_reservation image = {
		prange(memory.start, paddr(memory.start.value + 16 * PAGE_SIZE)), PAGE_HYPERVISOR
	};
	struct mm_config config = {
		.memory = &memory,
		.memory_count = 1,
		.reservations = &image,
		.reservation_count = 1,
		.linear_offset = machine_linear_offset(),
		.panic = remember,
	};
	struct world_config again = world_default_config();
	void *small, *large;

	EXPECT_OK(mm_init(&config));
	EXPECT_OK(heap_alloc(16, &small));
	EXPECT_OK(heap_alloc(3 * PAGE_SIZE, &large));
	heap_free(large);

	void *const foreign[] = {
		large,
		mm_linear(image.range.start),
		(void *)((uintptr_t)small & ~(uintptr_t)(PAGE_SIZE - 1)),
		mm_linear(memory.end),
	};

	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		broken = "nothing";
		if (setjmp(after_panic) == 0)
			heap_free(foreign[i]);
		if (strcmp(broken, "what the heap releases it gave out") != 0)
			FAIL("case %zu: \"%s\"", i, broken);
	}
	world_restart(world, &again);
}

#endif
