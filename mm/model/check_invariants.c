/* SPDX-License-Identifier: BSD-3-Clause */
/* The invariants of the store: all of them in a full check, and what a difference comes to. */
#include "checker.h"
#include "invariant.h"

#include <inttypes.h>
#include <stdio.h>

struct broken_text {
	char text[200];
};

/* "invariant A3 (references_are_held): rc = H + P + C + T, ...; 1 and 2" */
static struct broken_text broken_text(unsigned int index, const struct witness *witness)
{
	const struct invariant *broken = invariant_at(index);
	struct broken_text out;
	int length = snprintf(out.text, sizeof(out.text), "invariant %s (%s): %s", broken->number,
			      broken->function, broken->sentence);

	if (witness->is != witness->should_be && (size_t)length < sizeof(out.text))
		snprintf(out.text + length, sizeof(out.text) - (size_t)length,
			 "; %" PRIu64 " and %" PRIu64, witness->is, witness->should_be);
	return out;
}

void check_invariants(struct checker *checker)
{
	struct witness witness;

	for (unsigned int i = 0; i < invariant_count(); i++) {
		if (!invariant_holds(i, &checker->store, &witness))
			difference((struct subject){ "full check", 0 }, witness.at, "%s",
				   broken_text(i, &witness).text);
	}
}

/* Those that are a part of another operation: its counts are moved, what it maps is not. */
static bool is_part(enum mm_operation_kind kind)
{
	return kind == OPERATION_FLUSH_ISSUE || kind == OPERATION_FLUSH_DISPATCH ||
	       kind == OPERATION_FLUSH_SYNC;
}

void check_consequences(struct checker *checker, enum mm_operation_kind kind)
{
	struct witness witness;

	if (differences_count() == checker->explained || is_part(kind) ||
	    !store_alone(&checker->store) || checker->store.out_of_storage)
		return;
	checker->explained = differences_count();
	for (unsigned int i = 0; i < invariant_count(); i++) {
		if (checker->broken >> i & 1 || invariant_holds(i, &checker->store, &witness))
			continue;
		checker->broken |= UINT64_C(1) << i;
		difference_explain("broken at 0x%" PRIx64 ": %s", witness.at.value,
				   broken_text(i, &witness).text);
	}
}
