/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/memory.h>
#include "machine_internal.h"
#include <stdlib.h>
#include <string.h>

uint64_t machine_linear_offset(void)
{
	return (uint64_t)(uintptr_t)machine.host_base - machine.config.memory[0].start.value;
}

bool machine_is_memory(struct paddr paddr)
{
	for (size_t i = 0; i < machine.config.memory_count; i++)
		if (prange_has(machine.config.memory[i], paddr))
			return true;
	return false;
}

static uint64_t *word_at(struct paddr paddr)
{
	if (!machine_is_memory(paddr) || (paddr.value & 7) != 0)
		abort();
	return (uint64_t *)(machine.host_base +
			    (paddr.value - machine.config.memory[0].start.value));
}

/* A walker reads descriptors that another thread may be storing: single copies, like the MMU's. */
uint64_t machine_read(struct paddr paddr)
{
	return __atomic_load_n(word_at(paddr), __ATOMIC_ACQUIRE);
}

void machine_write(struct paddr paddr, uint64_t value)
{
	__atomic_store_n(word_at(paddr), value, __ATOMIC_RELEASE);
}

bool machine_replace(struct paddr paddr, uint64_t *expected, uint64_t value)
{
	return __atomic_compare_exchange_n(word_at(paddr), expected, value, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

void page_zero(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

void page_copy(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

/* Instruction fetches of the simulated CPUs read memory itself. */
void instruction_cache_sync(const void *start, size_t size)
{
	(void)start;
	(void)size;
}
