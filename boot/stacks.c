/* SPDX-License-Identifier: BSD-3-Clause */
/* Part of this runs with the MMU off (boot_table.c). */
#include "stacks.h"
#include "image.h"
#include <aarch64/percpu.h>

_Static_assert(STACK_GUARD_SIZE == PAGE_SIZE && PERCPU_GUARD_SIZE == PAGE_SIZE, "guards are pages");
_Static_assert(PERCPU_STATE_SIZE % PAGE_SIZE == 0 && STACK_SIZE % PAGE_SIZE == 0,
	       "and lie on pages");

static struct prange range_of(const unsigned char *start, uint64_t size)
{
	uint64_t address = (uintptr_t)start;

	return prange(paddr(address), paddr(address + size));
}

struct prange stack_guard(unsigned int index)
{
	if (stack_guard_is_emergency(index))
		return range_of(percpu_data[index].bytes + PERCPU_STATE_SIZE, PERCPU_GUARD_SIZE);
	return range_of(cpu_stacks[index - STRATA_MAX_CPUS].guard, STACK_GUARD_SIZE);
}

struct prange stack_guard_gap(unsigned int index)
{
	struct prange gap = image_range(relro_end, image_end);

	if (index > 0)
		gap.start = stack_guard(index - 1).end;
	if (index < STACK_GUARDS)
		gap.end = stack_guard(index).start;
	return gap;
}

struct prange stack_at(uint64_t address)
{
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const struct prange stacks[] = {
			range_of(percpu_data[cpu].bytes + PERCPU_STACK_START,
				 PERCPU_STRIDE - PERCPU_STACK_START),
			range_of(cpu_stacks[cpu].bytes, STACK_SIZE),
		};

		for (unsigned int i = 0; i < 2; i++) {
			if (address >= stacks[i].start.value && address < stacks[i].end.value)
				return stacks[i];
		}
	}
	return prange(paddr(0), paddr(0));
}
