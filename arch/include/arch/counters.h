/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much maintenance was issued, through the interfaces of tlb.h and barrier.h and for a virtual
 * CPU that comes in: what the subsystem asks for. Not counted are a guest's own, those that bring EL2
 * up (boot/), and those that are part of another instruction sequence: of cache maintenance, and of
 * writes to system registers. Counted where it is issued, in every build, one set per CPU, so that
 * counting takes no lock and no atomic read-modify-write.
 */
#pragma once

#include <stdint.h>

struct arch_counters {
	uint64_t tlbi_address; /* single address, either stage */
	uint64_t tlbi_range;   /* range instructions */
	uint64_t tlbi_vmid;    /* whole VMID, Stage 1 or both stages */
	uint64_t tlbi_all;     /* every VMID, or all of EL2 */
	uint64_t dsb;
	uint64_t isb;
	uint64_t stage2_loads;
};

/* The sum over all CPUs; exact when no other CPU runs. */
struct arch_counters arch_counters_read(void);
