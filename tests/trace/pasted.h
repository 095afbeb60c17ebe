/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For traces that were printed as tests: each is a file, and a program.
 *
 *	TRACE_TEST(WORLD_SMALL)
 *	{
 *		STEP(frame_alloc(FRAME_ZEROED, &o->frames[0]), MM_OK);
 *	}
 *
 * Exit code 0: every step had its status, and no judge found anything. What was found is on standard
 * output.
 */
#pragma once

#include "trace.h"

void pasted_step(enum mm_status is, enum mm_status should_be, const char *call);

/* With --canary=NAME: with this defect. */
int pasted_main(int argc, char **argv, enum world_size size, void (*steps)(struct objects *o));

#define STEP(call, status) pasted_step((call), (status), #call)

#define TRACE_TEST(size)                                                                           \
	static void steps(struct objects *o);                                                      \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return pasted_main(argc, argv, size, steps);                                       \
	}                                                                                          \
	static void steps(struct objects *o)
