/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame lists: doubly linked lists of unique frames, linked through the frames' own slots.
 *
 * Invariant: every frame of a list is UNIQUE and is in no other list; the list owns it. A frame's
 * slot says which list has it, so that membership is one load and one comparison. Neighbours agree:
 * next of previous and previous of next are the frame itself.
 *
 * A listed frame's links take the place of its metadata: a frame with metadata cannot be listed.
 *
 * A list is protected by its user: one CPU at a time. Different lists are independent.
 */
#pragma once

#include <strata/unique_frame.h>

/* Storage belongs to the user; fields are private. */
struct frame_list {
	uint32_t front;
	uint32_t back;
	uint16_t id; /* what its frames' slots say; 0 until the first frame comes */
	uint64_t size;
};

/* An empty list. */
void frame_list_init(struct frame_list *list);

/* Drops every frame; the list is empty afterwards, and may be used again or forgotten. */
void frame_list_drop(struct frame_list *list);

uint64_t frame_list_size(const struct frame_list *list);
bool frame_list_is_empty(const struct frame_list *list);

/* Whether the page at @paddr is in @list; false for what is not the address of a page of memory. */
bool frame_list_contains(const struct frame_list *list, struct paddr paddr);

/*
 * The list takes @frame over, at the front or after the last; @frame is void afterwards, unless there
 * is an error.
 *
 * MM_IN_USE: the frame has metadata. MM_NO_MEMORY: 31744 lists have had a frame, and were not dropped
 * since (a list keeps its number while it is empty).
 */
MM_MUST_CHECK enum mm_status frame_list_push_front(struct frame_list *list, unique_frame_t *frame);
MM_MUST_CHECK enum mm_status frame_list_push_back(struct frame_list *list, unique_frame_t *frame);

/* False, and @out untouched, if the list is empty. */
bool frame_list_pop_front(struct frame_list *list, unique_frame_t *out);
bool frame_list_pop_back(struct frame_list *list, unique_frame_t *out);

/*
 * A place in a list: at one of its frames, or at the ghost, past the last and before the first.
 * Void after the list was changed by anything but this cursor.
 */
struct frame_list_cursor {
	struct frame_list *list;
	uint32_t current;
};

/* At the first or last frame; at the ghost if the list is empty. */
struct frame_list_cursor frame_list_cursor_front(struct frame_list *list);
struct frame_list_cursor frame_list_cursor_back(struct frame_list *list);
/* At the page @paddr. False, and @out untouched, if it is not in the list. */
bool frame_list_cursor_at(struct frame_list *list, struct paddr paddr,
			  struct frame_list_cursor *out);

/* The frame here. False, and @out untouched, at the ghost. */
bool frame_list_cursor_current(const struct frame_list_cursor *cursor, struct paddr *out);

/* From the last to the ghost, from the ghost to the first; and the other way round. */
void frame_list_cursor_move_next(struct frame_list_cursor *cursor);
void frame_list_cursor_move_prev(struct frame_list_cursor *cursor);

/* Puts @frame before the current one, at the ghost after the last. The cursor stays at its frame.
 * Statuses as frame_list_push_back. */
MM_MUST_CHECK enum mm_status frame_list_cursor_insert_before(struct frame_list_cursor *cursor,
							     unique_frame_t *frame);

/* Takes the current frame out and moves to the one after it. False at the ghost. */
bool frame_list_cursor_take(struct frame_list_cursor *cursor, unique_frame_t *out);
