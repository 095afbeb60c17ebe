/* SPDX-License-Identifier: BSD-3-Clause */
#include "spin_table.h"
#include "data_cache.h"
#include <stdint.h>
#include <strata/mm.h>

/*
 * Who waits has its caches off: the word is cleaned to the Point of Coherency. It looks at the word when
 * it has got an event, and must not get this one before the word is there: that ends with a DSB.
 */
void spin_table_release(struct paddr release, struct paddr entry)
{
	uint64_t *word = mm_linear(release);

	*word = entry.value;
	data_cache_clean(word, word + 1);
	__asm__ volatile("sev" : : : "memory");
}
