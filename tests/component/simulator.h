/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables written by hand, for tests of the simulated MMU itself: no code of the subsystem is asked. */
#pragma once

#include "harness.h"
#include <arch/barrier.h>
#include <arch/observe.h>
#include <arch/tlb.h>
#if STRATA_CHECKED
#include "discipline.h"
#endif

/* Pages that the subsystem leaves alone. */
#define TABLE(n) (WORLD_IMAGE_BASE + (uint64_t)(n)*PAGE_SIZE)
#define DATA(n) (WORLD_IMAGE_BASE + (256 + (uint64_t)(n)) * PAGE_SIZE)

/* Stage 2: Normal Write-Back, Inner Shareable, accessed, all permitted. */
#define S2_PAGE UINT64_C(0x7ff)
#define S2_BLOCK UINT64_C(0x7fd)
/* Stage 1 of EL2, and of EL1: attribute 0, Inner Shareable, accessed, writable. */
#define S1_PAGE UINT64_C(0x743)
#define S1_BLOCK UINT64_C(0x741)
#define EL1_PAGE UINT64_C(0x703)
#define NEXT_TABLE UINT64_C(3)

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* What is written by hand is not judged by the discipline: to break its rules is what these tests do. */
static inline void by_hand(void)
{
#if STRATA_CHECKED
	discipline_stop();
#endif
}

/* Stores a descriptor as the subsystem does, and lets walkers see it. */
static inline void put_late(uint64_t table, unsigned int index, uint64_t value)
{
	struct paddr at = paddr(table + 8 * index);

	by_hand();
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = at, .value = value,
		.previous = machine_read(at));
	machine_write(at, value);
}

static inline void put(uint64_t table, unsigned int index, uint64_t value)
{
	put_late(table, index, value);
	dsb_ishst();
}

/* 39 bits from level 1, one table at the root. */
static inline struct stage2_context context_at(uint64_t root, uint16_t vmid)
{
	return (struct stage2_context){ paddr(root), vmid, { 39, 1, 1, 44 }, false };
}

/* TABLE(0), TABLE(1) and TABLE(2), for IPAs from 0: page 0 is DATA(0). */
static inline void small_table(void)
{
	put(TABLE(0), 0, TABLE(1) | NEXT_TABLE);
	put(TABLE(1), 0, TABLE(2) | NEXT_TABLE);
	put(TABLE(2), 0, DATA(0) | S2_PAGE);
}

static inline void load_vmid(uint64_t root, uint16_t vmid)
{
	struct stage2_context context = context_at(root, vmid);

	by_hand();
	stage2_load(&context);
}

/* Where the guest's @va leads, 0 if it faults. */
static inline uint64_t guest_sees(uint64_t va)
{
	struct machine_translation used;
	struct machine_fault fault;

	return machine_guest_translate(iaddr(va), MACHINE_READ, &used, &fault) ? used.output.value
									       : 0;
}

static inline uint64_t el2_sees(uint64_t va)
{
	struct machine_translation used;
	struct machine_fault fault;

	return machine_el2_translate(iaddr(va), MACHINE_READ, &used, &fault) ? used.output.value
									     : 0;
}
