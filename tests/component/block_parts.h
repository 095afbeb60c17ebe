/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of blocks of a device at BLOCK_PARTS_BASE, at every level: exactly such a part changes. */
#pragma once

#include "mapping.h"

#define BLOCK_PARTS_BASE GIB(4)

struct block_part {
	uint64_t block, start, size;
};

static const struct block_part block_parts[] = {
	{ MIB(2), 0, PAGE_SIZE },	{ MIB(2), MIB(2) - PAGE_SIZE, PAGE_SIZE },
	{ MIB(2), KIB(256), KIB(512) }, { MIB(2), PAGE_SIZE, MIB(2) - 2 * PAGE_SIZE },
	{ GIB(1), 0, MIB(2) },		{ GIB(1), MIB(512), PAGE_SIZE },
	{ GIB(1), MIB(3), MIB(7) },	{ GIB(1), PAGE_SIZE, GIB(1) - 2 * PAGE_SIZE },
	{ GIB(1), 0, GIB(1) },
};

/* The part has @property, and the rest of the block DEVICE. */
void expect_block_part(struct world *world, struct vm_space *space, const struct block_part *part,
		       struct page_property property);

/* It is one block, all DEVICE, and there are @tables tables. */
void expect_whole_block(struct world *world, struct vm_space *space, const struct block_part *part,
			uint64_t tables);
