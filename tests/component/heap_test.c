/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"
#include <string.h>
#include <strata/fault.h>
#include <strata/heap.h>

#define OBJECTS 512

/* What an object's bytes are: a function of its number, so that overlap is seen. */
static uint8_t byte_of(size_t object, size_t i)
{
	return (uint8_t)(object * 31 + i);
}

static void fill(uint8_t *object, size_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		object[i] = byte_of(number, i);
}

static void expect_filled(const uint8_t *object, size_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		EXPECT_EQUAL(object[i], byte_of(number, i));
}

TEST(heap_refuses_an_object_without_bytes)
{
	void *object = &object;

	EXPECT_STATUS(heap_alloc(0, &object), MM_INVALID_ARGS);
	EXPECT_TRUE(object == &object);
	heap_free(NULL);
}

/* Every size around the borders of size classes and pages: aligned, and as large as asked for. */
TEST(heap_gives_objects_of_every_size)
{
	static const size_t sizes[] = { 1,    15,   16,	  17,	31,   32,   33,	   63,
					64,   65,   127,  128,	255,  256,  480,   511,
					512,  513,  960,  991,	992,  993,  1008,  1023,
					1024, 1025, 2048, 4095, 4096, 4097, 10000, 65536 };

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		void *object;

		EXPECT_OK(heap_alloc(sizes[i], &object));
		EXPECT_EQUAL((uintptr_t)object % 16, 0);
		fill(object, i, sizes[i]);
		expect_filled(object, i, sizes[i]);
		heap_free(object);
	}
}

/* Objects of mixed sizes, released in another order than they came, do not touch each other. */
TEST(heap_objects_do_not_overlap)
{
	static uint8_t *objects[OBJECTS];
	static size_t sizes[OBJECTS];
	uint64_t before = mm_usage().pages[PAGE_HYPERVISOR];

	for (size_t i = 0; i < OBJECTS; i++) {
		void *object;

		sizes[i] = 1 + i * 7 % 1500;
		EXPECT_OK(heap_alloc(sizes[i], &object));
		objects[i] = object;
		fill(objects[i], i, sizes[i]);
	}
	EXPECT_TRUE(mm_usage().pages[PAGE_HYPERVISOR] > before);
	for (size_t i = 0; i < OBJECTS; i++) {
		size_t j = i * 211 % OBJECTS;

		expect_filled(objects[j], j, sizes[j]);
		heap_free(objects[j]);
	}
	EXPECT_EQUAL(mm_usage().pages[PAGE_HYPERVISOR], before);
}

#if STRATA_CHECKED

/* Without a page left an object is refused, and what is there stays usable. */
TEST(heap_says_when_memory_is_out)
{
	static const size_t sizes[] = { 8, 900, 5000 };

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		void *object = NULL;

		mm_fail_allocation(1);
		EXPECT_STATUS(heap_alloc(sizes[i], &object), MM_NO_MEMORY);
		EXPECT_TRUE(object == NULL);
		mm_fail_allocation(0);
		EXPECT_OK(heap_alloc(sizes[i], &object));
		heap_free(object);
	}
}

#endif
