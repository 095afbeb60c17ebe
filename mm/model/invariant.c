/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariant.h"

static const struct {
	struct invariant invariant;
	bool (*holds)(struct store *store, struct witness *witness);
} all[] = {
#define INVARIANT(number, function, sentence) { { #number, sentence }, function },
#include "invariants.def"
};

unsigned int invariant_count(void)
{
	return sizeof(all) / sizeof(all[0]);
}

const struct invariant *store_invariant(struct store *store, struct witness *witness)
{
	for (unsigned int i = 0; i < invariant_count(); i++) {
		*witness = (struct witness){ .is = 0 };
		if (!all[i].holds(store, witness))
			return &all[i].invariant;
	}
	return NULL;
}
