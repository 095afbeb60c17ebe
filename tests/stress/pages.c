/* SPDX-License-Identifier: BSD-3-Clause */
/* What pages say of themselves. */
#include "stress.h"

/* Words are also a guest's, on another CPU: each is one access. */
static uint64_t word_of(struct paddr page, unsigned int index)
{
	const uint64_t *words = mm_linear(page);

	return __atomic_load_n(&words[index], __ATOMIC_RELAXED);
}

void name_page(struct paddr page, uint64_t word)
{
	uint64_t *words = mm_linear(page);

	__atomic_store_n(&words[0], word, __ATOMIC_RELAXED);
	__atomic_store_n(&words[1], word, __ATOMIC_RELAXED);
}

bool fresh_frame(struct worker *worker, frame_t *out)
{
	enum frame_contents contents = one_in(worker, 4) ? FRAME_ZEROED : FRAME_UNDEFINED;

	if (!called(worker, OPERATION_FRAME_ALLOC, frame_alloc(contents, out),
		    BIT(MM_OK) | BIT(MM_NO_MEMORY)))
		return false;
	if (contents == FRAME_ZEROED && (word_of(out->paddr, 0) | word_of(out->paddr, 1)) != 0)
		find(worker, JUDGE_PAGE, "page 0x%llx was to be zero, and is not",
		     (unsigned long long)out->paddr.value);
	name_page(out->paddr, POISON);
	return true;
}

static void drop(struct worker *worker, struct held_frame *held)
{
	struct paddr page = held->frame.paddr;

	if (!held->full)
		return;
	for (unsigned int i = 0; held->poisoned && i < 2; i++)
		if (word_of(page, i) != POISON)
			find(worker, JUDGE_PAGE,
			     "page 0x%llx was written to after it was taken away: word %u is "
			     "0x%llx",
			     (unsigned long long)page.value, i,
			     (unsigned long long)word_of(page, i));
	frame_drop(&held->frame);
	called(worker, OPERATION_FRAME_DROP, MM_OK, BIT(MM_OK));
	held->full = false;
}

void hold_frame(struct worker *worker, const frame_t *frame, bool poison)
{
	struct held_frame *held = &worker->held[worker->next_held++ % HELD_FRAMES];

	drop(worker, held);
	if (poison)
		name_page(frame->paddr, POISON);
	*held = (struct held_frame){ *frame, true, poison };
}

void drop_held(struct worker *worker)
{
	for (unsigned int i = 0; i < HELD_FRAMES; i++)
		drop(worker, &worker->held[i]);
}
