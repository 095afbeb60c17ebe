/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations, reported as they take effect: what a model needs to step beside the subsystem.
 *
 * Each public operation on a space reports itself once, on success and on failure, on the CPU that
 * performed it, while the locks that make it atomic are still held: at its linearisation point.
 * (SPACE_DESTROY: when everything is unmapped, before the root is free.) The observer may read
 * tables and counts; it must not call a function that changes either.
 *
 * Release builds (STRATA_CHECKED = 0) contain none of this.
 */
#pragma once

#include <arch/observe.h>
#include <strata/cursor.h>

#define MM_OPERATION_LIST(X)                                                                       \
	X(SPACE_NEW)                                                                               \
	X(SPACE_DESTROY)                                                                           \
	X(SPACE_ACTIVATE)                                                                          \
	X(CURSOR_OPEN)                                                                             \
	X(CURSOR_CLOSE)                                                                            \
	X(CURSOR_QUERY)                                                                            \
	X(CURSOR_FIND_NEXT)                                                                        \
	X(CURSOR_JUMP)                                                                             \
	X(CURSOR_MAP)                                                                              \
	X(CURSOR_REPLACE)                                                                          \
	X(CURSOR_UNMAP)                                                                            \
	X(CURSOR_PROTECT)                                                                          \
	X(CURSOR_PROTECT_NEXT)                                                                     \
	X(CURSOR_FLUSH)

enum mm_operation_kind {
#define MM_OPERATION_ENUMERATOR(name) OPERATION_##name,
	MM_OPERATION_LIST(MM_OPERATION_ENUMERATOR)
#undef MM_OPERATION_ENUMERATOR
		OPERATION_COUNT
};

/* What every mapping with one property was given in the place of it. */
struct property_change {
	struct page_property was;
	struct page_property becomes;
};

/* Fields that an operation does not have are zero. */
struct mm_operation {
	enum mm_operation_kind kind;
	enum mm_status status;
	struct vm_space *space;
	const struct cursor *cursor; /* NULL for operations on spaces; already moved if it moved */
	struct iaddr position;	     /* of the cursor before the operation */
	struct irange range;   /* arguments: the range opened, mapped, unmapped, protected, searched
					(PROTECT_NEXT too), as asked, even if too long; JUMP: starts at
					the target */
	struct irange changed; /* PROTECT_NEXT: what was changed */
	struct paddr output;   /* MAP, REPLACE: physical address of the first page */
	struct page_property property; /* MAP, REPLACE: asked for; PROTECT_NEXT: the new one */
	bool counted;		       /* MAP: frames or a segment, not iomem */
	uint64_t leaves;	       /* leaf descriptors that UNMAP removed, PROTECT changed */
	/* PROTECT: what the caller said, once for each property that it was asked about; after an error
	 * perhaps not about all in the range. */
	const struct property_change *changes;
	size_t change_count;
	struct cursor_item item; /* QUERY: the answer */
};

#if STRATA_CHECKED

typedef void (*mm_operation_observer)(const struct mm_operation *operation);

/* One observer per machine; NULL detaches. Set while no operation is in flight. */
void mm_operation_attach(mm_operation_observer observer);

#endif
