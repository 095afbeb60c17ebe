/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in pages that were asked for as zeroes: no secret travels. */
#include "check_object.h"

#include <strata/mm.h>
#include <inttypes.h>

static bool is_zero(struct paddr page, struct subject subject)
{
	const uint64_t *words = mm_linear(page);
	uint64_t any = 0;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		any |= words[i];
	if (any == 0)
		return true;
	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
		if (words[i] == 0)
			continue;
		difference(subject, iaddr(page.value + i * sizeof(*words)),
			   "0x%" PRIx64 " is left, where zeroes were asked for", words[i]);
		break;
	}
	return false;
}

void check_zeroed(struct prange pages, struct subject subject)
{
	struct paddr page = pages.start;
	struct page_state state;

	for (; page.value < pages.end.value; page = next_sampled(pages, page)) {
		if (page_state(page, &state) != MM_OK || !is_zero(page, subject))
			return;
	}
}
