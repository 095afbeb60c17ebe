/* SPDX-License-Identifier: BSD-3-Clause */
#include "quarantine.h"

#include <inttypes.h>
#include <strata/frame_metadata.h>
#include <strata/heap.h>
#include <strata/ownership.h>
#include <strata/unique_frame.h>
#include <strata/vm_writer.h>
#include "../log.h"

#define POISON UINT64_C(0xdeadbeefdeadbeef)
#define PAGE_WORDS (PAGE_SIZE / sizeof(uint64_t))

/* What a frame in quarantine was, so that who wrote to it is known. */
struct former_page {
	struct frame_metadata metadata; /* first */
	struct iaddr page;
};

static void forget_former(struct frame_metadata *metadata, struct paddr page)
{
	(void)page;
	heap_free(metadata);
}

static const struct frame_kind former_kind = { .name = "quarantine", .on_drop = forget_former };

/* What is known of a frame is a comfort: without memory for it, it is not. */
static void remember(unique_frame_t *frame, struct iaddr page)
{
	struct former_page *former;
	void *memory;

	if (heap_alloc(sizeof(*former), &memory) != MM_OK)
		return;
	former = memory;
	*former = (struct former_page){ { &former_kind }, page };
	unique_frame_repurpose(frame, &former->metadata);
}

void quarantine_init(struct quarantine *quarantine)
{
	frame_list_init(&quarantine->frames);
}

static void poison(const unique_frame_t *frame)
{
	struct vm_writer writer;
	enum mm_status status =
		vm_writer_from_hypervisor(mm_linear(frame->paddr), PAGE_SIZE, &writer);

	/* The hypervisor's own memory, whole words: neither fails, and release would say so. */
	if (status == MM_OK)
		status = vm_writer_fill(&writer, sizeof(uint64_t), POISON, NULL);
	(void)status;
}

static void say_written(const unique_frame_t *frame)
{
	const struct frame_metadata *metadata = unique_frame_metadata(frame);

	if (metadata != NULL)
		log_error("the frame 0x%" PRIx64 ", once at IPA 0x%" PRIx64
			  ", was written after it was taken away",
			  frame->paddr.value,
			  ((const struct former_page *)(const void *)metadata)->page.value);
}

static bool release(unique_frame_t *frame)
{
	const uint64_t *words = mm_linear(frame->paddr);
	uint64_t different = 0;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		different |= words[i] ^ POISON;
	if (different != 0)
		say_written(frame);
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

bool quarantine_add(struct quarantine *quarantine, frame_t *frame, const struct vm_space *guest,
		    struct iaddr page)
{
	unique_frame_t unique;
	bool intact = true;

	if (!take_back(frame, guest, &unique)) {
		frame_drop(frame);
		return false;
	}
	if (frame_list_size(&quarantine->frames) == QUARANTINE_FRAMES)
		intact = release_oldest(quarantine);
	remember(&unique, page);
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
