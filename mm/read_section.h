/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read sections: what lets tables be read on the way down without locks.
 *
 * Promise: a table that was reachable when a CPU entered its read section is not freed before that
 * CPU leaves it. Whoever frees tables detaches them first, then waits (read_section_wait).
 *
 * A section is short and never waits for a lock: a CPU that waits for sections to end may hold any.
 */
#pragma once

void read_section_enter(void);
void read_section_leave(void);

/* Returns when every other CPU that was in a read section has left it. */
void read_section_wait(void);
