/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Observers: who sees every step that the architecture's rules speak of, as it happens.
 *
 * TLBIs and barriers happen on this floor, so the interface lives here; whoever writes descriptors,
 * takes locks, gives pages back or frees tables reports through it too. Observers are called on the
 * CPU that acts, before the act when the act publishes or gives away something (a descriptor store,
 * the release of a lock, of pages or of a table) and after it otherwise: what is seen as done is
 * done. They must not call back into the subsystem.
 *
 * Not observed: the maintenance of bring-up (boot/), of caches, and of guests.
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
	OBSERVE_DESCRIPTOR_WRITE, /* address: of the descriptor; value: new; previous: old; order */
	OBSERVE_TLBI_EL2_ADDRESS, /* range, level, depth, scope */
	OBSERVE_TLBI_EL2_RANGE,	  /* range, level, depth, scope */
	OBSERVE_TLBI_EL2_ALL,	  /* scope; and so for all others */
	OBSERVE_TLBI_IPA_ADDRESS, /* range, level, depth; value: VMID */
	OBSERVE_TLBI_IPA_RANGE,	  /* range, level, depth; value: VMID */
	OBSERVE_TLBI_VMID_STAGE1, /* value: VMID */
	OBSERVE_TLBI_VMID_STAGE12, /* value: VMID */
	OBSERVE_TLBI_ALL_VMIDS,
	OBSERVE_DSB_NSH,
	OBSERVE_DSB_ISHST,
	OBSERVE_DSB_ISH,
	OBSERVE_ISB,
	OBSERVE_STAGE2_LOAD, /* VTTBR_EL2 was written; address: root; value: VMID */
	OBSERVE_STAGE2_UNLOAD,
	OBSERVE_STAGE1_LOAD, /* TTBR0_EL2 was written; address: root */
	OBSERVE_TABLE_ALLOC, /* address: the table page, zeroed; level; root: its first page, if it is
			      * a page of a root */
	OBSERVE_TABLE_LEVEL, /* address: of a table page that is no root; level: it will be linked at */
	OBSERVE_TABLE_FREE,    /* address: the table page; level */
	OBSERVE_PAGES_RELEASE, /* address: of the first; value: bytes; root: of the table whose
				* references to them these are, and range: where they were mapped;
				* other tables and ranges have their own */
	OBSERVE_LOCK,	       /* address: the table page whose lock was taken */
	OBSERVE_UNLOCK,	       /* address: the table page whose lock is about to be released */
};

/* How far a TLBI reaches. */
enum observe_scope {
	OBSERVE_INNER_SHAREABLE, /* the IS forms: every CPU */
	OBSERVE_THIS_CPU,
};

/* How a store is ordered after those before it. */
enum observe_order {
	OBSERVE_RELEASE,
	OBSERVE_RELAXED,
};

struct observe_event {
	const char *source; /* "file:line" of who told */
	enum observe_kind kind;
	int8_t level;
	enum tlb_depth depth;
	enum observe_scope scope;
	enum observe_order order;
	unsigned int cpu; /* that acts */
	struct paddr address;
	struct paddr root;
	uint64_t value;
	uint64_t previous;
	struct irange range;
};

#if STRATA_CHECKED

typedef void (*observe_function)(const struct observe_event *event);

/* The caller's, for as long as it is attached. */
struct observer {
	observe_function see;
	struct observer *next; /* of this interface */
};

/* Observers see each event in the order in which they were attached; attaching twice is once.
 * While one CPU runs. */
void observe_attach(struct observer *observer);
void observe_detach(struct observer *observer);

/* Tells the observers; the CPU is filled in here. */
void observe(struct observe_event *event);

#define OBSERVE_TEXT(line) #line
#define OBSERVE_SOURCE(line) __FILE__ ":" OBSERVE_TEXT(line)
#define OBSERVE(...)                                                                               \
	observe(&(struct observe_event){ .source = OBSERVE_SOURCE(__LINE__), __VA_ARGS__ })

#else

#define OBSERVE(...) ((void)0)

#endif
