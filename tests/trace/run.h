/* SPDX-License-Identifier: BSD-3-Clause */
/* A run: worlds one after another, until so many operations were made or one was wrong. */
#pragma once

#include "generate.h"

struct run_options {
	uint64_t seed;
	uint64_t operations;
	unsigned int illegal; /* in a hundred */
	bool stages[2];
	uint64_t print_from;  /* each call from this step on is said before it is made; 0: none */
	uint64_t states_each; /* both states are said after every so many steps; 0: never */
	bool events;	      /* what the discipline sees is said, in casemate's format */
	bool cover;	      /* what is not reached is a failure */
};

/* Says all on standard output: the same for the same options. Returns the exit code. */
int run(const struct run_options *options);
