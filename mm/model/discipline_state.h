/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the discipline knows: shadows of table pages, contexts, CPUs, debts.
 *
 * Invariant: a debt belongs to one context and to one descriptor of a table whose shadow is there.
 * A shadow's parent is the shadow that has, or had until a debt on it is settled, the descriptor
 * that leads to it.
 */
#pragma once

#include <arch/max_cpus.h>
#include <sys/queue.h>
#include "arena.h"
#include "discipline.h"
#include "tree.h"

#define SHADOW_ENTRIES 512

struct shadow {
	RB_ENTRY(shadow) link;
	uint64_t page;	  /* physical address: the key */
	uint64_t root;	  /* of a page of a root: address of the first one; else 0 */
	uint64_t follows; /* of a root: the one that it has copies of descriptors of; else 0 */
	struct shadow *parent;
	uint16_t parent_index;
	int8_t level;
	uint8_t holder;	  /* of its lock: CPU + 1 */
	uint8_t writer;	  /* CPU */
	uint16_t valid;	  /* descriptors that are valid */
	uint32_t leaving; /* debts on the descriptor that led here */
	uint64_t zeroed;  /* event */
	uint64_t written; /* event of the last write, or 0 */
	uint64_t descriptors[SHADOW_ENTRIES];
};

/* How far the payment of a debt has come. */
enum debt_step {
	DEBT_WRITTEN,
	DEBT_PUBLISHED,
	DEBT_ISSUED,
	DEBT_BY_IPA,
	DEBT_COMBINED,
};

/* Why a TLBI did not pay, the last one that was meant to. */
enum debt_shortfall {
	SHORT_OF_NOTHING,
	SHORT_OF_DSB_BEFORE,
	SHORT_OF_WIDTH,
	SHORT_OF_VMID,
	SHORT_OF_BROADCAST,
	SHORT_OF_DSB_BETWEEN,
};

struct debt {
	RB_ENTRY(debt) link;
	uint64_t ia; /* what the descriptor translates begins here; with the next two the key */
	int8_t level;
	uint64_t at;  /* address of the descriptor */
	uint64_t old; /* what may be cached of it */
	struct shadow *table;
	struct shadow *below; /* the table it led to, or NULL: a leaf */
	struct irange leaves; /* from the first to the last leaf that may be cached through it */
	uint64_t covered;     /* up to here TLBIs have named the leaves */
	bool walk_covered;    /* and the table descriptor itself */
	bool needs_combined;  /* invalidated by IPA, not by VMID */
	unsigned int cpu;     /* that wrote */
	uint64_t event;	      /* of the write */
	enum debt_step step;
	enum debt_shortfall shortfall;
};

RB_HEAD(debt_tree, debt);

/* A root, and the VMID under which some CPU walked it. EL2's own has no VMID. */
struct context {
	LIST_ENTRY(context) link;
	bool is_el2;
	uint16_t vmid;
	uint64_t root;
	uint64_t follows; /* as the root does: what hangs there may be cached here */
	uint32_t loaded;  /* bit of each CPU that has it */
	uint32_t holders; /* bit of each that may have cached what it found here */
	uint32_t leaving; /* of those, that invalidated their own TLB later: to end by a DSB */
	bool tainted;	  /* something may be cached */
	uint8_t flusher;  /* CPU + 1 that invalidated all of it, and has made no DSB since */
	struct debt_tree debts;
};

struct cpu_state {
	struct context *stage2;
	struct context *el2;
	bool register_written; /* VTTBR_EL2, and no ISB since */
	bool el2_written;      /* TTBR0_EL2, and no ISB since */
	uint64_t dsb;	       /* event of the last one that orders stores for walkers */
	uint64_t isb;	       /* the last DSB before the last ISB */
};

RB_HEAD(shadow_tree, shadow);

struct discipline {
	struct model_arena arena;
	struct model_pool shadow_pool, context_pool, debt_pool;
	struct shadow_tree shadows;
	struct shadow *recent; /* the shadow found last */
	LIST_HEAD(, context) contexts;
	struct cpu_state cpus[STRATA_MAX_CPUS];
	uint64_t events, reports;
	enum discipline_rule first;
	bool full;
	void (*complain)(const char *text);
};

/* ---- discipline_shadow.c: tables -------------------------------------------------------------- */

/* Bytes that a descriptor of @level translates. */
uint64_t discipline_span(int level);

static inline bool descriptor_valid(uint64_t descriptor)
{
	return (descriptor & 1) != 0;
}

bool discipline_leads_on(uint64_t descriptor, int level); /* a table descriptor */
uint64_t discipline_output(uint64_t descriptor);	  /* its address field */

/* Whether both are leaves, or both tables, that differ in permissions and software bits at most. */
bool discipline_alike(uint64_t a, uint64_t b, int level);

/* Whether a TLB may hold the leaf. */
bool discipline_cacheable(uint64_t leaf);

struct shadow *shadow_find(struct discipline *discipline, uint64_t page);
struct shadow *shadow_make(struct discipline *discipline, uint64_t page);
void shadow_forget(struct discipline *discipline, struct shadow *shadow);

/* @table's descriptor at @index leads nowhere any more, and never did where a CPU could walk. */
void shadow_unlink(struct discipline *discipline, struct shadow *table, unsigned int index);

/* Whether its writer has made a DSB since its last descriptor was written; and since it was zeroed. */
bool shadow_published(const struct discipline *discipline, const struct shadow *table, bool zeroes);

/* Where a descriptor stands: false, if its table hangs from no root. */
struct place {
	const struct shadow *root; /* page of the root it hangs from */
	uint64_t ia;
};

bool shadow_place(const struct shadow *table, unsigned int index, struct place *place);

/* The nearest table, @table itself or above it, that no broken descriptor led to: whose lock protects
 * what happens to it. */
struct shadow *shadow_keeper(struct shadow *table);

/* Extends @leaves to the leaves at and below @table, which translates from @ia, that may be cached. */
void shadow_leaves(struct discipline *discipline, const struct shadow *table, uint64_t ia,
		   struct irange *leaves);

/* Whether a leaf at or below @table leads into @pages. */
bool shadow_reaches(struct discipline *discipline, const struct shadow *table, struct prange pages);

/* ---- discipline_debt.c ------------------------------------------------------------------------ */

/* @table's descriptor at @index was @old and is changing: every context that may have it cached owes
 * its invalidation. Nothing happens if there is none. */
void debt_incur(struct discipline *discipline, struct shadow *table, unsigned int index,
		uint64_t old, const struct observe_event *event);

/* The rule that the unpaid @debt breaks; @not_begun if nothing was done about it at all. */
enum discipline_rule debt_rule(const struct debt *debt, enum discipline_rule not_begun);

/* @debt is no more, paid or reported. */
void debt_end(struct discipline *discipline, struct context *context, struct debt *debt);

/* A debt in @context whose addresses meet @range, after @last (NULL: the first). */
struct debt *debt_next(struct context *context, struct irange range, struct debt *last);

/* The next of all. */
struct debt *debt_after(struct context *context, struct debt *last);

/* Those of all contexts, one after the other: the one that was given last, of @context, may have ended. */
struct debts {
	struct context *context;
	struct debt *next;
};

struct debts debts_all(const struct discipline *discipline);
struct debt *debts_next(struct debts *debts);

/* The addresses whose translation it is about. */
struct irange debt_range(const struct debt *debt);

/* ---- discipline_payment.c --------------------------------------------------------------------- */

void debts_see_tlbi(struct discipline *discipline, const struct observe_event *event);
void debts_see_dsb(struct discipline *discipline, const struct observe_event *event);

/* ---- discipline_context.c --------------------------------------------------------------------- */

/* May some CPU have cached what it found under the root that @root is a page of? */
bool context_may_cache(const struct context *context, const struct shadow *root);

/* The next context after @last (NULL: the first) that may; NULL: none. */
struct context *context_next(struct discipline *discipline, const struct shadow *root,
			     struct context *last);

/*
 * Whether @event, a write of the descriptor at @index of @table, copies what another root has there. Who
 * has that one's lock writes to it first, and then to the roots that follow it. The table that both
 * descriptors lead to hangs from the original.
 */
bool contexts_see_copy(struct discipline *discipline, struct shadow *table, unsigned int index,
		       const struct observe_event *event);

/* The root of @context has a valid descriptor now: if it is loaded, walks may cache. */
void contexts_see_root(struct discipline *discipline, const struct shadow *root);
void contexts_see_load(struct discipline *discipline, const struct observe_event *event);
void contexts_see_tlbi(struct discipline *discipline, const struct observe_event *event);
void contexts_see_dsb(struct discipline *discipline, const struct observe_event *event);

/* ---- discipline_write.c, discipline_table.c: what must hold of tables, and what is known then ------- */

void shadows_see_write(struct discipline *discipline, const struct observe_event *event);
void shadows_see_table(struct discipline *discipline, const struct observe_event *event);
void shadows_see_free(struct discipline *discipline, const struct observe_event *event);
void shadows_see_release(struct discipline *discipline, const struct observe_event *event);
void shadows_see_lock(struct discipline *discipline, const struct observe_event *event);

/* ---- discipline_report.c ---------------------------------------------------------------------- */

/* @rule is broken by @event; what about, in printf's words. */
__attribute__((format(printf, 4, 5))) void discipline_broken(struct discipline *discipline,
							     enum discipline_rule rule,
							     const struct observe_event *event,
							     const char *format, ...);

/* The rule that @debt breaks is broken by @event, which does @what; the debt is no more. */
void discipline_unpaid(struct discipline *discipline, struct context *context, struct debt *debt,
		       enum discipline_rule not_begun, const struct observe_event *event,
		       const char *what);

/* ---- discipline_step.c ------------------------------------------------------------------------ */

void discipline_begin(struct discipline *discipline, void *arena, size_t size,
		      void (*complain)(const char *text));
void discipline_step(struct discipline *discipline, const struct observe_event *event);

/* ---- discipline_trace.c ----------------------------------------------------------------------- */

/* What lies before all events, at the @number-th, in the same words. */
void discipline_describe_machine(uint64_t number, void (*print)(const char *line));

/* @event, the @number-th, in casemate's words, one line for each; none if it has no words for it. */
void discipline_describe(const struct observe_event *event, uint64_t number,
			 void (*print)(const char *line));
