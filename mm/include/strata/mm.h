/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting the subsystem.
 *
 * Invariant: after mm_init every page of every memory range is either free, and then only the
 * frame allocator knows it, or has a usage that says who has it.
 *
 * What is global here is a fact of the machine: there is one set of page frames, of owners of pages and
 * of VMIDs, and on each CPU one vector table. Several users share it. So are what tests and a model
 * attach in checked builds (observers, a failing allocation). Everything else is an object that its user
 * owns.
 *
 * A call, and a cursor from open to close, stays on one CPU (cpu_index() does not change), and nothing
 * that interrupts it there calls the subsystem: a CPU waits for no lock that it holds itself. EL2 code
 * that masks interrupts, as the image does, has both for nothing.
 *
 * What AArch64 asks of a host besides: .bss zeroed before anything, and on each CPU, before its first
 * call here,
 *
 *	Stage 1		on, with caches, and HCR_EL2.E2H = 0. Neither the linear map nor the host's own
 *			code and data need be at VA = PA, nor the one at the offset of the other.
 *	TPIDR_EL2	this CPU's element of percpu_data (aarch64/percpu.h): it gives cpu_index().
 *	VBAR_EL2	el2_vectors (aarch64/exception.h), if guests run or windows (vm_io.h) are read:
 *			an exit, and an abort that becomes a status, arrive there.
 *	vcpu_host_init	before vcpu_run (aarch64/vcpu.h).
 *
 * A linker script that names its sections keeps exception_fixups one of its own, of which the linker
 * then gives the bounds (__start_ and __stop_exception_fixups); the library asks for no other symbol,
 * and its memcpy, memmove, memset and memcmp are weak, for hosts without.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>
#include <stddef.h>
#include <stdint.h>

struct share_violation;

/* Who has a page. */
#define PAGE_USAGE_LIST(X)                                                                         \
	X(PAGE_UNUSED, "unused")	 /* free: the frame allocator's */                         \
	X(PAGE_RESERVED, "reserved")	 /* not ours to use: firmware, a loader */                 \
	X(PAGE_FRAME, "frame")		 /* counted data, given out as frames */                   \
	X(PAGE_TABLE, "page table")	 /* a node of some space, or a deferred one */             \
	X(PAGE_META, "metadata")	 /* the slots themselves */                                \
	X(PAGE_HYPERVISOR, "hypervisor") /* its image, stacks, private pools */                    \
	X(PAGE_MMIO, "mmio")		 /* device memory inside a RAM range */

enum page_usage {
#define PAGE_USAGE_ENUMERATOR(name, text) name,
	PAGE_USAGE_LIST(PAGE_USAGE_ENUMERATOR)
#undef PAGE_USAGE_ENUMERATOR
		PAGE_USAGE_COUNT
};

/* "unused", "page table" and so on. */
const char *page_usage_name(enum page_usage usage);

/* Memory that is taken before the subsystem starts. */
struct mm_reservation {
	struct prange range;   /* page aligned, non-empty; may overlap others */
	enum page_usage usage; /* PAGE_RESERVED, PAGE_HYPERVISOR or PAGE_MMIO */
};

/* What its callers must see to, and the host may assert. */
enum mm_held {
	/* The call stays on this CPU, and nothing that interrupts it here calls the subsystem: asked
	 * where a lock is taken, or what a CPU has for itself is touched. There is no object. */
	MM_HELD_CPU,
	/* A frame list is one CPU's at a time; the object is the list (strata/frame_list.h). */
	MM_HELD_LIST,
	/* Memory is added and removed by one CPU at a time; asked at the entry of either, without an
	 * object, and once more by mm_memory_remove as MM_HELD_MACHINE: nothing is in flight anywhere
	 * (strata/memory.h). */
	MM_HELD_MEMORY,
	MM_HELD_MACHINE,
};

struct mm_config {
	/* RAM: page aligned, non-empty, ascending, disjoint. Read during the call only. */
	const struct prange *memory;
	size_t memory_count;
	/* Where two overlap, the later one gives the usage. Parts outside memory are ignored. */
	const struct mm_reservation *reservations;
	size_t reservation_count;
	/*
	 * The linear map: the byte at physical address p of any memory range is at the hypervisor's
	 * own address p + linear_offset, mapped Normal write-back, from now on.
	 */
	uint64_t linear_offset;
	/*
	 * Called when an invariant of the subsystem is broken; never for bad input. @invariant is the
	 * sentence that does not hold, @value what contradicts it. It does not return.
	 */
	void (*panic)(const char *invariant, uint64_t value) __attribute__((noreturn));
	/*
	 * Called in checked builds for a handle that is not what it should be (strata/share.h), on the
	 * CPU of the guilty call, which does nothing else and returns after it. It may run with locks of
	 * the subsystem held: it must not call the subsystem. NULL: that is a panic.
	 */
	void (*violation)(const struct share_violation *violation);
	/*
	 * Called for what an operator may want to know, seldom: memory that was taken over, added or
	 * removed, and VMIDs that came round. @event is a sentence without an end of line, @value the
	 * number it speaks of. Under the same rules as @violation. NULL: nothing is said.
	 */
	void (*log)(const char *event, uint64_t value);
	/*
	 * Called in checked builds where the subsystem relies on its caller: the host, which knows its
	 * own locks and interrupt masks, looks whether @what is so, and does as it likes if not. It is
	 * called often, before anything is changed, under the same rules as @violation. NULL: nothing is
	 * asked. Release builds never ask.
	 */
	void (*assert_held)(enum mm_held what, const void *object);
	/*
	 * VMIDs from this one on are the host's own: the subsystem gives its spaces those from 1 to
	 * below it, as far as the CPU has them. 0: all are the subsystem's.
	 */
	uint32_t vmid_limit;
};

/*
 * Takes over the memory that @config describes. Cost does not depend on the amount of memory that
 * is not reserved: metadata of a page is made when the page is first needed.
 *
 * The metadata (16 bytes a page; in checked builds 60) is placed in memory that no reservation
 * covers.
 *
 * MM_INVALID_ARGS: no memory, an empty range, ranges not ascending and disjoint, a usage that is
 *	not one of the three, no panic hook; fewer VMIDs than two for each CPU and one more.
 * MM_NOT_ALIGNED: a range or the offset is not page aligned.
 * MM_OUT_OF_BOUND: memory above 2^48.
 * MM_NOT_SUPPORTED: 16 TiB of memory or more: pages are numbered by 32 bits.
 * MM_NO_MEMORY: no place for the metadata.
 *
 * Call it once, on one CPU, before any other function of the subsystem. (Tests call it again to
 * begin a new machine; every object of the old one is then void.)
 */
MM_MUST_CHECK enum mm_status mm_init(const struct mm_config *config);

/* The hypervisor's own address of physical memory in a memory range. */
void *mm_linear(struct paddr paddr);
/* Its inverse, for pointers into the linear map. */
struct paddr mm_physical(const void *pointer);

/* How many pages have each usage now. Exact when no operation is in flight. */
struct mm_usage {
	uint64_t pages[PAGE_USAGE_COUNT];
};

struct mm_usage mm_usage(void);
