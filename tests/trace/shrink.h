/* SPDX-License-Identifier: BSD-3-Clause */
/* The fewest steps of a log that are wrong in the same way. */
#pragma once

#include "trace.h"

struct log {
	enum world_size size;
	size_t count;
	struct step *steps;
};

/* Performs @log in a fresh world, and says what was wrong. */
struct finding replay(const struct log *log, struct trace *trace);

/* Leaves out what need not be there; @finding, and what the same steps say in the end. */
void shrink(struct log *log, struct trace *trace, struct finding *finding);

/* The log as C, to be pasted into a file of tests/trace. */
void print_test(const struct log *log, struct trace *trace, const struct finding *finding,
		uint64_t seed);
