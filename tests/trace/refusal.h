/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * That a refused call leaves everything as it was: the objects that it was given, the tables of their
 * spaces, descriptor by descriptor, and the pages that it could have changed: those of its handles (with
 * their bytes), those that it names by address and those that these tables map, each with its usage,
 * references and owner; every so often also all other pages and tables; and the number of pages of each
 * usage.
 *
 * Not counted as a change: what a cursor's flush before the refusal gave back, an empty table that a cursor
 * had left and that is gone, slots that were made for pages which are looked at for the first time, and how
 * far a transfer came that says how far it came.
 */
#pragma once

#include "trace.h"

/* Remembers what the step may not change. */
void refusal_prepare(struct trace *trace, const struct step *step);

/* After that step: NULL, or what changed. */
const char *refusal_judge(struct trace *trace, const struct step *step);
