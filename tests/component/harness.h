/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Component tests: claims about the public interface, that run unchanged on the simulated MMU of a
 * host program and at EL2 in an image.
 *
 *	// A clone is one more reference, and dropping it gives it back.
 *	TEST(clone_is_counted)
 *	{
 *		frame_t frame = world_frame(world);
 *		...
 *		EXPECT_OK(frame_clone(&frame, &clone));
 *	}
 *
 * Promise: after each test the runner compares the world with what it was before (world_end in
 * world.h): a test that leaks a page, or breaks a rule of the MMU, fails even if it says nothing.
 *
 * A failed EXPECT_ ends the test. On the host each test has its own machine; in the image the first
 * failure ends the run, since what follows would start from a world that nobody knows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strata/mm.h>
#include <strata/status.h>
#include "world.h"

struct component_test {
	const char *name;
	void (*run)(struct world *world);
};

/* The tests of a program: pointers gathered by the linker. They run in any order. */
extern const struct component_test *const __start_component_tests[];
extern const struct component_test *const __stop_component_tests[];

#define TEST(test_name)                                                                            \
	static void test_name(struct world *world);                                                \
	static const struct component_test component_test_##test_name = { #test_name, test_name }; \
	__attribute__((used, section("component_tests"))) static const struct component_test       \
		*const component_test_entry_##test_name = &component_test_##test_name;             \
	static void test_name(struct world *world __attribute__((unused)))

/*
 * Whether the machine has what the test is about. If it has not, the test returns, and is not counted as
 * passed: it is named, with @what. On the simulated machine, and on one of which the runner was told that
 * it has everything (complete=1 in bootargs), that is a failure.
 */
MM_MUST_CHECK bool test_can(bool has, const char *what);

/* Ends the test: it failed. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

#define EXPECT_STATUS(expression, expected)                                                        \
	expect_status((expression), (expected), #expression, __FILE__, __LINE__)
#define EXPECT_OK(expression) EXPECT_STATUS(expression, MM_OK)
#define EXPECT_TRUE(expression) expect_true((expression), #expression, __FILE__, __LINE__)
#define EXPECT_FALSE(expression)                                                                   \
	expect_true(!(expression), "!(" #expression ")", __FILE__, __LINE__)
#define EXPECT_EQUAL(actual, expected)                                                             \
	expect_equal((actual), (expected), #actual, #expected, __FILE__, __LINE__)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline void expect_status(enum mm_status actual, enum mm_status expected, const char *text,
				 const char *file, int line)
{
	if (actual != expected)
		test_fail(file, line, "%s is %s, not %s", text, mm_status_name(actual),
			  mm_status_name(expected));
}

static inline void expect_true(bool holds, const char *text, const char *file, int line)
{
	if (!holds)
		test_fail(file, line, "%s does not hold", text);
}

static inline void expect_equal(uint64_t actual, uint64_t expected, const char *actual_text,
				const char *expected_text, const char *file, int line)
{
	if (actual != expected)
		test_fail(file, line, "%s is 0x%llx, %s is 0x%llx", actual_text,
			  (unsigned long long)actual, expected_text, (unsigned long long)expected);
}
