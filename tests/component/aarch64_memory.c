/* SPDX-License-Identifier: BSD-3-Clause */
/* Copying and clearing: whole pages, and the four functions a compiler calls. */
#include <arch/memory.h>
#include <string.h>
#include "harness.h"

#define SPAN 160

static uint8_t source[SPAN], target[SPAN], expected[SPAN];

/* Not the same in any two places that a wrong offset could mix up. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + 13);
}

static void fill(uint8_t *bytes, unsigned int salt)
{
	for (size_t i = 0; i < SPAN; i++)
		bytes[i] = (uint8_t)(pattern(i) ^ salt);
}

static void expect_target(const char *what, size_t to, size_t from, size_t size)
{
	for (size_t i = 0; i < SPAN; i++)
		if (target[i] != expected[i])
			FAIL("%s(%zu, %zu, %zu): byte %zu is 0x%x, not 0x%x", what, to, from, size,
			     i, target[i], expected[i]);
}

/* Not for the compiler to look through, and to replace by what it knows of memcpy. */
static uint8_t *opaque(uint8_t *bytes)
{
	__asm__("" : "+r"(bytes));
	return bytes;
}

TEST(memcpy_at_every_alignment)
{
	fill(source, 0);
	for (size_t to = 0; to < 16; to++) {
		for (size_t from = 0; from < 16; from++) {
			for (size_t size = 0; size <= 80; size++) {
				fill(target, 0xff);
				fill(expected, 0xff);
				for (size_t i = 0; i < size; i++)
					expected[to + i] = source[from + i];
				EXPECT_TRUE(memcpy(opaque(target + to), source + from, size) ==
					    target + to);
				expect_target("memcpy", to, from, size);
			}
		}
	}
}

TEST(memmove_with_every_overlap)
{
	for (size_t to = 0; to < 40; to++) {
		for (size_t from = 0; from < 40; from++) {
			for (size_t size = 0; size <= 96; size += size < 24 ? 1 : 8) {
				fill(target, 0);
				fill(expected, 0);
				for (size_t i = 0; i < size; i++)
					expected[to + i] = pattern(from + i);
				EXPECT_TRUE(memmove(opaque(target + to), target + from, size) ==
					    target + to);
				expect_target("memmove", to, from, size);
			}
		}
	}
}

TEST(memset_at_every_alignment)
{
	volatile int value = 0x7a5; /* only its low byte counts */

	for (size_t to = 0; to < 16; to++) {
		for (size_t size = 0; size <= 80; size++) {
			fill(target, 0);
			fill(expected, 0);
			for (size_t i = 0; i < size; i++)
				expected[to + i] = 0xa5;
			EXPECT_TRUE(memset(opaque(target + to), value, size) == target + to);
			expect_target("memset", to, 0xa5, size);
		}
	}
}

TEST(memcmp_finds_the_first_difference)
{
	fill(source, 0);
	for (size_t at = 0; at < 40; at++) {
		fill(target, 0);
		EXPECT_TRUE(memcmp(opaque(source), target, 40) == 0);
		source[at] = 0x80;
		target[at] = 0x7f;
		target[at + 1] = 0xff; /* behind it, the other way round */
		EXPECT_TRUE(memcmp(opaque(source), target, 41) > 0);
		EXPECT_TRUE(memcmp(opaque(target), source, 41) < 0);
		EXPECT_TRUE(memcmp(opaque(source), target, at) == 0);
		fill(source, 0);
	}
}

TEST(page_zero_and_copy_stay_inside)
{
	struct segment segment = world_segment(world, 4, PAGE_SIZE);
	uint64_t *words = mm_linear(segment.start);
	const size_t page = PAGE_SIZE / sizeof(*words);

	for (size_t i = 0; i < 4 * page; i++)
		words[i] = ~(uint64_t)i;
	page_zero(words + page);
	page_copy(words + 2 * page, words);
	for (size_t i = 0; i < page; i++) {
		EXPECT_EQUAL(words[i], ~(uint64_t)i);
		EXPECT_EQUAL(words[page + i], 0);
		EXPECT_EQUAL(words[2 * page + i], ~(uint64_t)i);
		EXPECT_EQUAL(words[3 * page + i], ~(uint64_t)(3 * page + i));
	}
	segment_drop(&segment);
}
