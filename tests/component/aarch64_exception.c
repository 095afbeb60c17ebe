/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions that EL2 takes from itself, and loads that may. */
#include <aarch64/exception.h>
#include <setjmp.h>
#include "exceptions.h"
#include "harness.h"

#define PATTERN UINT64_C(0x1122334455667788)
#define WINDOW_PAGES 67 /* more than one range instruction, and an odd page */

static jmp_buf resume;
static struct exception_frame first, second;
static bool nested_probe_failed;
static const void *unmapped;

TEST(probe_read_survives_an_abort)
{
	static const uint64_t word = PATTERN;
	const struct irange window = world_el2_window(world);
	uint64_t value = 1;

	EXPECT_TRUE(probe_read(&word, &value));
	EXPECT_EQUAL(value, PATTERN);
	value = 1;
	EXPECT_FALSE(probe_read((const void *)(uintptr_t)window.start.value, &value));
	EXPECT_FALSE(probe_read((const void *)(uintptr_t)(UINT64_C(1) << 60), &value));
	EXPECT_EQUAL(value, 1);
}

/* The handler may itself touch what is not there: what it was given stays as it is. */
static void handle(const struct exception_frame *frame)
{
	uint64_t value;

	first = *frame;
	nested_probe_failed = !probe_read(unmapped, &value);
	second = *frame;
	longjmp(resume, 1);
}

TEST(exception_frame_survives_a_nested_exception)
{
	unmapped = (const void *)(uintptr_t)world_el2_window(world).start.value;
	exception_handler_set(handle);
	if (setjmp(resume) == 0)
		__asm__ volatile("mov x9, %0\n\tbrk #0x123" : : "r"(PATTERN) : "x9", "memory");
	exceptions_init();

	EXPECT_TRUE(nested_probe_failed);
	EXPECT_EQUAL(first.vector, 4);
	EXPECT_EQUAL(first.esr, 0xf2000123);
	EXPECT_EQUAL(first.x[9], PATTERN);
	for (size_t i = 0; i < sizeof(first) / sizeof(uint64_t); i++)
		EXPECT_EQUAL(((const uint64_t *)&second)[i], ((const uint64_t *)&first)[i]);
}

static bool loads(uint64_t ia)
{
	uint64_t value;

	return probe_read((const void *)(uintptr_t)ia, &value);
}

/* tlb_words.S */
extern const uint32_t tlb_words[], tlb_words_end[];

TEST(tlb_instructions_are_what_an_assembler_makes)
{
	EXPECT_EQUAL((uint64_t)(tlb_words_end - tlb_words), 8);
	for (const uint32_t *word = tlb_words; word < tlb_words_end; word += 2)
		EXPECT_EQUAL(word[0], word[1]);
}

/* EL2 itself sees at once that its own pages are gone: one page, and many by range. */
TEST(el2_sees_an_unmapped_range)
{
	static const uint64_t counts[] = { 1, 2, WINDOW_PAGES, 600 };
	struct vm_space *space = world_el2_space(world);
	const uint64_t base = world_el2_window(world).start.value;

	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		struct segment segment = world_segment(world, counts[i], PAGE_SIZE);
		const struct irange range =
			irange(iaddr(base), iaddr(base + counts[i] * PAGE_SIZE));
		struct cursor cursor;

		EXPECT_OK(cursor_open(space, range, CURSOR_MUTABLE, &cursor));
		EXPECT_OK(cursor_map_segment(
			&cursor, &segment,
			page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)));
		cursor_close(&cursor);
		for (uint64_t page = 0; page < counts[i]; page++)
			EXPECT_TRUE(loads(base + page * PAGE_SIZE));

		EXPECT_OK(cursor_open(space, range, CURSOR_MUTABLE, &cursor));
		EXPECT_OK(cursor_unmap(&cursor, counts[i] * PAGE_SIZE, NULL));
		cursor_close(&cursor);
		for (uint64_t page = 0; page < counts[i]; page++)
			EXPECT_FALSE(loads(base + page * PAGE_SIZE));
	}
}
