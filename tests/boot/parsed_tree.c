/* SPDX-License-Identifier: BSD-3-Clause */
#include "parsed_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct boot_info info;
struct boot_error error;

bool parse(const struct tree_plan *plan)
{
	static _Alignas(8) uint8_t blob[TREE_BYTES];

	memset(&error, 0, sizeof(error));
	return device_tree_parse(blob, tree_make(plan, blob), &info, &error);
}

void expect_parsed(const struct tree_plan *plan)
{
	if (!parse(plan))
		fail_msg("refused: %s", error.text);
}

void expect_ram(size_t index, uint64_t start, uint64_t end)
{
	assert_true(index < info.memory_count);
	assert_int_equal(info.memory[index].start.value, start);
	assert_int_equal(info.memory[index].end.value, end);
}
