/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariant.h"

static const struct {
	struct invariant invariant;
	bool (*holds)(struct store *store, struct witness *witness);
} all[] = {
#define INVARIANT(number, function, sentence) { { #number, #function, sentence }, function },
#include "invariants.def"
};

unsigned int invariant_count(void)
{
	return sizeof(all) / sizeof(all[0]);
}

const struct invariant *invariant_at(unsigned int index)
{
	return &all[index].invariant;
}

bool invariant_holds(unsigned int index, struct store *store, struct witness *witness)
{
	*witness = (struct witness){ .is = 0 };
	return all[index].holds(store, witness);
}
