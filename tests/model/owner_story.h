/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A story of two spaces, the story's own and its neighbour, and of a segment of data pages 8 and 9, which is
 * the only reference to them. What the subsystem says of their owner is told apart from the operations.
 */
#pragma once

#include "story.h"

extern struct vm_space neighbour;
/* Of the story's space, with the neighbour as its member. */
extern struct sharing *const sharing;

int owner_set_up(void **state);

#define OWNER_STORY(name) cmocka_unit_test_setup_teardown(name, owner_set_up, story_tear_down)

/* @count data pages from page @first on. */
struct prange part(unsigned int first, unsigned int count);

/* What the subsystem says from now on of the segment's pages. */
void set_owner(const struct vm_space *space);
void set_sharing(bool lent);

void tell_sharing(enum mm_operation_kind kind, enum mm_status status);
/* The segment's pages change hands; those who narrow access say so before, and then that they are settled. */
void tell_change(enum mm_operation_kind kind, enum mm_status status);
void tell_donation(const struct vm_space *from, const struct vm_space *to, enum mm_status status,
		   enum frame_contents contents);
void tell_settled(void);

/* All of it, and the subsystem agrees. */
void donate_to_story(void);
void share_by_story(void);
void lend_by_story(void);

/* One more handle to page 8: a frame, to be mapped. */
void tell_frame_of_8(void);
/* It is mapped at page 4, or not; what that claims, and the table, are told apart. */
void tell_map_of_8(enum mm_status status);
/* Both, and the table has it. */
void map_8(void);
/* The second half of it. */
void map_frame_of_8(void);
