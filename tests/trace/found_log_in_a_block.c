/* SPDX-License-Identifier: BSD-3-Clause */
/* A log of pages that became part of a block since: seed 9 found that the model had no block at its ends, so that
 * its end could not want for a table. */
#include "pasted.h"

TRACE_TEST(WORLD_LARGE)
{
	STEP(vm_space_new_stage2(0x22, &o->spaces[2]), MM_OK);
	STEP(cursor_open(&o->spaces[2], span(0, 0x800000), CURSOR_MUTABLE, &o->cursors[0]), MM_OK);
	STEP(segment_alloc(0x200, 0x200000, FRAME_UNDEFINED, &o->segments[5]), MM_OK);
	STEP(cursor_map_segment(&o->cursors[0], &o->segments[5], page_property(0xb, 0)), MM_OK);
	STEP(DONE(cursor_close(&o->cursors[0])), MM_OK);
	STEP(cursor_open(&o->spaces[2], span(0, 0x400000), CURSOR_MUTABLE, &o->cursors[0]), MM_OK);
	STEP(dirty_log_start(&o->cursors[0], 0x6000, o->log_words, &o->logs[0]), MM_OK);
	STEP(cursor_write_protect(&o->cursors[0], 0x200000, &o->number), MM_OK);
	STEP(DONE(cursor_close(&o->cursors[0])), MM_OK);
	STEP(cursor_open(&o->spaces[2], span(0, 0x6000), CURSOR_MUTABLE, &o->cursors[1]), MM_OK);
	STEP(DONE(mm_fail_allocation(1)), MM_OK);
	STEP(dirty_log_stop(&o->logs[0], &o->cursors[1]), MM_NO_MEMORY);
}
