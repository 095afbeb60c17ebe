/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A world so small that every state of it can be visited: 3 frames, 2 guests' spaces, 2 cursors.
 *
 * Promise: from the empty world every step of a small alphabet is made from every state that fewer than
 * @depth steps lead to, and each is judged as in a trace. Two states are one if spaces, cursors,
 * handles, mappings and the counts of pages are the same, whichever pages those are.
 */
#pragma once

/* Says the number of states and steps of each depth on standard output; the exit code. */
int exhaust(unsigned int depth);
