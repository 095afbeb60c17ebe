/* SPDX-License-Identifier: BSD-3-Clause */
/* What pages say of themselves. */
#include "stress.h"

/* Words are also a guest's, on another CPU: each is one access. */
static uint64_t word_of(struct paddr page, unsigned int index)
{
	const uint64_t *words = mm_linear(page);

	return __atomic_load_n(&words[index], __ATOMIC_RELAXED);
}

void name_page(struct paddr page, uint64_t says)
{
	uint64_t *words = mm_linear(page);

	for (unsigned int i = 0; i < PAGE_WORDS; i++)
		__atomic_store_n(&words[i], page_word(says, i), __ATOMIC_RELAXED);
}

static uint64_t wrong_word(struct paddr page, uint64_t says)
{
	for (unsigned int i = 0; i < PAGE_WORDS; i++)
		if (!is_page_word(word_of(page, i), says, i))
			return i;
	return PAGE_WORDS;
}

bool page_says(struct worker *worker, struct paddr page, uint64_t says, const char *was,
	       uint64_t where)
{
	const unsigned int i = (unsigned int)wrong_word(page, says);

	if (i == PAGE_WORDS)
		return true;
	find(worker, JUDGE_PAGE, "page 0x%llx, %s 0x%llx: word %u is 0x%llx and should be 0x%llx",
	     (unsigned long long)page.value, was, (unsigned long long)where, i,
	     (unsigned long long)word_of(page, i), (unsigned long long)page_word(says, i));
	return false;
}

bool page_is_zero(struct worker *worker, struct paddr page)
{
	for (unsigned int i = 0; i < PAGE_WORDS; i++) {
		if (word_of(page, i) == 0)
			continue;
		find(worker, JUDGE_PAGE, "page 0x%llx was to be zero: word %u is 0x%llx",
		     (unsigned long long)page.value, i, (unsigned long long)word_of(page, i));
		return false;
	}
	return true;
}

bool fresh_frame(struct worker *worker, frame_t *out)
{
	enum frame_contents contents = one_in(worker, 4) ? FRAME_ZEROED : FRAME_UNDEFINED;

	if (!called(worker, OPERATION_FRAME_ALLOC, frame_alloc(contents, out),
		    BIT(MM_OK) | BIT(MM_NO_MEMORY)))
		return false;
	if (contents == FRAME_ZEROED)
		page_is_zero(worker, out->paddr);
	name_page(out->paddr, POISON);
	return true;
}

static void look_at(struct worker *worker, const struct held_frame *held)
{
	if (held->full && held->poisoned)
		page_says(worker, held->frame.paddr, POISON, "taken away by CPU", worker->cpu);
}

static void drop(struct worker *worker, struct held_frame *held)
{
	look_at(worker, held);
	if (!held->full)
		return;
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

uint64_t look_at_held(struct worker *worker)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < HELD_FRAMES; i++) {
		look_at(worker, &worker->held[i]);
		pages += worker->held[i].full && worker->held[i].poisoned;
	}
	return pages;
}
