/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that a guest had and has no more: filled with poison, held for a while, and looked at before
 * they become free. No CPU can reach them; if one was written, a translation outlived its removal,
 * and that is known before the frame is anybody else's.
 */
#pragma once

#include <strata/frame.h>
#include <stdbool.h>
#include <stddef.h>

#define QUARANTINE_FRAMES 32

struct quarantine {
	frame_t frames[QUARANTINE_FRAMES]; /* a ring, oldest at next when full */
	size_t count;
	size_t next;
};

/* Poisons @frame, whose reference is the quarantine's from now on, and gives the oldest one back if
 * there is no room. False if that one was written meanwhile. */
bool quarantine_add(struct quarantine *quarantine, frame_t *frame);

/* Gives all back. False if one of them was written meanwhile. */
bool quarantine_empty(struct quarantine *quarantine);
