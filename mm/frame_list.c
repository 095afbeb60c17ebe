/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/frame_list.h>
#include "frame_list_ids.h"
#include "host.h"
#include "lock.h"
#include "panic.h"
#include "report.h"
#include "share.h"
#include "slot.h"
#include "unique_page.h"

#define LIST_IDS (SLOT_LIST_LAST - SLOT_LIST_FIRST + UINT32_C(1))
#define WORD_BITS 64

_Static_assert(LIST_IDS % WORD_BITS == 0, "a bit for each id");

/* The ids of lists that have, or had, frames, from SLOT_LIST_FIRST on. */
static struct {
	struct ticket_lock lock;
	uint64_t taken[LIST_IDS / WORD_BITS];
	uint32_t hint;
} list_ids;

void frame_list_ids_reset(void)
{
	for (size_t i = 0; i < LIST_IDS / WORD_BITS; i++)
		list_ids.taken[i] = 0;
	list_ids.hint = 0;
}

/* An id no list has, or 0. */
static uint16_t id_take(void)
{
	uint16_t id = 0;

	ticket_lock(&list_ids.lock, MM_LOCK_FRAME_LISTS);
	for (uint32_t i = 0; i < LIST_IDS && id == 0; i++) {
		uint32_t candidate = (list_ids.hint + i) % LIST_IDS;
		uint64_t *word = &list_ids.taken[candidate / WORD_BITS];
		uint64_t bit = UINT64_C(1) << (candidate % WORD_BITS);

		if (*word & bit)
			continue;
		*word |= bit;
		list_ids.hint = candidate + 1;
		id = (uint16_t)(SLOT_LIST_FIRST + candidate);
	}
	ticket_unlock(&list_ids.lock);
	return id;
}

static void id_give_back(uint16_t id)
{
	uint32_t number = (uint32_t)id - SLOT_LIST_FIRST;

	ticket_lock(&list_ids.lock, MM_LOCK_FRAME_LISTS);
	list_ids.taken[number / WORD_BITS] &= ~(UINT64_C(1) << (number % WORD_BITS));
	ticket_unlock(&list_ids.lock);
}

static struct slot *slot_at(uint32_t number)
{
	return slot_of(page_at(number));
}

static void begin(struct frame_list *list)
{
	*list = (struct frame_list){ .front = LINK_NONE, .back = LINK_NONE };
}

void frame_list_init(struct frame_list *list)
{
	begin(list);
	REPORT(.kind = OPERATION_LIST_NEW, .list = list);
}

#if STRATA_CHECKED

/* As it is reported. */
static struct paddr place(uint32_t number)
{
	return number == LINK_NONE ? PLACE_GHOST : page_at(number);
}

#endif

uint64_t frame_list_size(const struct frame_list *list)
{
	uint64_t size = list->size;

	REPORT(.kind = OPERATION_LIST_SIZE, .list = list, .result = size);
	return size;
}

bool frame_list_is_empty(const struct frame_list *list)
{
	bool is_empty = list->size == 0;

	REPORT(.kind = OPERATION_LIST_IS_EMPTY, .list = list, .answer = is_empty);
	return is_empty;
}

static bool has(const struct frame_list *list, struct paddr page)
{
	struct slot *slot;

	if (list->id == 0 || slot_lookup(page, &slot) != MM_OK)
		return false;
	/*
	 * Acquire: of a page that is UNIQUE by now, what its slot said before is not seen any more.
	 * If it is not any more when its list is read, what is read is still no list's id, or
	 * another list's.
	 */
	return atomic_load_explicit(&slot->references, memory_order_acquire) == SLOT_UNIQUE &&
	       slot_list(slot) == list->id;
}

bool frame_list_contains(const struct frame_list *list, struct paddr page)
{
	bool contains = has(list, page);

	REPORT(.kind = OPERATION_LIST_CONTAINS, .list = list, .place = page, .answer = contains);
	return contains;
}

/* Links @page before the frame @next, which may be the ghost. */
static enum mm_status link_page(struct frame_list *list, struct paddr page, uint32_t next)
{
	struct slot *slot = slot_of(page);
	uint32_t number = page_number(page);

	if (slot->metadata != NULL)
		return MM_IN_USE;
	if (list->id == 0)
		list->id = id_take();
	if (list->id == 0)
		return MM_NO_MEMORY;

	uint32_t previous = next == LINK_NONE ? list->back : slot_at(next)->links.previous;

	if (!CANARY(listed_unmarked))
		slot_set_list(slot, list->id);
	slot->links = (struct slot_links){ .next = next, .previous = previous };
	if (previous == LINK_NONE)
		list->front = number;
	else
		slot_at(previous)->links.next = number;
	if (next == LINK_NONE)
		list->back = number;
	else
		slot_at(next)->links.previous = number;
	list->size++;
	return MM_OK;
}

/* Before the frame @next; @reported is the function. */
static enum mm_status insert(struct frame_list *list, unique_frame_t *frame, uint32_t next,
			     enum mm_operation_kind reported, uintptr_t by)
{
	ASSERT_HELD(MM_HELD_LIST, list);
	if (!SHARE_CLAIM(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), by))
		return MM_INVALID_ARGS;

	enum mm_status status = link_page(list, frame->paddr, next);

	SHARE_SETTLE(frame, status == MM_OK);
	REPORT(.kind = reported, .status = status, .list = list, .place = place(next),
	       .used = REPORTED_UNIQUE(frame));
	(void)reported;
	return status;
}

/* The page is in no list, and nobody has a handle to it. */
static struct paddr take(struct frame_list *list, uint32_t number)
{
	struct paddr page = page_at(number);
	struct slot *slot = slot_of(page);
	struct slot_links links = slot->links;

	if (CANARY(popped_but_kept))
		return page;
	MM_INVARIANT(slot_list(slot) == list->id, "a list has its own frames", page.value);
	if (CANARY(taken_but_linked))
		slot_set_list(slot, 0);
	else if (links.previous == LINK_NONE)
		list->front = links.next;
	else
		slot_at(links.previous)->links.next = links.next;
	if (links.next == LINK_NONE)
		list->back = links.previous;
	else
		slot_at(links.next)->links.previous = links.previous;
	list->size--;
	slot_begin_frame(slot, NULL);
	return page;
}

void frame_list_drop(struct frame_list *list)
{
	ASSERT_HELD(MM_HELD_LIST, list);

	IN_FLIGHT();

	REPORT(.kind = OPERATION_LIST_DROP, .list = list);
	while (list->front != LINK_NONE)
		unique_page_drop(take(list, list->front));
	if (list->id != 0)
		id_give_back(list->id);
	begin(list);
}

enum mm_status frame_list_push_front(struct frame_list *list, unique_frame_t *frame)
{
	return insert(list, frame, list->front, OPERATION_LIST_PUSH_FRONT, SHARE_CALLER());
}

enum mm_status frame_list_push_back(struct frame_list *list, unique_frame_t *frame)
{
	return insert(list, frame, CANARY(list_end_mistaken) ? list->front : LINK_NONE,
		      OPERATION_LIST_PUSH_BACK, SHARE_CALLER());
}

/* The frame @number, if there is one; @reported is the function, @after where its cursor is then. */
static bool pop(struct frame_list *list, uint32_t number, unique_frame_t *out,
		enum mm_operation_kind reported, uint32_t after, uintptr_t by)
{
	ASSERT_HELD(MM_HELD_LIST, list);
	(void)reported;
	(void)after;
	if (number == LINK_NONE) {
		REPORT(.kind = reported, .list = list, .place = PLACE_GHOST,
		       .place_now = PLACE_GHOST);
		return false;
	}
	out->paddr = take(list, number);
	SHARE_MAKE(out, SHARE_UNIQUE_FRAME, page_range(out->paddr), by);
	REPORT(.kind = reported, .list = list, .answer = true, .place = out->paddr,
	       .place_now = place(after), .made = { REPORTED_UNIQUE(out) });
	return true;
}

bool frame_list_pop_front(struct frame_list *list, unique_frame_t *out)
{
	return pop(list, list->front, out, OPERATION_LIST_POP_FRONT, LINK_NONE, SHARE_CALLER());
}

bool frame_list_pop_back(struct frame_list *list, unique_frame_t *out)
{
	return pop(list, list->back, out, OPERATION_LIST_POP_BACK, LINK_NONE, SHARE_CALLER());
}

struct frame_list_cursor frame_list_cursor_front(struct frame_list *list)
{
	REPORT(.kind = OPERATION_LIST_CURSOR_FRONT, .list = list, .place_now = place(list->front));
	return (struct frame_list_cursor){ list, list->front };
}

struct frame_list_cursor frame_list_cursor_back(struct frame_list *list)
{
	REPORT(.kind = OPERATION_LIST_CURSOR_BACK, .list = list, .place_now = place(list->back));
	return (struct frame_list_cursor){ list, list->back };
}

bool frame_list_cursor_at(struct frame_list *list, struct paddr page, struct frame_list_cursor *out)
{
	bool found = has(list, page);

	REPORT(.kind = OPERATION_LIST_CURSOR_AT, .list = list, .place = page, .answer = found,
	       .place_now = found ? page : PLACE_GHOST);
	if (!found)
		return false;
	*out = (struct frame_list_cursor){ list, page_number(page) };
	return true;
}

bool frame_list_cursor_current(const struct frame_list_cursor *cursor, struct paddr *out)
{
	bool found = cursor->current != LINK_NONE;

	if (found)
		*out = page_at(cursor->current);
	REPORT(.kind = OPERATION_LIST_CURSOR_CURRENT, .list = cursor->list,
	       .place = place(cursor->current), .answer = found,
	       .place_now = found ? *out : PLACE_GHOST);
	return found;
}

static uint32_t next_of(const struct frame_list *list, uint32_t number)
{
	return number == LINK_NONE ? list->front : slot_at(number)->links.next;
}

void frame_list_cursor_move_next(struct frame_list_cursor *cursor)
{
	ASSERT_HELD(MM_HELD_LIST, cursor->list);

	uint32_t next = next_of(cursor->list, cursor->current);

	REPORT(.kind = OPERATION_LIST_CURSOR_MOVE_NEXT, .list = cursor->list,
	       .place = place(cursor->current), .place_now = place(next));
	cursor->current = next;
}

void frame_list_cursor_move_prev(struct frame_list_cursor *cursor)
{
	ASSERT_HELD(MM_HELD_LIST, cursor->list);

	uint32_t previous = cursor->current == LINK_NONE ? cursor->list->back
							 : slot_at(cursor->current)->links.previous;

	REPORT(.kind = OPERATION_LIST_CURSOR_MOVE_PREV, .list = cursor->list,
	       .place = place(cursor->current), .place_now = place(previous));
	cursor->current = previous;
}

enum mm_status frame_list_cursor_insert_before(struct frame_list_cursor *cursor,
					       unique_frame_t *frame)
{
	return insert(cursor->list, frame, cursor->current, OPERATION_LIST_CURSOR_INSERT_BEFORE,
		      SHARE_CALLER());
}

bool frame_list_cursor_take(struct frame_list_cursor *cursor, unique_frame_t *out)
{
	uint32_t current = cursor->current;

	if (current != LINK_NONE)
		cursor->current = next_of(cursor->list, current);
	return pop(cursor->list, current, out, OPERATION_LIST_CURSOR_TAKE, cursor->current,
		   SHARE_CALLER());
}
