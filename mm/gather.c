/* SPDX-License-Identifier: BSD-3-Clause */
#include "gather.h"
#include <arch/barrier.h>
#include <arch/canary.h>
#include <arch/features.h>
#include <arch/observe.h>
#include "deferred_tables.h"
#include "node.h"
#include "per_cpu.h"
#include "report.h"
#include "slot.h"
#include "vmid.h"
#include "window_space.h"

#include <strata/cursor.h>

/*
 * Above this many single-address TLBIs one for the whole regime is cheaper: it is one instruction
 * here, and what it costs others to refill is about this many walks.
 */
#define ADDRESS_TLBIS_MAX 64

/* What a range takes, about: an instruction for each of four sizes of its parts. */
#define RANGE_TLBIS 4

static void add_range(struct tlb_gather *gather, struct irange range, int level,
		      enum tlb_depth depth)
{
	if (gather->range_count > 0) {
		struct tlb_gather_range *last = &gather->ranges[gather->range_count - 1];

		if (last->range.end.value == range.start.value && last->level == level &&
		    last->depth == depth) {
			last->range.end = range.end;
			return;
		}
	}
	if (gather->range_count == TLB_GATHER_RANGES) {
		gather->everything = true;
		return;
	}
	gather->ranges[gather->range_count++] = (struct tlb_gather_range){
		.range = range,
		.level = (int8_t)level,
		.depth = depth,
	};
}

void gather_leaves(struct tlb_gather *gather, struct irange range, int level)
{
	add_range(gather, range, level, TLB_LEAF_ONLY);
}

void gather_subtree(struct tlb_gather *gather, struct irange span)
{
	add_range(gather, span, TLB_LEVEL_ANY, TLB_ALL_LEVELS);
}

void gather_empty_table(struct tlb_gather *gather, struct irange span)
{
	/*
	 * The leaves are gathered already. Invalidating any one address below the table at all levels
	 * removes the cached table descriptor, since every walk below it uses it.
	 */
	for (size_t i = 0; i < gather->range_count; i++) {
		struct tlb_gather_range *gathered = &gather->ranges[i];

		if (!irange_overlaps(gathered->range, span))
			continue;
		gathered->level = TLB_LEVEL_ANY;
		gathered->depth = TLB_ALL_LEVELS;
		return;
	}
	add_range(gather, irange(span.start, iaddr(span.start.value + PAGE_SIZE)), TLB_LEVEL_ANY,
		  TLB_ALL_LEVELS);
}

void gather_park_pages(struct vm_space *space, struct tlb_gather *gather, struct prange range)
{
	bool continues = gather->run_count > 0 &&
			 gather->runs[gather->run_count - 1].end.value == range.start.value;

	if (CANARY(parked_page_dropped))
		slots_release(range);
	COUNT(frames_parked, prange_size(range) >> PAGE_SHIFT);
	if (!continues && gather->run_count == TLB_GATHER_RUNS)
		gather_flush(space, gather);
	if (continues)
		gather->runs[gather->run_count - 1].end = range.end;
	else
		gather->runs[gather->run_count++] = range;
	REPORT(.kind = OPERATION_FLUSH_ISSUE, .space = space, .gather = gather, .pages = range,
	       .answer = gather->range_count == 0 && !gather->everything);
}

void gather_park_table(struct tlb_gather *gather, struct paddr table)
{
	node_chain(table, &gather->tables);
	gather->table_count++;
}

/* What one single-address TLBI steps over: a leaf, or a page if the leaves' level is not known. */
static uint64_t address_step(const struct tlb_gather_range *gathered)
{
	return gathered->level == TLB_LEVEL_ANY ? PAGE_SIZE : level_size(gathered->level);
}

static uint64_t address_tlbis(const struct tlb_gather_range *gathered)
{
	uint64_t step = address_step(gathered);

	return (irange_size(gathered->range) + step - 1) / step;
}

/* Whether one single-address TLBI is all that is needed: the common case of a page. */
static bool is_one_leaf(const struct tlb_gather *gather)
{
	return gather->range_count == 1 && !gather->everything &&
	       irange_size(gather->ranges[0].range) <= address_step(&gather->ranges[0]);
}

/* Whether to invalidate all of the regime instead of what was gathered. */
static bool everything_is_cheaper(const struct tlb_gather *gather)
{
	uint64_t tlbis = 0;

	if (gather->everything)
		return true;
	if (is_one_leaf(gather))
		return false;
	for (size_t i = 0; i < gather->range_count; i++) {
		bool by_range = arch_features()->tlb_range && address_tlbis(&gather->ranges[i]) > 1;

		tlbis += by_range ? RANGE_TLBIS : address_tlbis(&gather->ranges[i]);
	}
	return tlbis > ADDRESS_TLBIS_MAX;
}

struct invalidation {
	void (*address)(struct iaddr ia, int level, enum tlb_depth depth);
	void (*range)(struct irange range, int level, enum tlb_depth depth);
};

static void invalidate_gathered(const struct tlb_gather *gather,
				const struct invalidation *invalidation)
{
	if (is_one_leaf(gather)) {
		invalidation->address(gather->ranges[0].range.start, gather->ranges[0].level,
				      gather->ranges[0].depth);
		return;
	}
	for (size_t i = 0; i < gather->range_count; i++) {
		const struct tlb_gather_range *gathered = &gather->ranges[i];

		if (arch_features()->tlb_range && address_tlbis(gathered) > 1) {
			invalidation->range(gathered->range, gathered->level, gathered->depth);
			continue;
		}
		for (struct iaddr ia = gathered->range.start; ia.value < gathered->range.end.value;
		     ia.value += address_step(gathered))
			invalidation->address(ia, gathered->level, gathered->depth);
	}
}

static void invalidate_stage1(const struct vm_space *space, const struct tlb_gather *gather)
{
	static const struct invalidation el2 = { tlbi_el2_address, tlbi_el2_range };

	if (space->part == SPACE_IN_WINDOW && !window_space_may_be_cached(space))
		return;

	if (everything_is_cheaper(gather))
		tlbi_el2_all();
	else
		invalidate_gathered(gather, &el2);
	dsb_ish();
	isb();
}

static void invalidate_active_vmid(const struct tlb_gather *gather)
{
	static const struct invalidation ipa = { tlbi_ipa_address, tlbi_ipa_range };

	if (everything_is_cheaper(gather)) {
		tlbi_vmid_stage12();
		dsb_ish();
	} else {
		/*
		 * IPA invalidation alone leaves entries that combine both stages (Arm ARM D8.16.3,
		 * "TLB maintenance instructions by IPA"): the second invalidation removes those, and
		 * must not overtake the first, or a walk in between makes one again from what the
		 * first has not removed yet.
		 */
		invalidate_gathered(gather, &ipa);
		dsb_ish();
		tlbi_vmid_stage1();
		if (!CANARY(dsb_missing_after))
			dsb_ish();
	}
	isb();
}

/* These TLBIs act on the VMID in VTTBR_EL2: go there, if @space is not active here, and come back. */
static void invalidate_visited(const struct vm_space *space, const struct tlb_gather *gather)
{
	const struct stage2_context *active = stage2_active();

	if ((active != NULL && active->vmid == space->context.vmid) || CANARY(tlbi_wrong_vmid)) {
		invalidate_active_vmid(gather);
		return;
	}

	struct stage2_context before = { 0 };
	bool was_active = active != NULL;

	if (was_active)
		before = *active;
	stage2_load(&space->context);
	invalidate_active_vmid(gather);
	if (was_active)
		stage2_load(&before);
	else
		stage2_unload();
}

static void invalidate_stage2(struct vm_space *space, const struct tlb_gather *gather)
{
	if (vmid_is_active_here(space)) {
		invalidate_active_vmid(gather);
		return;
	}
	/* Without a VMID of this generation nothing of the space can be cached. */
	if (!vmid_visit(space))
		return;
	invalidate_visited(space, gather);
	vmid_end_visit();
}

#if STRATA_CHECKED

/* What a gather may have gathered: it is a member of a cursor. */
static struct irange gather_range(const struct tlb_gather *gather)
{
	const char *member = (const char *)gather;

	return ((const struct cursor *)(member - offsetof(struct cursor, gather)))->range;
}

#endif

static void drop_pages(const struct vm_space *space, struct tlb_gather *gather)
{
	(void)space; /* only who observes asks whose references they are */
	IN_FLIGHT();

	const size_t count = gather->run_count;

	for (size_t i = 0; i < count; i++) {
		struct prange run = gather->runs[i];

		if (CANARY(frame_not_dropped) && i == 0)
			run.end.value -= PAGE_SIZE;
		if (prange_is_empty(run))
			continue;
		REPORT(.kind = OPERATION_FLUSH_SYNC, .gather = gather, .pages = run);
		OBSERVE(.kind = OBSERVE_PAGES_RELEASE, .address = run.start, .root = space->root,
			.range = gather_range(gather), .value = prange_size(run));
		if (prange_size(run) == PAGE_SIZE)
			page_release(run.start);
		else
			slots_release(run);
	}
	gather->run_count = 0;
}

static void drop_tables(struct tlb_gather *gather)
{
	size_t count = gather->table_count;

	if (count == 0)
		return;
	gather->table_count = 0;
	tables_free(gather->tables, count);
}

void gather_flush(struct vm_space *space, struct tlb_gather *gather)
{
	if (CANARY(dropped_before_flush) || CANARY(page_released_unflushed))
		drop_pages(space, gather);
	if (CANARY(dropped_before_flush) || CANARY(table_freed_unflushed))
		drop_tables(gather);
	if (gather->range_count > 0 || gather->everything) {
		if (!CANARY(dsb_missing_before))
			dsb_ishst();
		if (space->stage == STAGE_1)
			invalidate_stage1(space, gather);
		else
			invalidate_stage2(space, gather);
		COUNT(gather_flushes, 1);
		REPORT(.kind = OPERATION_FLUSH_DISPATCH, .space = space, .gather = gather);
		gather->range_count = 0;
		gather->everything = false;
	}
	drop_pages(space, gather);
	drop_tables(gather);
}
