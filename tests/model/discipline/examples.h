/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For each rule of the discipline one program that breaks it and one like it that does not. Small
 * programs against the contract of arch/include, on the simulated machine, whose guest is the second
 * witness: where it reads is in the trace.
 */
#pragma once

#include <discipline.h>

#define EXAMPLES_OF(name, sentence, section)                                                       \
	void bad_##name(void);                                                                     \
	void good_##name(void);
DISCIPLINE_RULES(EXAMPLES_OF)
#undef EXAMPLES_OF

/* The two invalidations are ordered, too. */
void bad_dsb_missing_between(void);
