/* SPDX-License-Identifier: BSD-3-Clause */
#include "quarantine.h"

#include <stdint.h>
#include <strata/ownership.h>

#define POISON UINT64_C(0xdeadbeefdeadbeef)
#define PAGE_WORDS (PAGE_SIZE / sizeof(uint64_t))

void quarantine_init(struct quarantine *quarantine)
{
	frame_list_init(&quarantine->frames);
}

static void poison(const unique_frame_t *frame)
{
	uint64_t *words = mm_linear(frame->paddr);

	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[i] = POISON;
}

static bool release(unique_frame_t *frame)
{
	const uint64_t *words = mm_linear(frame->paddr);
	uint64_t different = 0;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		different |= words[i] ^ POISON;
	unique_frame_drop(frame);
	return different == 0;
}

static bool release_oldest(struct quarantine *quarantine)
{
	unique_frame_t frame;

	return !frame_list_pop_front(&quarantine->frames, &frame) || release(&frame);
}

/* The page becomes the hypervisor's alone; false if it is not @guest's, or somebody else has it too. */
static bool take_back(frame_t *frame, const struct vm_space *guest, unique_frame_t *out)
{
	struct segment page = segment_from_frame(frame);
	bool taken = ownership_donate(&page, guest, NULL, FRAME_UNDEFINED) == MM_OK;

	return segment_next(&page, frame) && taken &&
	       unique_frame_try_from_shared(frame, out) == MM_OK;
}

bool quarantine_add(struct quarantine *quarantine, frame_t *frame, const struct vm_space *guest)
{
	unique_frame_t unique;
	bool intact = true;

	if (!take_back(frame, guest, &unique)) {
		frame_drop(frame);
		return false;
	}
	if (frame_list_size(&quarantine->frames) == QUARANTINE_FRAMES)
		intact = release_oldest(quarantine);
	poison(&unique);
	/* There is a limit to the number of lists, which one for each guest does not reach. */
	if (frame_list_push_back(&quarantine->frames, &unique) != MM_OK)
		return release(&unique) && intact;
	return intact;
}

bool quarantine_empty(struct quarantine *quarantine)
{
	bool intact = true;

	while (!frame_list_is_empty(&quarantine->frames))
		intact &= release_oldest(quarantine);
	frame_list_drop(&quarantine->frames);
	return intact;
}
