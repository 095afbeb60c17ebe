/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cursors: an exclusive right to a range of input addresses in one space, and a position in it.
 *
 * Invariant: of two cursors on overlapping ranges of one space only one is open; on disjoint
 * ranges they run in parallel, unless the protocol below wants one node for both. The position is
 * page aligned and never passes the end. Between open and close nobody else changes, or reads by
 * cursor, a translation in the range.
 *
 * Protocol: descend without locks, in a read section, to the covering node, the deepest existing node
 * whose span holds the range; lock it, start again if it was detached meanwhile; lock the existing
 * nodes below that intersect the range in depth-first, ascending order. Every descriptor in the range
 * is then written by this cursor alone. Detached nodes are freed after the flush and after every CPU
 * has left the read section it was in (strata/deferred_tables.h). Concatenated root tables are locked like siblings.
 *
 * Waiting. A CPU waits for a node that another CPU has only while it has no cursor open, of whatever space:
 * so what it holds meanwhile are nodes nearer the root of the one operation, and nobody waits in a circle.
 * (But for a detached node that this CPU is to free: who finds that one gives it back at once.) With a cursor
 * open it is MM_BUSY instead ("a cursor is in the way" below, and in other headers): it closes what it has,
 * lets others go on, and begins again. Who asks again without that may be refused for ever.
 *
 * Operations check everything, and reserve the table pages they will need, before they write the
 * first descriptor: on an error the tables, counts and position are as before. What an operation
 * removes from the tables is gathered: the references stay parked (T in rc = H + P + C + T) and
 * table pages stay allocated until cursor_flush, which cursor_close includes; an operation flushes
 * early when the gather is full, and where break-before-make demands it.
 */
#pragma once

#include <strata/frame.h>
#include <strata/page_property.h>
#include <strata/segment.h>
#include <strata/tlb_gather.h>
#include <strata/vm_space.h>

struct slot;

enum cursor_access {
	CURSOR_READ_ONLY, /* operations that change the table are MM_ACCESS_DENIED */
	CURSOR_MUTABLE,
};

/* Storage belongs to the caller, for instance on the stack; fields are private. */
struct cursor {
	struct vm_space *space;
	struct irange range;
	struct iaddr position;
	enum cursor_access access;
	uint64_t *
		covering_table; /* the covering node's first descriptor, its slot, level and span */
	struct slot *covering_node;
	int covering_level;
	struct irange covering_range;
	uint64_t *leaf_table; /* of level 3, last used, its slot and span; the span may be empty */
	struct slot *leaf_node;
	struct irange leaf_table_range;
	bool changed; /* some descriptor was written */
	struct tlb_gather gather;
};

/* What the descriptor at the position says. */
struct cursor_item {
	struct irange
		range; /* all that the descriptor covers: a page, a block, or the whole hole */
	bool mapped;   /* if false, the fields below mean nothing */
	bool counted;  /* false: mapped by cursor_map_iomem; no page of it is counted */
	struct paddr output; /* of the start of range */
	struct page_property property;
};

/*
 * Opens a cursor on @range at its start.
 *
 * MM_INVALID_ARGS: empty or reversed. MM_OUT_OF_BOUND: not inside the space. MM_NOT_ALIGNED. (In
 *	this order.)
 * MM_BUSY: a cursor of this CPU is in the way: one that holds a node that the protocol needs, part of the
 *	range, or of what the covering node spans; or any, and another CPU holds such a node.
 *
 * While another CPU holds it, a CPU that has no cursor open waits.
 */
MM_MUST_CHECK enum mm_status cursor_open(struct vm_space *space, struct irange range,
					 enum cursor_access access, struct cursor *out);

/*
 * Flushes what is gathered, then gives the right back. @cursor is void afterwards. A table that became
 * empty, or could be a block, is tidied away then: for a moment that takes nodes nearer the root. Of a CPU
 * that has another cursor open, and would wait for them, it is left as it is: nothing is mapped in an empty
 * table, and it goes when a mutable cursor that has it is closed, or what is around it is unmapped.
 */
void cursor_close(struct cursor *cursor);

/* The position. */
struct iaddr cursor_virt_addr(const struct cursor *cursor);

/*
 * Says what is at the position; if a counted mapping is, @frame becomes one more reference (H) to
 * the page at the position, otherwise it is untouched. The position stays. @frame may be NULL: then
 * no reference is taken (that is cursor_peek, which says how long the answer is true).
 *
 * MM_OUT_OF_BOUND: the position is at the end.
 * MM_SATURATED: the page cannot take one more reference.
 */
MM_MUST_CHECK enum mm_status cursor_query(const struct cursor *cursor, struct cursor_item *item,
					  frame_t *frame);

/* As cursor_query, without a reference: what it says is true while the cursor is open and unchanged; but
 * where CPUs keep flags (vm_space_use_hardware_flags) they may have set more by the time it returns. */
MM_MUST_CHECK enum mm_status cursor_peek(const struct cursor *cursor, struct cursor_item *item);

/*
 * Moves to the first mapped address in the next @length bytes (the position itself, if it is
 * mapped). If there is none the position moves @length forward and the status is MM_NOT_MAPPED.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: @length is not page aligned, or longer than what is left.
 */
MM_MUST_CHECK enum mm_status cursor_find_next(struct cursor *cursor, uint64_t length);

/* Moves to @position, inside the range or at its end. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: it is not. */
MM_MUST_CHECK enum mm_status cursor_jump(struct cursor *cursor, struct iaddr position);

/*
 * Maps the page of @frame at the position and moves past it. The handle's reference becomes the
 * table entry's (H to P); @frame is void afterwards, unless there is an error. In any space but EL2's own a
 * page that was the hypervisor's is the space's own from now on (strata/ownership.h).
 *
 * MM_ACCESS_DENIED: read-only cursor, or the page is another space's, or of a sharing that does not
 *	let this space have it. MM_OUT_OF_BOUND: the position is at the end.
 * MM_NOT_SUPPORTED: the stage cannot express @property.
 * MM_EXISTS: something is mapped there. MM_NO_MEMORY: no page for a table.
 */
MM_MUST_CHECK enum mm_status cursor_map(struct cursor *cursor, frame_t *frame,
					struct page_property property);

/*
 * Maps the pages of @segment from the position on, with the largest leaves that the alignment of
 * both addresses permits, and moves past them. Each page's reference becomes the table's (C to P);
 * @segment is void afterwards, unless there is an error. All pages are mapped or none.
 *
 * As cursor_map; MM_OUT_OF_BOUND also if the segment is longer than what is left.
 */
MM_MUST_CHECK enum mm_status cursor_map_segment(struct cursor *cursor, struct segment *segment,
						struct page_property property);

/*
 * Maps the pages of @count frames, one after another from the position on, and moves past them. Each
 * handle's reference becomes the table entry's (H to P); the handles are void afterwards, unless there
 * is an error. All pages are mapped or none.
 *
 * As cursor_map; MM_INVALID_ARGS: @count is 0. MM_OUT_OF_BOUND also if there are more frames than
 * pages left.
 */
MM_MUST_CHECK enum mm_status cursor_map_frames(struct cursor *cursor, frame_t *frames, size_t count,
					       struct page_property property);

/*
 * Maps physical addresses that are not counted: device memory, or, in a Stage-1 space only, any
 * memory (EL2's linear map). Largest leaves; all or nothing; moves past them. A Stage-2 or window
 * space remembers them until it is destroyed (vm_space_find_iomem).
 *
 * MM_NO_MEMORY also if there is none to remember them in.
 * As cursor_map_segment; MM_NOT_ALIGNED, MM_INVALID_ARGS: @output is not page aligned, is empty.
 * MM_OUT_OF_BOUND also if @output ends above the CPU's physical addresses.
 * MM_ACCESS_DENIED also if @output touches memory that is not PAGE_MMIO, unless the space is EL2's own.
 */
MM_MUST_CHECK enum mm_status cursor_map_iomem(struct cursor *cursor, struct prange output,
					      struct page_property property);

/*
 * Puts the page of @frame in the place of the counted page mapped at the position, and moves past
 * it. Break-before-make: no CPU sees both. The old page's reference is parked behind the flush
 * that break-before-make needs, and dropped with it. A block is split first.
 *
 * As cursor_map, but MM_NOT_MAPPED if nothing is mapped there, and MM_ACCESS_DENIED also if what is
 * mapped is not counted.
 */
MM_MUST_CHECK enum mm_status cursor_replace(struct cursor *cursor, frame_t *frame,
					    struct page_property property);

/*
 * Unmaps everything in the next @length bytes and moves past them. A block that straddles either
 * edge is split first. @leaves (may be NULL) says how many leaf descriptors were removed, whether
 * their pages are counted or not.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NO_MEMORY: no page for a table that a split needs; nothing was unmapped.
 */
MM_MUST_CHECK enum mm_status cursor_unmap(struct cursor *cursor, uint64_t length, uint64_t *leaves);

/*
 * What a caller wants of a property, given what it is. @context is the caller's. Where CPUs keep flags
 * (vm_space_use_hardware_flags) it is also asked what is to become of all that they may make of a property
 * before the change is written; the answer to what is found then is what counts.
 */
typedef struct page_property (*page_property_update)(struct page_property property, void *context);

/*
 * Changes the property of the first mapping in the next @length bytes, or of as much of it as lies
 * there (a block is split first), and moves past it; @changed (may be NULL) says what was changed.
 * Nothing is written if the property is the same.
 *
 * MM_NOT_MAPPED: there is none; the position moved @length forward.
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NOT_SUPPORTED: the stage cannot express the new property. MM_NO_MEMORY: as cursor_unmap.
 * (But for MM_NOT_MAPPED the position stays.)
 */
MM_MUST_CHECK enum mm_status cursor_protect_next(struct cursor *cursor, uint64_t length,
						 page_property_update update, void *context,
						 struct irange *changed);

/*
 * Gives everything mapped in the next @length bytes the property that @update makes of its own, and
 * moves past them: all or nothing. @changed_leaves (may be NULL) says how many leaf descriptors were
 * changed; a block that an edge cuts is split first if it changes. Nothing is written where the property
 * stays the same; that nothing is mapped is no error.
 *
 * @update is called once for each property that is found, before anything is written: what it says
 * depends on the property, and holds for everything that has it.
 *
 * The changes are gathered as one. Where the memory type changes, everything is broken first, flushed
 * at once, and made; other changes need no flush before cursor_flush.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NOT_SUPPORTED: the stage cannot express some new property. MM_NO_MEMORY: as cursor_unmap.
 */
MM_MUST_CHECK enum mm_status cursor_protect(struct cursor *cursor, uint64_t length,
					    page_property_update update, void *context,
					    uint64_t *changed_leaves);

/* Invalidates what is gathered, waits until every CPU has, then drops what was parked. */
void cursor_flush(struct cursor *cursor);
