/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <stddef.h>
#include <string.h>

#if STRATA_CANARIES

enum canary canary_on = CANARY_none;

#define CANARY_TEXT(name, text) #name,
static const char *const names[] = { "none", CANARIES(CANARY_TEXT) };
#undef CANARY_TEXT

bool canary_choose(const char *name)
{
	canary_on = CANARY_none;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0) {
			canary_on = (enum canary)i;
			return true;
		}
	return false;
}

#endif
