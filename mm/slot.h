/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slots: 16 bytes of metadata for each page, found by arithmetic.
 *
 *  slot
 *  ┌──────────── 32 ───────────┬── 8 ──┬── 8 ──┬─── 16 ───┬─────────────── 64 ───────────────┐
 *  │ reference count/sentinel  │ usage │ order │ children │ by usage: links, node, metadata  │
 *  └───────────────────────────┴───────┴───────┴──────────┴──────────────────────────────────┘
 *
 * Invariant: a page whose references are SLOT_UNUSED or SLOT_CACHED has usage PAGE_UNUSED. While a page
 * changes hands it is under construction: references 0, usage that of either side.
 *
 * Slots are made a section (2 MiB of memory) at a time, when the section's first page is needed, so
 * that memory nobody uses costs nothing. Of the slots of a section that is not ready only one is used,
 * for the links of a free block that begins there: the section's pages lie inside one free block of
 * at least a section, or were all reserved alike at start, and the section table says which.
 *
 * Who may write: references, anybody, atomically. order and links: the zone's lock; order of a page
 * that is in no free block, whoever has the page (who looks for a buddy may read it all the same).
 * usage: whoever moved references away from SLOT_UNUSED or SLOT_CACHED, or the last to drop.
 * children and node: the node's lock. list, links and metadata of a unique frame: who has it, or
 * the user of its list. owner of any other frame: owner_table.h.
 */
#pragma once

#include <arch/address.h>
#include <stdatomic.h>
#include <stddef.h>
#include <strata/mm.h>
#include "linear.h"
#include "lock.h"
#include "share.h"

#define SLOT_UNUSED UINT32_MAX
#define SLOT_UNIQUE (UINT32_MAX - 1)
/* Unused, and any CPU's page cache may name it: whoever exchanges this for another value has it. */
#define SLOT_CACHED (UINT32_MAX - 2)
#define SLOT_UNDER_CONSTRUCTION UINT32_C(0)

/*
 * The 16 bits of a slot that mean something else in each use of the page. No number is of two uses, so
 * that who looks at a page of others, without a lock, never takes one for the other. 0 is nobody's.
 */
#define SLOT_CHILDREN_LAST UINT16_C(512) /* of a node */
#define SLOT_HEAP_ORDER 0x0240u /* of the first page of a heap object: this and its order */
#define SLOT_HEAP_ORDER_MASK 0x3fu
#define SLOT_LIST_FIRST UINT16_C(0x0400) /* frame_list.c */
#define SLOT_LIST_LAST UINT16_C(0x7fff)
#define SLOT_OWNER_FIRST UINT16_C(0x8000) /* owner_table.h */
#define SLOT_OWNER_LAST UINT16_C(0xfffd)
#define SLOT_OWNER_MOVING UINT16_C(0xffff)

_Static_assert(SLOT_CHILDREN_LAST < SLOT_HEAP_ORDER &&
		       (SLOT_HEAP_ORDER | SLOT_HEAP_ORDER_MASK) < SLOT_LIST_FIRST &&
		       SLOT_LIST_LAST < SLOT_OWNER_FIRST && SLOT_OWNER_LAST < SLOT_OWNER_MOVING,
	       "no number is of two uses");

/* slot.order of a page that is not the first of a free block. */
#define ORDER_NONE UINT8_C(0xff)
/* slot.order of an unused page that no allocator has: only its address leads to it. */
#define ORDER_WITHHELD UINT8_C(0xfd)

/* Links between free blocks, as page numbers within the zone. */
struct slot_links {
	uint32_t next;
	uint32_t previous;
};

/* What a table page needs beside its 512 descriptors; node.h. */
struct slot_node {
	_Atomic uint16_t lock; /* 0, or 1 + the index of the CPU that holds it */
	uint16_t level : 3;
	uint16_t stray : 1;	  /* detached from its parent */
	uint16_t chain_high : 12; /* bits 43:32 of the page number of the next in a chain */
	uint32_t chain_low;	  /* bits 31:0 */
};

struct slot {
	_Atomic uint32_t references;
	_Atomic uint8_t usage; /* enum page_usage; slot_usage() */
	_Atomic uint8_t order; /* slot_order() */
	union {
		uint16_t children; /* of a node: descriptors that are not zero */
		/* Of a unique frame: the id of the list that has it, or 0; slot_list(). */
		_Atomic uint16_t list;
		/* Of any other frame: the id of its owner, or 0; slot_owner(). */
		_Atomic uint16_t owner;
		uint16_t heap_order; /* of the first page of a heap object with its own pages */
	};
	union {
		struct slot_links links; /* of a free block, or of a listed frame */
		struct slot_node node;
		struct frame_metadata *metadata; /* of a frame that is not listed */
		uint64_t heap_size; /* checked builds: bytes of what heap_order is said of */
	};
};

_Static_assert(sizeof(struct slot) == 16, "a slot is 16 bytes");

#define SECTION_ORDER 9

/* The largest free block: 2^ORDER_MAX pages. Free memory is tiled with aligned blocks up to this. */
#define ORDER_MAX 26
#define ORDER_COUNT (ORDER_MAX + 1)

/* An entry of the section table. */
#define SECTION_READY UINT8_C(0x80)    /* its slots are made */
#define SECTION_RESERVED UINT8_C(0x40) /* not ready, and every page has the usage in the low bits */
#define SECTION_FREE_ORDER UINT8_C(0x3f) /* order of the free block that begins here, 0 if none */

/* One memory range, its slots and its free blocks. What says nothing is constant once the zone is linked. */
struct zone {
	struct prange range;
	uint64_t size;	       /* of range, bytes */
	uint32_t first_number; /* of its first page, counted over all zones */
	struct slot *slots;    /* of the pages of range, in order */
#if STRATA_CHECKED
	struct share_page *share_pages; /* likewise; made with the slots */
#endif
	/* Of the 2 MiB sections that range touches, in order: changed under the lock, read without. */
	_Atomic uint8_t *sections;
	struct ticket_lock lock;
	/* Changed at start, under the lock of device regions, or where nothing is in flight; read without. */
	struct zone *_Atomic next;
	struct prange metadata;		  /* this structure, the section table and the slots */
	uint32_t first_free[ORDER_COUNT]; /* page number within the zone, or LINK_NONE; the lock */
	uint64_t free_pages; /* in blocks; pages in caches are not among them; the lock */
};

#define LINK_NONE UINT32_MAX

/* The first zone; the others follow by next. */
extern MM_PRIVATE struct zone *zones;

/* Acquire: a zone that was added at run time is seen complete. */
static inline struct zone *zone_next(const struct zone *zone)
{
	return atomic_load_explicit(&zone->next, memory_order_acquire);
}

static inline bool zone_has(const struct zone *zone, struct paddr paddr)
{
	return paddr.value - zone->range.start.value < zone->size;
}

/* The zone after the first that has @paddr, or NULL. */
struct zone *zone_of_later(struct paddr paddr);

/* The zone that has @paddr, or NULL. Most machines have one: it is looked at in place. */
static inline struct zone *zone_of(struct paddr paddr)
{
	return __builtin_expect(zone_has(zones, paddr), 1) ? zones : zone_of_later(paddr);
}

static inline struct slot *zone_slot(struct zone *zone, struct paddr paddr)
{
	return &zone->slots[(paddr.value - zone->range.start.value) >> PAGE_SHIFT];
}

#if STRATA_CHECKED

static inline struct share_page *share_page_of(struct zone *zone, struct paddr paddr)
{
	return &zone->share_pages[(paddr.value - zone->range.start.value) >> PAGE_SHIFT];
}

#endif

static inline _Atomic uint8_t *zone_section_entry(struct zone *zone, struct paddr paddr)
{
	const unsigned int shift = PAGE_SHIFT + SECTION_ORDER;

	return &zone->sections[(paddr.value >> shift) - (zone->range.start.value >> shift)];
}

/*
 * The section table is written under the zone's lock and read without it: the release and the
 * acquire make a section's slots visible to whoever sees it ready.
 */
static inline uint8_t zone_section(struct zone *zone, struct paddr paddr)
{
	return atomic_load_explicit(zone_section_entry(zone, paddr), memory_order_acquire);
}

static inline void zone_section_set(struct zone *zone, struct paddr paddr, uint8_t section)
{
	atomic_store_explicit(zone_section_entry(zone, paddr), section, memory_order_release);
}

/* The order of the free block that begins at the page, or one of ORDER_NONE and its like. Relaxed: written and
 * relied on under the zone's lock, or by who has the page. */
static inline uint8_t slot_order(struct slot *slot)
{
	return atomic_load_explicit(&slot->order, memory_order_relaxed);
}

static inline void slot_set_order(struct slot *slot, uint8_t order)
{
	atomic_store_explicit(&slot->order, order, memory_order_relaxed);
}

/* Relaxed: whoever relies on a page's usage has a reference to it, or looks again once it has. */
static inline enum page_usage slot_usage(const struct slot *slot)
{
	return (enum page_usage)atomic_load_explicit(&slot->usage, memory_order_relaxed);
}

static inline void slot_set_usage(struct slot *slot, enum page_usage usage)
{
	atomic_store_explicit(&slot->usage, (uint8_t)usage, memory_order_relaxed);
}

/* Relaxed: only the user of a list writes its id, and who asks about somebody else's frame is told that it
 * is in no list of the asker's. */
static inline uint16_t slot_list(const struct slot *slot)
{
	return atomic_load_explicit(&slot->list, memory_order_relaxed);
}

static inline void slot_set_list(struct slot *slot, uint16_t list)
{
	atomic_store_explicit(&slot->list, list, memory_order_relaxed);
}

/* A frame in no list, and the hypervisor's, with @metadata (may be NULL): whatever the page was before. */
static inline void slot_begin_frame(struct slot *slot, struct frame_metadata *metadata)
{
	/* Of a frame that is not unique that is OWNER_ID_HYPERVISOR. */
	slot_set_list(slot, 0);
	slot->metadata = metadata;
}

/* The slot of a page that is known to have an owner (its section is ready). */
static inline struct slot *slot_of(struct paddr paddr)
{
	return zone_slot(zone_of(paddr), paddr);
}

/*
 * The slot of any page address, made ready if need be.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: @paddr is not the address of a page of memory.
 */
MM_MUST_CHECK enum mm_status slot_lookup(struct paddr paddr, struct slot **out);

/* Whether some page of @range, which is page aligned, is memory and not PAGE_MMIO. */
bool slots_touch_memory(struct prange range);

/* Makes the slots of the section of @paddr, as the section table says, if they are not made yet. The
 * caller holds the zone's lock. */
void zone_section_make_ready(struct zone *zone, struct paddr paddr);

/* Gives the pages of @range that are memory @usage, whatever usage they had. They are in no free block
 * and nobody else looks at them: at start, or under the lock of the zone that is being added. */
void slots_reserve(struct prange range, enum page_usage usage);

/*
 * One more reference on each page of @range, all of usage PAGE_FRAME and held by the caller.
 * MM_SATURATED: some page cannot take one more; no page was changed.
 */
MM_MUST_CHECK enum mm_status slots_acquire(struct prange range);

/* One reference less on a page; if nobody holds it any more it goes to the allocator. */
void page_release(struct paddr page);

/* One reference less on each page of @range; pages nobody holds any more go to the allocator. */
void slots_release(struct prange range);

/* Makes pages of usage PAGE_RESERVED, which the caller alone decides about, PAGE_FRAME with one
 * reference. */
void slots_unreserve(struct prange range);

/*
 * Pages are numbered over all zones, in order: 32 bits name any page of up to 16 TiB of memory.
 */
uint32_t page_number(struct paddr paddr);
struct paddr page_at(uint32_t number);

/* Tells the kind of a frame's metadata, if it has any, that the frame has lost its last owner. */
void slot_drop_metadata(struct slot *slot, struct paddr paddr);

/* Pages that were nobody's get an owner: what anybody had of them before is of an earlier life. */
#if STRATA_CHECKED
void slots_begin_life(struct prange range);
#else
static inline void slots_begin_life(struct prange range)
{
	(void)range;
}
#endif

/* Gives a page that is under construction its first reference, as a frame. The caller counts it. */
static inline void slot_publish_frame(struct slot *slot, struct paddr page,
				      struct frame_metadata *metadata)
{
	slots_begin_life(page_range(page));
	slot_set_usage(slot, PAGE_FRAME);
	slot_begin_frame(slot, metadata);
	/* Release: who takes a reference by compare-exchange sees the usage. */
	atomic_store_explicit(&slot->references, 1, memory_order_release);
}

/* The same with any @usage. */
static inline void slot_publish(struct slot *slot, struct paddr page, enum page_usage usage)
{
	if (usage == PAGE_FRAME) {
		slot_publish_frame(slot, page, NULL);
		return;
	}
	slots_begin_life(page_range(page));
	slot_set_usage(slot, usage);
	/* Release: as above. */
	atomic_store_explicit(&slot->references, 1, memory_order_release);
}

/* Gives pages that are under construction their first reference and @usage, and counts them. */
void slots_publish(struct prange range, enum page_usage usage);
