/* SPDX-License-Identifier: BSD-3-Clause */
#include "op.h"

static const struct op_information table[] = {
#define OP_ROW(looks, name, category, function, arguments, upstream, section, meaning)             \
	[OPERATION_##name] = {                                                                     \
		#name,	 #function, CATEGORY_##category, (uint64_t)(arguments), looks, upstream,   \
		section, meaning                                                                   \
	},
#define OP(...) OP_ROW(false, __VA_ARGS__)
#define LOOK(...) OP_ROW(true, __VA_ARGS__)
#include <strata/ops.def>
#undef OP_ROW
};

const struct op_information *op_information(enum mm_operation_kind kind)
{
	return &table[kind];
}

const char *op_category_name(enum op_category category)
{
	static const char *const names[CATEGORY_COUNT] = {
		[CATEGORY_SPACE] = "spaces",	     [CATEGORY_CURSOR] = "cursors",
		[CATEGORY_FLUSH] = "flushes",	     [CATEGORY_FRAME] = "frames",
		[CATEGORY_UNIQUE] = "unique frames", [CATEGORY_SEGMENT] = "segments",
		[CATEGORY_LIST] = "lists",	     [CATEGORY_IO] = "readers and writers",
		[CATEGORY_AREA] = "areas",	     [CATEGORY_OWNER] = "owners",
		[CATEGORY_MEMORY] = "memory",	     [CATEGORY_SERVICE] = "services",
	};

	return names[category];
}
