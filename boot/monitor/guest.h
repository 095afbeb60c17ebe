/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest: its virtual CPUs, one Stage-2 space, and what may be in that space.
 *
 * Invariant: the space maps nothing but pages of the guest's regions, with at most the region's
 * property; and every page that was taken from the guest is in its list of evicted pages until it
 * is given back. What a region allows is data; fault.c is the only code that acts on it.
 *
 * Its virtual CPUs may run on several CPUs at the same time, each on one at a time. They do so without
 * the guest's lock; who serves one of them has it, and so has who changes what the guest can reach: the
 * others run on meanwhile, in the same space. The lock protects everything in struct guest but the
 * virtual CPUs, which belong to the CPU that runs them, the space, which has locks of its own, and what
 * does not change while the guest runs (guest_lock.h). Who has a guest to itself need not take it.
 */
#pragma once

#include <aarch64/vcpu.h>
#include <strata/frame.h>
#include <strata/segment.h>
#include <strata/vm_space.h>
#include <stdatomic.h>
#include <stddef.h>
#include "dirty_log.h"
#include "evicted.h"
#include "guest_lock.h"
#include "quarantine.h"
#include "random.h"
#include "snapshot.h"
#include "working_set.h"

#define GUEST_VCPUS_MAX 8
#define GUEST_COLOURS 2		       /* of the cache: guests on one CPU have different ones */
#define BLOCK_SIZE (UINT64_C(2) << 20) /* what a level 2 descriptor translates */

/* Where the pages of a region come from when the guest first touches them. */
enum region_backing {
	BACKING_PROGRAM, /* private copies of bytes in the image, zeros behind them */
	BACKING_SHARED,	 /* the pages of a segment that somebody else holds, in order */
	BACKING_ZERO,	 /* private zeroed memory */
};

struct guest_region {
	const char *name;
	struct irange range; /* page aligned; regions are disjoint */
	struct page_property property;
	bool blocks; /* some of it may be filled 2 MiB at a time */
	enum region_backing backing;
	const uint8_t *program;	      /* BACKING_PROGRAM */
	size_t program_size;	      /* bytes, at most the region */
	const struct segment *shared; /* BACKING_SHARED; as long as the region */
};

/* What happens when the guest does what no region allows. */
enum guest_violation {
	VIOLATION_INJECT, /* an abort is taken to EL1 */
	VIOLATION_STOP,	  /* it does not run again */
};

#define GUEST_FAULT_KINDS (STAGE2_FAULT_OTHER + 1)
#define GUEST_ACCESS_KINDS (STAGE2_EXECUTE + 1)
#define GUEST_EXIT_CLASSES (VCPU_CLASS_OTHER + 1)

struct guest_statistics {
	uint64_t exits[GUEST_EXIT_CLASSES]; /* synchronous ones */
	uint64_t interrupts;		    /* and FIQs */
	uint64_t faults[GUEST_FAULT_KINDS][GUEST_ACCESS_KINDS];
	uint64_t pages_filled;	 /* one at a time */
	uint64_t blocks_filled;	 /* 2 MiB at a time */
	uint64_t pages_refilled; /* evicted before */
	uint64_t spurious;	 /* faults on what was valid by then */
	uint64_t injected;	 /* aborts and undefined instructions */
	uint64_t pages_migrated;
	uint64_t pages_coloured;     /* of those, to frames of the guest's colour */
	uint64_t written_after_move; /* old frames that changed afterwards: must be zero */
	uint64_t pages_evicted;
	uint64_t pages_dirty;	   /* on the lists of written pages */
	uint64_t pages_not_listed; /* changed, but on no list: must be zero */
	uint64_t dirty_rounds;
	uint64_t looks;		 /* at which pages are accessed */
	uint64_t pages_accessed; /* seen by them */
	uint64_t
		pages_unseen; /* used, says the guest, but not seen: must be zero if it is honest */
	uint64_t pages_cold;  /* evicted while not accessed since a look began */
	uint64_t snapshots;
	uint64_t pages_copied;	   /* for a snapshot, before the guest wrote to them */
	uint64_t pages_torn;	   /* copies that have what was written later: must be zero */
	uint64_t services_skipped; /* for want of a frame */
	/* While another of its virtual CPUs was running: */
	uint64_t migrated_meanwhile;
	uint64_t evicted_meanwhile;
	uint64_t cold_meanwhile; /* evicted while not accessed since a look began */
	uint64_t logs_meanwhile; /* that began; as the next two */
	uint64_t looks_meanwhile;
	uint64_t snapshots_meanwhile;
};

struct guest {
	const char *name;
	struct vcpu vcpus[GUEST_VCPUS_MAX];
	unsigned int vcpu_count;
	_Atomic unsigned int running; /* of them, at this moment */
	struct guest_lock lock;
	struct vm_space space;
	const char *stopped; /* why it must not run again; NULL while it may */
	enum guest_violation violation;
	uint32_t colour;	      /* of GUEST_COLOURS */
	uint32_t calls;		      /* bit n: HVC #n is the job's to serve */
	struct guest_region *regions; /* on the heap */
	size_t region_count;
	struct evicted_list evicted;
	struct quarantine quarantine;
	struct dirty_round dirty_round;
	struct working_set working_set;
	struct working_set_use uses[GUEST_VCPUS_MAX];
	struct snapshot *snapshot; /* on the heap; NULL: none runs */
	struct random random;
	uint64_t service_steps;
	struct guest_statistics statistics;
};

/* Makes @guest with one virtual CPU, an empty space and no region. As vm_space_new_stage2. */
MM_MUST_CHECK enum mm_status guest_create(struct guest *guest, const char *name,
					  unsigned int ia_bits, uint64_t seed);

/* Runs virtual CPU @index as vcpu_run does, without the lock. */
void guest_run(struct guest *guest, unsigned int index, struct vcpu_exit *exit);

/* Whether any of the virtual CPUs is running now: another one's, says who serves one. */
static inline bool guest_is_running(const struct guest *guest)
{
	/* Relaxed: it is counted, and nothing follows from it. */
	return atomic_load_explicit(&guest->running, memory_order_relaxed) != 0;
}

/* Adds a copy of @region, which overlaps no other. MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status guest_add_region(struct guest *guest,
					      const struct guest_region *region);

/* The region that holds @address, or NULL. */
const struct guest_region *guest_region_at(const struct guest *guest, struct iaddr address);

/*
 * Where the virtual address @address leads for @vcpu of @guest at EL1, by the guest's own tables, for a
 * read. Nothing need be mapped there. As vm_guest_translate.
 */
MM_MUST_CHECK enum mm_status guest_translate(struct guest *guest, const struct vcpu *vcpu,
					     uint64_t address, struct iaddr *out);

/* Puts @evicted, which is in the guest's list, back into the space with its property; the record
 * is gone then. On an error it stays evicted. As cursor_map. */
MM_MUST_CHECK enum mm_status guest_refill(struct guest *guest, struct evicted_page *evicted);

/* Gives everything back. The space is not active. Before that, in a checked build, the model looks at
 * all of every live table; what it finds is in its report. */
void guest_destroy(struct guest *guest);
