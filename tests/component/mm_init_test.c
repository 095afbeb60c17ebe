/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting the subsystem. */
#include "harness.h"
#include <strata/fault.h>

#define BASE UINT64_C(0x40000000)

static void __attribute__((noreturn)) unexpected(const char *invariant, uint64_t value)
{
	FAIL("%s (0x%llx)", invariant, (unsigned long long)value);
}

static struct prange pages(uint64_t first, uint64_t end)
{
	return prange(paddr(BASE + first * PAGE_SIZE), paddr(BASE + end * PAGE_SIZE));
}

static enum mm_status init(const struct prange *memory, size_t memory_count,
			   const struct mm_reservation *reservations, size_t reservation_count)
{
	struct mm_config config = {
		.memory = memory,
		.memory_count = memory_count,
		.reservations = reservations,
		.reservation_count = reservation_count,
		.linear_offset = machine_linear_offset(),
		.panic = unexpected,
	};

	return mm_init(&config);
}

/* The subsystem starts again with @config, as the runner started it: the last thing of a test here. */
static void start_again(struct world *world)
{
	struct world_config config = world_default_config();

	world_restart(world, &config);
}

TEST(mm_init_refuses_bad_memory)
{
	static const struct {
		uint64_t ranges[2][2];
		size_t count;
		enum mm_status status;
	} cases[] = {
		{ { { 0, 0 } }, 0, MM_INVALID_ARGS },
		{ { { BASE, BASE } }, 1, MM_INVALID_ARGS },
		{ { { BASE + PAGE_SIZE, BASE } }, 1, MM_INVALID_ARGS },
		{ { { BASE + 0x100000, BASE + 0x200000 }, { BASE, BASE + 0x100000 } },
		  2,
		  MM_INVALID_ARGS },
		{ { { BASE, BASE + 0x200000 }, { BASE + 0x100000, BASE + 0x300000 } },
		  2,
		  MM_INVALID_ARGS },
		{ { { BASE + 8, BASE + 0x200000 } }, 1, MM_NOT_ALIGNED },
		{ { { BASE, BASE + 0x200008 } }, 1, MM_NOT_ALIGNED },
		{ { { BASE, (UINT64_C(1) << 48) + PAGE_SIZE } }, 1, MM_OUT_OF_BOUND },
		{ { { BASE, BASE + (UINT64_C(1) << 44) } }, 1, MM_NOT_SUPPORTED },
		{ { { 0, UINT64_C(1) << 43 },
		    { UINT64_C(1) << 45, (UINT64_C(1) << 45) + (UINT64_C(1) << 43) } },
		  2,
		  MM_NOT_SUPPORTED },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct prange memory[2];

		for (size_t j = 0; j < 2; j++)
			memory[j] =
				prange(paddr(cases[i].ranges[j][0]), paddr(cases[i].ranges[j][1]));
		EXPECT_STATUS(init(memory, cases[i].count, NULL, 0), cases[i].status);
	}
}

TEST(mm_init_refuses_bad_reservations)
{
	const struct prange memory = pages(0, 1024);
	static const struct {
		uint64_t start, end;
		enum page_usage usage;
		enum mm_status status;
	} cases[] = {
		{ BASE, BASE, PAGE_RESERVED, MM_INVALID_ARGS },
		{ BASE + PAGE_SIZE, BASE, PAGE_RESERVED, MM_INVALID_ARGS },
		{ BASE, BASE + PAGE_SIZE, PAGE_UNUSED, MM_INVALID_ARGS },
		{ BASE, BASE + PAGE_SIZE, PAGE_FRAME, MM_INVALID_ARGS },
		{ BASE, BASE + PAGE_SIZE, PAGE_TABLE, MM_INVALID_ARGS },
		{ BASE, BASE + PAGE_SIZE, PAGE_META, MM_INVALID_ARGS },
		{ BASE + 8, BASE + PAGE_SIZE, PAGE_MMIO, MM_NOT_ALIGNED },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mm_reservation reservation = {
			prange(paddr(cases[i].start), paddr(cases[i].end)), cases[i].usage
		};

		EXPECT_STATUS(init(&memory, 1, &reservation, 1), cases[i].status);
	}
}

TEST(mm_init_refuses_a_bad_linear_map_and_no_panic_hook)
{
	const struct prange memory = pages(0, 1024);
	struct mm_config config = { .memory = &memory,
				    .memory_count = 1,
				    .linear_offset = machine_linear_offset() + 1,
				    .panic = unexpected };

	EXPECT_STATUS(mm_init(&config), MM_NOT_ALIGNED);
	config.linear_offset--;
	config.panic = NULL;
	EXPECT_STATUS(mm_init(&config), MM_INVALID_ARGS);
}

/* Active and visited spaces keep their VMIDs, and one must be left to give. */
TEST(mm_init_refuses_too_few_vmids)
{
	const struct prange memory = pages(0, 1024);
	struct mm_config config = { .memory = &memory,
				    .memory_count = 1,
				    .linear_offset = machine_linear_offset(),
				    .panic = unexpected,
				    .vmid_limit = 2 * STRATA_MAX_CPUS + 1 };

	EXPECT_STATUS(mm_init(&config), MM_INVALID_ARGS);
	config.vmid_limit++;
	EXPECT_OK(mm_init(&config));
	start_again(world);
}

/* Metadata needs a place that nothing covers, in one piece. */
TEST(mm_init_needs_a_place_for_metadata)
{
	const struct prange memory = pages(0, 16384);
	struct mm_reservation all = { memory, PAGE_RESERVED };
	struct mm_reservation teeth[128];

	EXPECT_STATUS(init(&memory, 1, &all, 1), MM_NO_MEMORY);
	/*
	 * 64 MiB need 64 pages of slots and one more; for their certificates 48 pages, and 192 of
	 * shares. Gaps of 63 are too small, and so is a larger one that lacks one page.
	 */
	const uint64_t needed = 64 + 1 + (STRATA_CHECKED ? 48 + 192 : 0);
	const uint64_t gap = 8 * 128;

	for (uint64_t i = 0; i < COUNT_OF(teeth); i++)
		teeth[i] = (struct mm_reservation){ pages(i * 128 + 63, i * 128 + 128),
						    PAGE_RESERVED };
	EXPECT_STATUS(init(&memory, 1, teeth, COUNT_OF(teeth)), MM_NO_MEMORY);
	teeth[8].range = pages(gap + needed - 1, gap + 4 * 128);
	teeth[9].range = teeth[10].range = teeth[11].range = teeth[8].range;
	EXPECT_STATUS(init(&memory, 1, teeth, COUNT_OF(teeth)), MM_NO_MEMORY);
	teeth[8].range = pages(gap + needed, gap + 4 * 128);
	teeth[9].range = teeth[10].range = teeth[11].range = teeth[8].range;
	EXPECT_OK(init(&memory, 1, teeth, COUNT_OF(teeth)));
	start_again(world);
}

/* Where reservations overlap, the later one gives the usage; parts outside memory do not count. */
TEST(mm_init_counts_reservations)
{
	const struct prange memory[] = { pages(0, 2048), pages(4096, 6144) };
	const struct mm_reservation reservations[] = {
		{ pages(100, 200), PAGE_RESERVED },	{ pages(150, 250), PAGE_HYPERVISOR },
		{ pages(160, 170), PAGE_MMIO },		{ pages(2000, 5000), PAGE_RESERVED },
		{ pages(4600, 5120), PAGE_HYPERVISOR }, { pages(7000, 8000), PAGE_RESERVED },
	};
	static const struct {
		uint64_t page;
		enum page_usage usage;
	} samples[] = {
		{ 99, PAGE_UNUSED },	  { 100, PAGE_RESERVED },    { 149, PAGE_RESERVED },
		{ 150, PAGE_HYPERVISOR }, { 160, PAGE_MMIO },	     { 169, PAGE_MMIO },
		{ 170, PAGE_HYPERVISOR }, { 249, PAGE_HYPERVISOR },  { 250, PAGE_UNUSED },
		{ 2000, PAGE_RESERVED },  { 2047, PAGE_RESERVED },   { 4096, PAGE_RESERVED },
		{ 4599, PAGE_RESERVED },  { 4600, PAGE_HYPERVISOR }, { 5119, PAGE_HYPERVISOR },
		{ 5120, PAGE_UNUSED },	  { 6143, PAGE_UNUSED },
	};

	EXPECT_OK(init(memory, COUNT_OF(memory), reservations, COUNT_OF(reservations)));
	EXPECT_EQUAL(world_pages(PAGE_MMIO), 10);
	EXPECT_EQUAL(world_pages(PAGE_HYPERVISOR), 100 - 10 + 520);
	EXPECT_EQUAL(world_pages(PAGE_RESERVED), 50 + 48 + 504);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED) + world_pages(PAGE_META),
		     4096 - world_pages(PAGE_MMIO) - world_pages(PAGE_HYPERVISOR) -
			     world_pages(PAGE_RESERVED));
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct page_state state;

		EXPECT_OK(page_state(paddr(BASE + samples[i].page * PAGE_SIZE), &state));
		/* The metadata may lie where nothing else does. */
		if (state.usage != PAGE_META)
			EXPECT_EQUAL(state.usage, samples[i].usage);
	}
	start_again(world);
}

/* Nothing that is reserved is ever handed out, and every page is in one place or the other. */
TEST(mm_init_keeps_reserved_pages)
{
	uint64_t unused = world_pages(PAGE_UNUSED);
	struct frame_stack {
		struct paddr top;
	} stack = { paddr(0) };
	frame_t frame;

	/* Frames are kept in a chain through their own first words. */
	for (uint64_t i = 0; i < unused; i++) {
		EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &frame));
		EXPECT_FALSE(
			prange_has(prange(paddr(WORLD_IMAGE_BASE),
					  paddr(WORLD_IMAGE_BASE + WORLD_IMAGE_PAGES * PAGE_SIZE)),
				   frame.paddr));
		EXPECT_FALSE(
			prange_has(prange(paddr(WORLD_FILE_BASE),
					  paddr(WORLD_FILE_BASE + WORLD_FILE_PAGES * PAGE_SIZE)),
				   frame.paddr));
		EXPECT_FALSE(prange_has(
			prange(paddr(WORLD_DEVICE_BASE),
			       paddr(WORLD_DEVICE_BASE + WORLD_DEVICE_PAGES * PAGE_SIZE)),
			frame.paddr));
		world_write(frame.paddr, stack.top.value);
		stack.top = frame_into_raw(&frame);
	}
	while (stack.top.value != 0) {
		frame = frame_from_raw(stack.top);
		stack.top = paddr(world_read(stack.top));
		frame_drop(&frame);
	}
}

/* Who asks for a reserved page by address is told that it has an owner. */
TEST(reserved_pages_have_owners)
{
	static const uint64_t bases[] = { WORLD_IMAGE_BASE, WORLD_FILE_BASE, WORLD_DEVICE_BASE };
	static const enum page_usage usages[] = { PAGE_HYPERVISOR, PAGE_RESERVED, PAGE_MMIO };

	for (size_t i = 0; i < COUNT_OF(bases); i++) {
		struct page_state state;
		struct segment segment;
		frame_t frame;

		EXPECT_STATUS(frame_from_unused(paddr(bases[i]), &frame), MM_IN_USE);
		EXPECT_STATUS(frame_from_in_use(paddr(bases[i]), &frame), MM_ACCESS_DENIED);
		EXPECT_STATUS(
			segment_from_unused(
				prange(paddr(bases[i]), paddr(bases[i] + 2 * PAGE_SIZE)), &segment),
			MM_IN_USE);
		EXPECT_OK(page_state(paddr(bases[i]), &state));
		EXPECT_EQUAL(state.usage, usages[i]);
		EXPECT_EQUAL(state.references, 0);
	}
}

/* A file that a loader left becomes frames, contents and all, and free memory with the last drop. */
TEST(segment_from_reserved_takes_over_a_file)
{
	struct prange file = prange(paddr(WORLD_FILE_BASE),
				    paddr(WORLD_FILE_BASE + WORLD_FILE_PAGES * PAGE_SIZE));
	struct segment segment;
	struct segment clone;
	struct page_state state;

	world_write(file.start, 42);
	EXPECT_OK(segment_from_reserved(file, &segment));
	EXPECT_EQUAL(world_read(file.start), 42);
	EXPECT_EQUAL(world_pages(PAGE_RESERVED), 0);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), WORLD_FILE_PAGES);
	EXPECT_OK(page_state(file.start, &state));
	EXPECT_EQUAL(state.usage, PAGE_FRAME);
	EXPECT_EQUAL(state.references, 1);
	EXPECT_STATUS(segment_from_reserved(file, &clone), MM_ACCESS_DENIED);

	EXPECT_OK(segment_clone(&segment, &clone));
	segment_drop(&segment);
	segment_drop(&clone);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), 0);
	EXPECT_OK(page_state(file.start, &state));
	EXPECT_EQUAL(state.usage, PAGE_UNUSED);
	EXPECT_OK(segment_from_unused(file, &segment));
	segment_drop(&segment);
	start_again(world);
}

/* One page in the range that is not reserved: no page changes. */
TEST(segment_from_reserved_is_all_or_nothing)
{
	struct prange range = prange(paddr(WORLD_FILE_BASE),
				     paddr(WORLD_FILE_BASE + (WORLD_FILE_PAGES + 1) * PAGE_SIZE));
	struct segment segment;

	EXPECT_STATUS(segment_from_reserved(range, &segment), MM_ACCESS_DENIED);
	EXPECT_EQUAL(world_pages(PAGE_RESERVED), WORLD_FILE_PAGES);
	EXPECT_STATUS(segment_from_reserved(prange(paddr(WORLD_DEVICE_BASE),
						   paddr(WORLD_DEVICE_BASE + PAGE_SIZE)),
					    &segment),
		      MM_ACCESS_DENIED);
}

#if STRATA_CHECKED

TEST(segment_from_reserved_allocates_nothing)
{
	struct segment segment;
	frame_t frame;

	mm_fail_allocation(1);
	EXPECT_OK(segment_from_reserved(
		prange(paddr(WORLD_FILE_BASE), paddr(WORLD_FILE_BASE + PAGE_SIZE)), &segment));
	EXPECT_STATUS(frame_alloc(FRAME_UNDEFINED, &frame), MM_NO_MEMORY);
	mm_fail_allocation(0);
	segment_drop(&segment);
	start_again(world);
}

#endif
