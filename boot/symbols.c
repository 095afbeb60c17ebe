/* SPDX-License-Identifier: BSD-3-Clause */
#include "symbols.h"
#include "image.h"
#include "stacks.h"
#include <inttypes.h>
#include <stdio.h>

/* A backtrace is for reading. */
#define BACKTRACE_FRAMES 32

const char *symbols_find(uint64_t address, uint64_t *distance)
{
	uint64_t offset = address - image_address(image_start);
	uint64_t below = 0; /* symbols known to start at or below the address */
	uint64_t above = symbol_count;

	if (address < image_address(image_start) || address >= image_address(text_end))
		return NULL;
	while (below < above) {
		uint64_t middle = below + (above - below) / 2;

		if (symbol_table[middle].offset <= offset)
			below = middle + 1;
		else
			above = middle;
	}
	if (below == 0)
		return NULL;
	*distance = offset - symbol_table[below - 1].offset;
	return &symbol_names[symbol_table[below - 1].name];
}

void symbols_print(uint64_t address)
{
	uint64_t distance;
	const char *name = symbols_find(address, &distance);

	printf("0x%016" PRIx64, address);
	if (name)
		printf(" (%s+%#" PRIx64 ")", name, distance);
}

/* Frame record: the caller's record, then the return address (AAPCS64, 6.4.6, "The Frame Pointer"). */
void symbols_backtrace(uint64_t frame)
{
	printf("called by:\n");
	for (int i = 0; i < BACKTRACE_FRAMES; i++) {
		if (prange_is_empty(stack_at(frame)) || frame % 16 != 0)
			return;

		const uint64_t *record = (const uint64_t *)(uintptr_t)frame;

		if (record[1] == 0)
			return;
		printf("  ");
		symbols_print(record[1]);
		printf("\n");
		if (record[0] <= frame)
			return;
		frame = record[0];
	}
}
