/* SPDX-License-Identifier: BSD-3-Clause */
/* An open cursor, and what is mapped by it; each judges the statuses that it gets. */
#pragma once

#include "stress.h"

uint64_t session_position(const struct session *session);
uint64_t session_left(const struct session *session);

/* Some pages, at the most all that is left; 0: there are none. */
uint64_t session_some(struct session *session);
void session_jump(struct session *session);

/* MM_ACCESS_DENIED, where @ia is of a common page, which may be another space's. */
uint32_t session_denied(uint64_t ia);
/* What was not mapped. */
void session_give_back(struct session *session, frame_t *frame);

void session_map_frames(struct session *session);
void session_replace(struct session *session);
/* A block, or pages: one after another, all of them named. */
void session_map_segment(struct session *session);
/* From nothing to a block, that what follows may split. */
void session_make_block(struct session *session);
