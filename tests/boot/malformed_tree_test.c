/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes that are no device tree, or nearly one: each is described or refused, and never more is read
 * than was given: the page behind the blob is not there, for libfdt too, which no sanitizer watches.
 * A description that is accepted has to be one that the subsystem can start with.
 */
#include "monitor/random.h"
#include "tree.h"

#include <device_tree.h>
#include <memory_map.h>
#include <model_pool.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define RANDOM_TREES 20000
#define CHANGES_MAX 8
#define SEED 1
#define FDT_HEADER_BYTES 40

static _Alignas(8) uint8_t original[TREE_BYTES];
static size_t original_size;
static uint8_t *room_end; /* TREE_BYTES before a page that cannot be read */
static struct boot_info info;
static struct boot_error error;

static int make_original(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memory_count = 3;
	plan.memory[1] =
		(struct plan_range){ PLAN_MEMORY + 4 * PLAN_MEMORY_SIZE, PLAN_MEMORY_SIZE };
	plan.memory[2] = (struct plan_range){ PLAN_MEMORY + PLAN_MEMORY_SIZE, 0x10000 };
	plan.memreserve_count = 2;
	plan.memreserve[0] = (struct plan_range){ PLAN_MEMORY + 0x300, 0x100 };
	plan.memreserve[1] = (struct plan_range){ PLAN_MEMORY + 0x1000000, 0x1000 };
	plan.reserved_count = 2;
	plan.reserved[0] =
		(struct plan_reserved){ "a@50000000", { 0x50000000, 0x10000 }, true, false };
	plan.reserved[1] =
		(struct plan_reserved){ "b@60000000", { 0x60000000, 0x234 }, false, false };
	plan.uart_on_bus = true;
	plan.second_uart = true;
	original_size = tree_make(&plan, original);

	uint8_t *room = mmap(NULL, TREE_BYTES + PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED || mprotect(room + TREE_BYTES, PAGE_SIZE, PROT_NONE) != 0)
		return -1;
	room_end = room + TREE_BYTES;
	return 0;
}

static void expect_usable(const char *what, size_t where)
{
	bool usable = info.memory_count > 0 && info.memory_count <= BOOT_RANGES_MAX &&
		      info.reserved_count <= BOOT_RANGES_MAX && info.device_count > 0 &&
		      strlen(info.command_line) < sizeof(info.command_line);

	for (size_t i = 0; i < info.memory_count; i++) {
		struct prange range = info.memory[i];

		usable = usable && !prange_is_empty(range) && prange_is_page_aligned(range) &&
			 range.end.value <= UINT64_C(1) << ADDRESS_BITS_MAX &&
			 (i == 0 || info.memory[i - 1].end.value < range.start.value);
	}
	for (size_t i = 0; i < info.reserved_count; i++) {
		usable = usable && !prange_is_empty(info.reserved[i].range) &&
			 prange_is_page_aligned(info.reserved[i].range) && info.reserved[i].name;
	}
	for (size_t i = 0; i < info.device_count; i++)
		usable = usable && !prange_is_empty(info.devices[i].range) && info.devices[i].name;
	usable = usable && info.unused_device_count <= BOOT_RANGES_MAX;
	for (size_t i = 0; i < info.unused_device_count; i++)
		usable = usable && info.unused_devices[i].name &&
			 info.unused_devices[i].range.start.value <
				 info.unused_devices[i].range.end.value;
	if (!usable)
		fail_msg("%s %zu: accepted, but not usable", what, where);
}

/* Copies @size bytes to the end of the room, as far as alignment permits, and gives them to the
 * parser. */
static bool try_bytes(const uint8_t *bytes, size_t size, const char *what, size_t where)
{
	uint8_t *copy = room_end - (size + 7) / 8 * 8;
	bool accepted;

	memset(room_end - 8, 0, 8);
	memcpy(copy, bytes, size);
	memset(&error, 0, sizeof(error));
	accepted = device_tree_parse(copy, size, &info, &error);
	if (accepted) {
		expect_usable(what, where);
		info.device_tree = paddr(PLAN_MEMORY + 0x4000000);
		info.device_tree_size = size;
		if (memory_map_complete(
			    &info,
			    prange(paddr(PLAN_MEMORY + 0x80000), paddr(PLAN_MEMORY + 0x100000)), 48,
			    &error))
			model_pool_place(&info, &error);
	} else if (error.text[0] == '\0') {
		fail_msg("%s %zu: refused without a reason", what, where);
	}
	return accepted;
}

static void cut_anywhere(void **state)
{
	(void)state;
	assert_true(try_bytes(original, original_size, "cut at", original_size));
	for (size_t size = 0; size < original_size; size++) {
		if (try_bytes(original, size, "cut at", size))
			fail_msg("cut at %zu of %zu: accepted", size, original_size);
		if (size >= FDT_HEADER_BYTES &&
		    strcmp(error.text, "the device tree is cut short") != 0)
			fail_msg("cut at %zu: refused because '%s'", size, error.text);
	}
}

/* As cut_anywhere, with a header that admits it. */
static void cut_and_said_so(void **state)
{
	uint8_t bytes[TREE_BYTES];

	(void)state;
	memcpy(bytes, original, original_size);
	for (size_t size = 8; size < original_size; size++) {
		bytes[4] = 0;
		bytes[5] = 0;
		bytes[6] = (uint8_t)(size >> 8);
		bytes[7] = (uint8_t)size;
		try_bytes(bytes, size, "cut at", size);
	}
}

static void each_byte_changed(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x04, 0x40, 0x80, 0xff };
	uint8_t bytes[TREE_BYTES];
	size_t accepted = 0;

	(void)state;
	memcpy(bytes, original, original_size);
	for (size_t i = 0; i < original_size; i++) {
		for (size_t j = 0; j < sizeof(changes); j++) {
			bytes[i] ^= changes[j];
			accepted += try_bytes(bytes, original_size, "changed byte", i);
			bytes[i] ^= changes[j];
		}
		bytes[i] = 0;
		accepted += try_bytes(bytes, original_size, "cleared byte", i);
		bytes[i] = original[i];
	}
	assert_true(accepted > 0); /* some bytes are only a name */
}

static void each_word_changed(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff };
	uint8_t bytes[TREE_BYTES];

	(void)state;
	memcpy(bytes, original, original_size);
	for (size_t i = 0; i + 4 <= original_size; i += 4) {
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			for (size_t k = 0; k < 4; k++)
				bytes[i + k] = (uint8_t)(values[j] >> (24 - 8 * k));
			try_bytes(bytes, original_size, "changed word", i);
		}
		memcpy(bytes + i, original + i, 4);
	}
}

static void random_changes(void **state)
{
	struct random random = { SEED };
	uint8_t bytes[TREE_BYTES];

	(void)state;
	for (size_t i = 0; i < RANDOM_TREES; i++) {
		memcpy(bytes, original, original_size);
		for (uint64_t j = random_below(&random, CHANGES_MAX) + 1; j > 0; j--)
			bytes[random_below(&random, original_size)] = (uint8_t)random_next(&random);
		try_bytes(bytes, original_size, "random tree", i);
	}
}

static void random_bytes(void **state)
{
	struct random random = { SEED };
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < RANDOM_TREES; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)random_next(&random);
		if (i % 2)
			memcpy(bytes, original, 4); /* past the magic number */
		try_bytes(bytes, random_below(&random, sizeof(bytes)), "random bytes", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),	     cmocka_unit_test(cut_and_said_so),
		cmocka_unit_test(each_byte_changed), cmocka_unit_test(each_word_changed),
		cmocka_unit_test(random_changes),    cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("malformed trees", tests, make_original, NULL);
}
