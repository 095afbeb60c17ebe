/* SPDX-License-Identifier: BSD-3-Clause */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>

static struct journal own;

struct journal *journal = &own;

static int compare(const void *a, const void *b)
{
	const struct place *first = a, *second = b;

	if (first->order != second->order)
		return first->order < second->order ? -1 : 1;
	if (first->tie != second->tie)
		return first->tie < second->tie ? -1 : 1;
	return first->cpu < second->cpu ? -1 : 1;
}

size_t journal_order(const struct journal *log, struct place *order)
{
	size_t count = 0;

	for (unsigned int cpu = 0; cpu < log->cpus; cpu++)
		for (uint32_t index = 0; index < WORLD_STEPS; index++)
			if (log->places[cpu][index].begun && !log->left_out[cpu][index])
				order[count++] = log->places[cpu][index];
	qsort(order, count, sizeof(order[0]), compare);
	return count;
}

#define DIGITS_OF_A_LINE 100

void journal_print(const struct journal *log)
{
	static struct place order[ORDER_MAX];
	const size_t count = journal_order(log, order);

	printf("order: seed %llu, world %llu, %u CPUs", (unsigned long long)log->seed,
	       (unsigned long long)log->world, log->cpus);
	for (size_t i = 0; i < count; i++)
		printf("%s%u", i % DIGITS_OF_A_LINE == 0 ? "\n" : "", order[i].cpu);
	printf("\nend of the order\n");
}
