/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "machine_internal.h"
#include "host_memory.h"
#include <arch/cpu.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct machine machine;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
_Thread_local unsigned int machine_current_cpu;

void machine_lock(void)
{
	pthread_mutex_lock(&lock);
}

void machine_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void *host_allocate(size_t size)
{
	void *pointer = calloc(1, size);

	if (pointer == NULL) {
		fputs("simulated machine: the host has no memory left\n", stderr);
		abort();
	}
	return pointer;
}

void *host_reallocate(void *pointer, size_t size)
{
	void *larger = realloc(pointer, size);

	if (larger == NULL) {
		fputs("simulated machine: the host has no memory left\n", stderr);
		abort();
	}
	return larger;
}

struct arch_features machine_features_v8_0(void)
{
	return (struct arch_features){
		.midr = UINT64_C(0x410fd034), /* Cortex-A53 */
		.pa_bits = 40,
		.vmid_bits = 8,
		.granule_4k = true,
		.granule_64k = true,
	};
}

struct arch_features machine_features_v8_4(void)
{
	return (struct arch_features){
		.midr = UINT64_C(0x000f0510),
		.pa_bits = 44,
		.vmid_bits = 16,
		.granule_4k = true,
		.granule_16k = true,
		.granule_64k = true,
		.vhe = true,
		.execute_never_el = true,
		.bbm_level = 0,
		.ttl = true,
		.tlb_range = true,
	};
}

const struct arch_features *arch_features(void)
{
	return &machine.config.features;
}

void machine_set_cpu(unsigned int index)
{
	if (index >= STRATA_MAX_CPUS)
		abort();
	machine_current_cpu = index;
}

struct cpu *this_cpu(void)
{
	return &machine.cpus[machine_current_cpu];
}

void *cpu_local_of(unsigned int index)
{
	static _Alignas(CPU_LOCAL_ALIGNMENT) char local[STRATA_MAX_CPUS][CPU_LOCAL_SIZE];

	return local[index];
}

void cpu_relax(void)
{
	sched_yield();
}

uint16_t visible_vmid(const struct cpu *cpu)
{
	unsigned int bits = machine.config.features.vmid_bits;

	return (uint16_t)(cpu->stage2.vmid & ((UINT32_C(1) << bits) - 1));
}

/* Holes between the ranges stay without access: what strays there is caught by the host's MMU. */
static uint8_t *map_memory(const struct machine_config *config, size_t size)
{
	uint64_t base = config->memory[0].start.value;
	uint8_t *host =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (host == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < config->memory_count; i++) {
		const struct prange *range = &config->memory[i];

		if (mprotect(host + (range->start.value - base), prange_size(*range),
			     PROT_READ | PROT_WRITE) != 0) {
			munmap(host, size);
			return NULL;
		}
	}
	return host;
}

bool machine_create(const struct machine_config *config)
{
	if (machine.exists || config->memory_count == 0 ||
	    config->memory_count > MACHINE_RANGES_MAX)
		return false;

	uint64_t size =
		config->memory[config->memory_count - 1].end.value - config->memory[0].start.value;
	uint8_t *host = map_memory(config, size);

	if (host == NULL)
		return false;
	machine = (struct machine){
		.exists = true,
		.config = *config,
		.host_base = host,
		.host_size = size,
		.clock = 1,
	};
	machine_current_cpu = 0;
	rules_start();
	return true;
}

void machine_destroy(void)
{
	if (!machine.exists)
		return;
	rules_stop();
	munmap(machine.host_base, machine.host_size);
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		tlb_store_release(&machine.cpus[i].tlb);
		store_buffer_release(&machine.cpus[i].stores);
		free(machine.cpus[i].pending);
	}
	machine = (struct machine){ 0 };
}

void violation(enum machine_violation kind)
{
	machine.violations[kind]++;
}

uint64_t machine_violations(enum machine_violation kind)
{
	return machine.violations[kind];
}

uint64_t machine_violations_total(void)
{
	uint64_t total = 0;

	for (size_t i = 0; i < VIOLATION_COUNT; i++)
		total += machine.violations[i];
	return total;
}

void machine_violations_clear(void)
{
	memset(machine.violations, 0, sizeof(machine.violations));
}

const char *machine_violation_name(enum machine_violation kind)
{
	static const char *const names[VIOLATION_COUNT] = {
		[VIOLATION_STORE_NOT_ORDERED] =
			"TLBI after a descriptor store without a DSB between",
		[VIOLATION_BREAK_BEFORE_MAKE] = "break-before-make not followed",
		[VIOLATION_TLB_CONFLICT] = "two cached translations of one address conflict",
		[VIOLATION_NO_VMID] = "Stage-2 TLBI without a Stage-2 context",
		[VIOLATION_NOT_IMPLEMENTED] = "instruction this CPU does not have",
		[VIOLATION_RESERVED_BITS] = "reserved bits set in a descriptor in use",
		[VIOLATION_GEOMETRY] = "table sizes this CPU cannot walk",
		[VIOLATION_ROOT_CHANGE] = "a table of EL2 that contradicts what is cached",
	};

	return kind < VIOLATION_COUNT ? names[kind] : "unknown violation";
}
