/* SPDX-License-Identifier: BSD-3-Clause */
#include "counts.h"

#include <stdio.h>

void counts_add(void *sum, const void *more, size_t size)
{
	uint64_t *to = sum;
	const uint64_t *from = more;

	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] += from[i];
}

void counts_print(const char *called, const uint64_t statuses[STATUSES_COUNT])
{
	printf("  %-28s", called);
	for (unsigned int status = 0; status < STATUSES_COUNT; status++)
		if (statuses[status] != 0)
			printf(" %s %llu", mm_status_name((enum mm_status)status) + 3,
			       (unsigned long long)statuses[status]);
	printf("\n");
}
