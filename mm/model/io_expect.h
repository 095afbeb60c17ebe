/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must come of a transfer, said before it begins: how far it comes, and with which status. The
 * first address that either side does not permit ends it, the source's first; where no byte depends on
 * the rest, the status alone does.
 */
#pragma once

#include "io_place.h"

struct io_expected {
	status_set statuses;
	uint64_t moved; /* bytes */
	bool is_known;	/* else nothing can be said, and nothing here counts */
	bool compares; /* what arrives is what was there: sides do not meet, and nobody else writes */
	bool has_value; /* READ_ONCE, ATOMIC_LOAD, COMPARE_EXCHANGE: what is there is known */
	uint64_t value;
};

/* Of an operation on the readers and writers that @op names, which the store knows. */
struct io_expected io_expect(struct store *store, const struct op *op);
