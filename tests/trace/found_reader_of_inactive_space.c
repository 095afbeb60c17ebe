/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader of a window space that is not active, and a writer to a page that this CPU holds: seed 3 found that the
 * model looked at the writer first, as if the MMU were asked of the reader. */
#include "pasted.h"

TRACE_TEST(WORLD_SMALL)
{
	STEP(vm_space_new_stage2(0x27, &o->spaces[2]), MM_OK);
	STEP(vm_space_new_window(&o->el2, &o->spaces[0]), MM_OK);
	STEP(vm_space_activate(&o->spaces[0]), MM_OK);
	STEP(writer(o, vm_io_space(&o->spaces[2], iaddr(0x3ff0), 0x687, &o->io), &o->writers[1]),
	     MM_OK);
	STEP(reader(o, vm_io_space(&o->spaces[0], iaddr(0xc00000400ff0), 0xb81, &o->io),
		    &o->readers[0]),
	     MM_OK);
	STEP(DONE(vm_space_deactivate_window()), MM_OK);
	STEP(cursor_open(&o->spaces[2], span(0x3000, 0x1000), CURSOR_READ_ONLY, &o->cursors[1]),
	     MM_OK);
	STEP(vm_reader_read_fallible(&o->readers[0], &o->writers[1], &o->number), MM_PAGE_FAULT);
}
