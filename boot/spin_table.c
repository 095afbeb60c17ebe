/* SPDX-License-Identifier: BSD-3-Clause */
#include "spin_table.h"
#include <stdint.h>
#include <strata/mm.h>

/*
 * Who waits has its caches off: the word is cleaned to the Point of Coherency. It looks at the word when
 * it has got an event, and must not get this one before the word is there: hence the DSB.
 */
void spin_table_release(struct paddr release, struct paddr entry)
{
	volatile uint64_t *word = mm_linear(release);

	*word = entry.value;
	__asm__ volatile("dc cvac, %0\n\tdsb sy\n\tsev" : : "r"(word) : "memory");
}
