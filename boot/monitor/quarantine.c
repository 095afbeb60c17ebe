/* SPDX-License-Identifier: BSD-3-Clause */
#include "quarantine.h"

#include <stdint.h>

#define POISON UINT64_C(0xdeadbeefdeadbeef)
#define PAGE_WORDS (PAGE_SIZE / sizeof(uint64_t))

static void poison(const frame_t *frame)
{
	uint64_t *words = mm_linear(frame->paddr);

	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[i] = POISON;
}

static bool release(frame_t *frame)
{
	const uint64_t *words = mm_linear(frame->paddr);
	uint64_t different = 0;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		different |= words[i] ^ POISON;
	frame_drop(frame);
	return different == 0;
}

bool quarantine_add(struct quarantine *quarantine, frame_t *frame)
{
	frame_t *place = &quarantine->frames[quarantine->next];
	bool intact = true;

	if (quarantine->count == QUARANTINE_FRAMES)
		intact = release(place);
	else
		quarantine->count++;
	poison(frame);
	*place = *frame;
	quarantine->next = (quarantine->next + 1) % QUARANTINE_FRAMES;
	return intact;
}

bool quarantine_empty(struct quarantine *quarantine)
{
	bool intact = true;

	for (size_t i = 0; i < quarantine->count; i++)
		intact &= release(&quarantine->frames[i]);
	quarantine->count = 0;
	quarantine->next = 0;
	return intact;
}
