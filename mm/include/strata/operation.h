/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations, reported as they take effect: what a model needs to step beside the subsystem.
 *
 * Each public operation reports itself once, on success and on failure, on the CPU that performed
 * it. One that is made of others, as areas and services are, is reported after them, and only what it
 * adds counts. An operation that a share's certificate forbids (share.h) does nothing and reports
 * nothing. The observer may read tables and counts; it must not call a function that changes either.
 *
 * When. What a lock makes atomic is reported while the lock is held: cursors under their nodes'
 * locks, a space's destruction when everything is unmapped and before the root is free, a list while
 * its user has it. Counts are changed without locks, so there is a moment between the change and its
 * report, in which other CPUs report too. Therefore
 *
 *	what takes a reference reports after it has it;
 *	what gives one up reports before it does.
 *
 * An observer that counts is then never above the truth: whatever it counts is there. And it sees the
 * lives of a page in order: who gives the last reference up has said so before the page is free, so
 * before anybody can take the page and say that. Where no other CPU is in that moment
 * (mm_cpus_in_flight), what it counts is exactly the truth.
 *
 * Owners change while pages are held, so there the order is that of whom the change excludes:
 *
 *	narrower access		reported while nobody can get a reference to the pages, after the change;
 *				OWNERSHIP_SETTLED says when they can be had again
 *	wider access, claims	reported after the change, and so after others may have used it
 *	the end of a space	SPACE_DESTROY, after which it claims no page; then its pages are the
 *				hypervisor's; then OWNER_END
 *
 * After SPACE_ACTIVATE with MM_OK, @space is the one of its kind, Stage-2 or window, that is active on
 * that CPU; after SPACE_DEACTIVATE it is not, and none is. (To deactivate where none is active reports
 * nothing.) A SPACE_DESTROY that finds a space active comes before the report that it is not any more,
 * and one that does not comes after it. SPACE_USE_HARDWARE_FLAGS comes in the same order: with MM_OK before
 * the first SPACE_ACTIVATE.
 *
 * What takes more than a moment, transfers of bytes and services, says also when it begins (@begins), on
 * the CPU that performs it: what there was before is not to be found in what there is afterwards. What a
 * service is made of is reported in between; it holds the cursor, and nobody else changes its range.
 *
 * Release builds (STRATA_CHECKED = 0) contain none of this.
 */
#pragma once

#include <arch/observe.h>
#include <strata/cursor.h>
#include <strata/ownership.h>
#include <strata/share.h>
#include <strata/vm_io.h>

struct dirty_log;
struct frame_list;
struct frame_request;

enum mm_operation_kind {
#define OP(name, category, function, arguments, upstream, section, meaning) OPERATION_##name,
#include <strata/ops.def>
	OPERATION_COUNT
};

/* What every mapping with one property was given in the place of it. */
struct property_change {
	struct page_property was;
	struct page_property becomes;
};

#if STRATA_CHECKED

/* What a handle was when it was reported. No pages: there was none. */
struct mm_handle {
	struct share_certificate certificate; /* who it is: the same for no two shares */
	struct prange pages;
	enum share_kind kind;
};

/* A range of memory to be read or written: whose, as it was, and as it is now. */
struct mm_io {
	const struct vm_io_range *range; /* NULL: none */
	struct vm_io_range before;
};

/* Fields that an operation does not have are zero. */
struct mm_operation {
	enum mm_operation_kind kind;
	bool begins; /* it is about to be done: there are its arguments, and no results */
	enum mm_status status;

	/* Spaces and cursors. */
	struct vm_space *space;
	enum translation_stage stage; /* SPACE_NEW: of the space that was asked for, */
	unsigned int ia_bits;	      /* and its input address bits, */
	enum vm_space_part part;      /* and which of those addresses are its own */
	const struct cursor *cursor;  /* NULL for operations on spaces; already moved if it moved */
	struct iaddr position;	      /* of the cursor before the operation */
	struct irange range;   /* arguments: the range opened, mapped, unmapped, protected, searched
					(PROTECT_NEXT too), as asked, even if too long; JUMP: starts at
					the target */
	struct irange changed; /* PROTECT_NEXT: what was changed */
	struct paddr output;   /* MAP, REPLACE: physical address of the first page */
	struct page_property property; /* MAP, REPLACE: asked for; PROTECT_NEXT: the new one */
	bool counted;		       /* MAP: frames or a segment, not iomem */
	uint64_t leaves;	       /* leaf descriptors that UNMAP removed, PROTECT changed */
	/* PROTECT: what the caller said, once for each property that it was asked about; after an error
	 * perhaps not about all in the range. DIRTY_LOG_ADOPT: what was given, and what was said. */
	const struct property_change *changes;
	size_t change_count;
	struct cursor_item item; /* QUERY: the answer */

	/* Handles: what was given, whether it is ended or not; and what was made of it. */
	struct mm_handle used;
	struct mm_handle made[2];

	/* Arguments and results of the others. */
	struct prange pages;  /* physical, as asked; FLUSH_*: what is parked or released */
	uint64_t length;      /* offset, length, limit, size: bytes */
	uint64_t result;      /* bytes moved; pages taken; a loaded value */
	bool answer;	      /* of functions that return one; FLUSH_ISSUE: nothing of the gather
				   is left to invalidate, so the table above it was before */
	const void *metadata; /* UNIQUE_*: given, or told; IO: the caller's buffer */
	uint64_t value;	      /* of an element; what is expected there */
	uint64_t desired;     /* WRITER_COMPARE_EXCHANGE */
	const struct frame_request *request; /* SEGMENT_ALLOC, SEGMENT_REQUEST */
	const struct tlb_gather *gather;
	const struct frame_list *list;
	const struct dirty_log *log; /* DIRTY_LOG_*: a name; TAKE: metadata is the list */
	const void *kvirt; /* KVIRT_*, AREA_*, IO_MEM_NEW: a name; KVIRT_NEW: range is where from */
	const void *area;  /* AREA_*, IO_MEM_NEW: its name; range is that of its addresses */
	struct paddr place; /* LIST_*: the page at the cursor before, PLACE_GHOST at the ghost */
	struct paddr place_now; /* after */
	struct mm_io reader;
	struct mm_io writer;

	/* Owners; pages are the segment's, or those claimed. NULL: the hypervisor. */
	/* DONATE; SHARING_NEW: the owner; OWNER_END: whose end it is */
	const struct vm_space *from;
	const struct vm_space *to;     /* DONATE; OWNER_CLAIM: who claims */
	const struct sharing *sharing; /* SHARING, OWNERSHIP but DONATE; void after its end */
	const struct vm_space *const *members; /* SHARING_NEW; not to be looked into */
	size_t member_count;
	enum frame_contents contents; /* DONATE, RECLAIM, FRAME_ALLOC, UNIQUE_ALLOC */
};

/* No page: the place in a list past the last and before the first. */
#define PLACE_GHOST paddr(UINT64_MAX)

typedef void (*mm_operation_observer)(const struct mm_operation *operation);

/* One observer per machine; NULL detaches. Set while no operation is in flight. */
void mm_operation_attach(mm_operation_observer observer);

/*
 * The ranges of memory, by numbers from 0; false: there is none of that number. For who begins to
 * observe: from then on MEMORY_ADD says what is added, after it is, and MEMORY_REMOVE, before it is
 * gone, what is removed. Not safe against these two functions on another CPU.
 */
bool mm_memory_range(size_t index, struct prange *out);

/*
 * Bit per CPU that is in a function which changes counts: perhaps between a change and its report. Read
 * this, the count, and this again, while no report can come in between: if no other CPU's bit was set,
 * none has changed the count and not said so (set after), nor said so and not changed it (set before).
 */
uint32_t mm_cpus_in_flight(void);

#endif
