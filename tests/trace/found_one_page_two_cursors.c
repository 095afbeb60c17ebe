/* SPDX-License-Identifier: BSD-3-Clause */
/* A page that a space maps twice. One cursor changes how, and has not flushed; another one takes the other
 * mapping away, flushes, and gives that reference back: the first still has its own. */
#include "pasted.h"

TRACE_TEST(WORLD_SMALL)
{
	STEP(vm_space_new_stage2(32, &o->spaces[0]), MM_OK);
	STEP(vm_space_activate(&o->spaces[0]), MM_OK);
	STEP(frame_alloc(FRAME_ZEROED, &o->frames[0]), MM_OK);
	STEP(frame_clone(&o->frames[0], &o->frames[1]), MM_OK);
	STEP(frame_alloc(FRAME_ZEROED, &o->frames[2]), MM_OK);
	STEP(cursor_open(&o->spaces[0], span(0, 0x201000), CURSOR_MUTABLE, &o->cursors[0]), MM_OK);
	STEP(cursor_map(&o->cursors[0], &o->frames[0], page_property(0xb, 0)), MM_OK);
	STEP(cursor_jump(&o->cursors[0], inside(&o->cursors[0], 0x200000)), MM_OK);
	STEP(cursor_map(&o->cursors[0], &o->frames[1], page_property(0xb, 0)), MM_OK);
	STEP(DONE(cursor_close(&o->cursors[0])), MM_OK);
	STEP(cursor_open(&o->spaces[0], span(0, 0x1000), CURSOR_MUTABLE, &o->cursors[0]), MM_OK);
	STEP(cursor_open(&o->spaces[0], span(0x200000, 0x1000), CURSOR_MUTABLE, &o->cursors[1]),
	     MM_OK);
	STEP(cursor_protect_next(&o->cursors[0], 0x1000, becomes, property(o, 9, 0), &o->changed),
	     MM_OK);
	STEP(cursor_replace(&o->cursors[1], &o->frames[2], page_property(0xb, 0)), MM_OK);
	STEP(DONE(cursor_close(&o->cursors[1])), MM_OK);
	STEP(DONE(cursor_close(&o->cursors[0])), MM_OK);
	STEP(DONE(vm_space_deactivate()), MM_OK);
	STEP(vm_space_destroy(&o->spaces[0]), MM_OK);
}
