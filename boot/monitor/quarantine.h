/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that a guest had and has no more: filled with poison, held for a while, and looked at before
 * they become free. No CPU can reach them; if one was written, a translation outlived its removal,
 * and that is known before the frame is anybody else's. They are unique, in a list, the oldest first:
 * nobody else can have a reference.
 */
#pragma once

#include <strata/frame_list.h>
#include <strata/vm_space.h>
#include <stdbool.h>

#define QUARANTINE_FRAMES 32

struct quarantine {
	struct frame_list frames;
};

void quarantine_init(struct quarantine *quarantine);

/* Poisons @frame, the page that @guest had at @page, whose reference is the quarantine's from
 * now on, and gives the oldest one back if there is no room. False if that one was written
 * meanwhile, or if @frame is not @guest's, or somebody else has it too. */
bool quarantine_add(struct quarantine *quarantine, frame_t *frame, const struct vm_space *guest,
		    struct iaddr page);

/* Gives all back. False if one of them was written meanwhile. */
bool quarantine_empty(struct quarantine *quarantine);
