/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store: everything that exists, by id, and what each page is held by.
 *
 *	VmStore = regions + { spaces, cursors, handles, gathers, lists, readers and writers, areas,
 *			      owners }
 *
 * A handle is a frame, a unique frame or a segment: one entry for each that lives, under the id that
 * its share's certificate gives it. (The specification has three registries; the kind of the entry
 * is which.) A raw handle is still one: it lives, and has forgotten its id.
 *
 * Invariant: those of invariants.def, between operations.
 *
 * The store is changed by steps only (step.h), and looked at by whoever wants to draw an operation
 * or to check. It has no lock of its own: lockstep.c has one around everything.
 */
#pragma once

#include "op.h"
#include "owners.h"
#include "regions.h"
#include "registry.h"

#include <strata/vm_io.h>
#include <sys/queue.h>

struct handle {
	RB_ENTRY(handle) link;
	LIST_ENTRY(handle) raw_link;
	store_id id;
	struct prange pages;
	enum share_kind kind;
	bool raw; /* it is an address now, to be turned back once */
};

/* A frame of a list. */
struct listed {
	TAILQ_ENTRY(listed) link;
	struct paddr page;
};

struct live_list {
	LIST_ENTRY(live_list) link;
	const void *name; /* where it is, to find it by */
	uint32_t number;  /* from 1, in the order they were made; what its pages' records say */
	uint64_t size;
	TAILQ_HEAD(listed_sequence, listed) frames;
};

/* Pages parked behind one flush. */
struct parked_run {
	LIST_ENTRY(parked_run) link;
	struct prange pages;
	bool dispatched; /* their translations were invalidated since they were parked */
};

struct live_gather {
	LIST_ENTRY(live_gather) link;
	const void *name;
	const void *space;     /* whose translations it removes */
	uint64_t issued_pages; /* since the last operation that says what it removed */
	LIST_HEAD(, parked_run) runs;
};

/*
 * A reader or a writer. It is a value: a copy of it is another one, and nobody says when one is gone. So
 * the store knows those that were used last, by where they are.
 */
struct live_io {
	TAILQ_ENTRY(live_io) link;
	store_id name;
	const struct vm_space *space; /* that its bytes are looked up in; NULL: none */
	struct vm_io_range range;
};

#define STORE_IOS_MAX 64

/* A range of EL2's own addresses that areas come from: only in them is anything mapped there. */
struct live_kvirt {
	LIST_ENTRY(live_kvirt) link;
	store_id name;
	store_id space;
	struct irange range;
};

/* Addresses of EL2 that somebody has, without their guard pages. */
struct live_area {
	LIST_ENTRY(live_area) link;
	store_id name;
	store_id space;
	store_id kvirt;
	struct irange range;
};

/* A range of memory. */
struct live_memory {
	LIST_ENTRY(live_memory) link;
	struct prange range;
	bool added; /* since the model began; of what was there then only its maker knows */
};

/* Pages that a space was given of devices, until it is destroyed: none of them becomes memory. */
struct live_device {
	LIST_ENTRY(live_device) link;
	const struct vm_space *space;
	struct prange range;
};

/*
 * A dirty log that runs. What is not on any of its lists was not written since the list was taken last.
 *
 * By faults both lists are the same; where CPUs keep dirty state, they are what the list holds at least
 * and at the most.
 */
struct live_log {
	LIST_ENTRY(live_log) link;
	store_id name;
	const struct live_space *space;
	struct irange range;
	struct mappings
		taken; /* pages, each as a mapping to itself: it has their write access to give */
	struct mappings written;  /* that must be on the list */
	struct mappings writable; /* that may be on it */
};

/* Each area has a guard page of its own on either side. */
#define AREA_GUARD PAGE_SIZE

struct store {
	struct registry registry; /* spaces and cursors */
	struct regions regions;
	struct owners owners;
	RB_HEAD(handle_tree, handle) handles;
	LIST_HEAD(, handle) raw;
	LIST_HEAD(, live_list) lists;
	LIST_HEAD(, live_gather) gathers;
	LIST_HEAD(, live_kvirt) kvirts;
	LIST_HEAD(, live_area) areas;
	LIST_HEAD(, live_memory) memory;
	LIST_HEAD(, live_device) devices;
	LIST_HEAD(, live_log) logs;
	TAILQ_HEAD(live_io_sequence, live_io) ios; /* last used first */
	unsigned int io_count;
	struct model_pool handle_pool;
	struct model_pool list_pool;
	struct model_pool listed_pool;
	struct model_pool gather_pool;
	struct model_pool run_pool;
	struct model_pool io_pool;
	struct model_pool kvirt_pool;
	struct model_pool area_pool;
	struct model_pool memory_pool;
	struct model_pool device_pool;
	struct model_pool log_pool;
	uint64_t counts[3]; /* live handles of each enum share_kind */
	uint32_t lists_made;
	store_id first_handle;	/* of those made since the model began; 0: none was */
	uint64_t frames_before; /* pages of PAGE_FRAME when the model began */
	uint32_t cpus;		/* bit per CPU that was in the subsystem so far */
	bool unseen;		/* somebody changes tables and says nothing (model_not_alone) */
	bool memory_known;	/* what was there before the first operation */
	bool out_of_storage;	/* the arena was full: from now on nothing here is to be trusted */
};

/* Nothing exists; all storage is cut from @memory. */
void store_init(struct store *store, void *memory, size_t size);

/* Whether one CPU did everything so far: then no operation overlapped another. */
static inline bool store_alone(const struct store *store)
{
	return !store->unseen && (store->cpus & (store->cpus - 1)) == 0;
}

/*
 * Whether what needs nodes of tables may be MM_BUSY on @cpu whatever it holds there: another CPU may have
 * them, and who has a cursor open, on any space, waits for none (strata/cursor.h).
 */
static inline bool store_may_refuse(const struct store *store, unsigned int cpu)
{
	return !store_alone(store) && registry_has_cursor(&store->registry, cpu);
}

/* NULL: not known. */
static inline struct live_space *store_space(const struct store *store, store_id id)
{
	return registry_space(&store->registry, (const struct vm_space *)(uintptr_t)id);
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* NULL: no such handle lives. */
struct handle *store_handle(const struct store *store, store_id id);

/* A new handle; an id of 0 makes none (nobody can name it), one that lives is counted only (X4). */
void store_add_handle(struct store *store, const struct op_made *made);
void store_remove_handle(struct store *store, struct handle *handle);

/* A raw handle of that kind to those pages; NULL: there is none. */
struct handle *store_raw_handle(const struct store *store, enum share_kind kind,
				struct prange pages);

/* The first handle with an id above @after; NULL: none. */
struct handle *store_next_handle(const struct store *store, store_id after);

#define STORE_EACH_HANDLE(handle, store)                                                           \
	for ((handle) = store_next_handle((store), 0); (handle) != NULL;                           \
	     (handle) = store_next_handle((store), (handle)->id))

/* ---- Lists, gathers ------------------------------------------------------------------------ */

struct live_list *store_list(const struct store *store, const void *name);
struct live_list *store_add_list(struct store *store, const void *name);
void store_remove_list(struct store *store, struct live_list *list);

struct listed *store_listed(const struct live_list *list, struct paddr page);

struct live_gather *store_gather(const struct store *store, const void *name);
struct live_gather *store_add_gather(struct store *store, const void *name, const void *space);
void store_remove_gather(struct store *store, struct live_gather *gather);

/* ---- Areas --------------------------------------------------------------------------------- */

/* NULL: not known. */
struct live_kvirt *store_kvirt(const struct store *store, store_id name);
struct live_area *store_area(const struct store *store, store_id name);

/* Another area of the same space with no whole guard page between it and @area; NULL: none. */
const struct live_area *store_area_beside(const struct store *store, const struct live_area *area);

/* ---- Readers and writers ------------------------------------------------------------------- */

/* Whose tables, or which active space, say where the bytes are; NULL: none. */
const struct vm_space *store_io_space(const struct vm_io_range *range);
/* What the one at @name is now; one of a space that is not known is forgotten. */
void store_note_io(struct store *store, store_id name, const struct vm_io_range *range);
/* NULL: not known. */
const struct vm_io_range *store_io(const struct store *store, store_id name);
/* Those of a space's memory are void. */
void store_forget_ios(struct store *store, const struct vm_space *space);

/* ---- Memory -------------------------------------------------------------------------------- */

/* What is memory is asked once, at the first operation, and is what was so before it @added a range. */
void store_learn_memory(struct store *store, struct prange added);

/* The range of memory that overlaps @range; NULL: none does. */
struct live_memory *store_memory(const struct store *store, struct prange range);
void store_add_memory(struct store *store, struct prange range, bool added);
/* Nothing is known of its pages any more. */
void store_remove_memory(struct store *store, struct live_memory *memory);

/* What @space was given of devices. */
void store_note_device(struct store *store, const struct vm_space *space, struct prange range);
void store_forget_devices(struct store *store, const struct vm_space *space);

/* ---- Dirty logs ---------------------------------------------------------------------------- */

/* NULL: not known. */
struct live_log *store_log(const struct store *store, store_id name);

/* Nothing is on its list, and nothing is its to give. */
struct live_log *store_add_log(struct store *store, store_id name, const struct live_space *space,
			       struct irange range);
void store_remove_log(struct store *store, struct live_log *log);
void store_forget_logs(struct store *store, const struct live_space *space);

/* @pages are in @set, one of a log's, from now on. */
void store_add_pages(struct store *store, struct mappings *set, struct irange pages);

/* And what @mappings have in @range, of whose flags those of @mask are @flags. */
void store_add_mapped(struct store *store, struct mappings *set, const struct mappings *mappings,
		      struct irange range, uint8_t mask, uint8_t flags);

/*
 * After a change of @space in @range: what is dirty there has to be on the list of each log, whatever becomes
 * of it, and what can become so may. (By faults, and where no CPU keeps dirty state, nothing is.)
 */
void store_note_dirty(struct store *store, const struct live_space *space, struct irange range);

/* The hypervisor wrote to @range of @space: what can become dirty there is. */
void store_note_written(struct store *store, const struct live_space *space, struct irange range);

/* ---- Pages --------------------------------------------------------------------------------- */

/* By the subsystem's word, now. */
static inline bool page_is_memory(struct paddr page)
{
	struct page_state state;

	return page_state(page, &state) == MM_OK;
}

static inline bool page_has_usage(struct paddr page, enum page_usage usage)
{
	struct page_state state;

	return page_state(page, &state) == MM_OK && state.usage == usage;
}

/*
 * The record of the page at @page. One that was never looked at gets what the subsystem says of it
 * now, less @taken references, which the operation being stepped has taken already. NULL: no page of
 * memory, or the arena is full.
 */
struct page_record *store_page(struct store *store, struct paddr page, uint32_t taken);

/* One for the first @count pages of @pages, which are memory, as far as they are alike (regions.h). */
struct page_record *store_pages(struct store *store, struct prange pages, uint32_t taken,
				uint64_t *count);

/* The page's references are not what they were, by no operation: they are what the subsystem says. */
void store_readopt(struct store *store, struct paddr page);
