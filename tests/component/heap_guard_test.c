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
		const char *invariant;
	} cases[] = {
		{ write_past, "nobody writes past a heap object" },
		{ write_before, "nobody writes before a heap object" },
		{ release_twice, "a heap object is released once" },
		{ write_after, "nobody writes to a heap object after its release" },
	};
	static const size_t sizes[] = { 1, 16, 100, 900 };
	struct world_config again = world_default_config();

	for (size_t i = 0; i < COUNT_OF(cases) * COUNT_OF(sizes); i++) {
		size_t size = sizes[i % COUNT_OF(sizes)];
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
			cases[i / COUNT_OF(sizes)].misuse(object, size);
		if (strcmp(broken, cases[i / COUNT_OF(sizes)].invariant) != 0)
			FAIL("case %zu: \"%s\" instead of \"%s\"", i, broken,
			     cases[i / COUNT_OF(sizes)].invariant);
	}
	world_restart(world, &again);
}

#endif
