/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The observer: every step that the architecture's rules speak of, as it happens.
 *
 * TLBIs and barriers happen on this floor, so the interface lives here; whoever writes descriptors,
 * takes locks or frees tables reports through it too. The observer is called on the CPU that acts,
 * before the act when the act publishes something (a descriptor store, a table free) and after it
 * otherwise; it must not call back into the subsystem.
 *
 * Release builds (STRATA_CHECKED = 0) contain none of this.
 */
#pragma once

#include <arch/address.h>
#include <arch/tlb.h>

#ifndef STRATA_CHECKED
#define STRATA_CHECKED 1
#endif

enum observe_kind {
	OBSERVE_DESCRIPTOR_WRITE, /* address: of the descriptor; value: new; previous: old */
	OBSERVE_TLBI_EL2_ADDRESS, /* range, level, depth */
	OBSERVE_TLBI_EL2_RANGE,	  /* range, level, depth */
	OBSERVE_TLBI_EL2_ALL,
	OBSERVE_TLBI_IPA_ADDRESS,  /* range, level, depth; value: VMID */
	OBSERVE_TLBI_IPA_RANGE,	   /* range, level, depth; value: VMID */
	OBSERVE_TLBI_VMID_STAGE1,  /* value: VMID */
	OBSERVE_TLBI_VMID_STAGE12, /* value: VMID */
	OBSERVE_TLBI_ALL_VMIDS,
	OBSERVE_DSB_ISHST,
	OBSERVE_DSB_ISH,
	OBSERVE_ISB,
	OBSERVE_STAGE2_LOAD, /* address: root; value: VMID */
	OBSERVE_STAGE2_UNLOAD,
	OBSERVE_STAGE1_LOAD, /* address: root */
	OBSERVE_TABLE_ALLOC, /* address: the table page; level */
	OBSERVE_TABLE_FREE,  /* address: the table page; level */
	OBSERVE_LOCK,	     /* address: the table page whose lock was taken */
	OBSERVE_UNLOCK,	     /* address: the table page whose lock is about to be released */
};

struct observe_event {
	enum observe_kind kind;
	int8_t level;
	enum tlb_depth depth;
	struct paddr address;
	uint64_t value;
	uint64_t previous;
	struct irange range;
};

#if STRATA_CHECKED

typedef void (*observe_function)(const struct observe_event *event);

/* One observer per machine; NULL detaches. Set before other CPUs run. */
void observe_attach(observe_function observer);

void observe(const struct observe_event *event);

#define OBSERVE(...) observe(&(struct observe_event){ __VA_ARGS__ })

#else

#define OBSERVE(...) ((void)0)

#endif
