/* SPDX-License-Identifier: BSD-3-Clause */
/* The contract between the subsystem and a CPU, as both the real and the simulated one keep it. */
#include "mapping.h"
#include <arch/barrier.h>
#include <arch/counters.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/memory.h>
#include <arch/observe.h>
#include <arch/tlb.h>

TEST(features_are_within_what_we_use)
{
	const struct arch_features *features = arch_features();

	EXPECT_TRUE(features != NULL);
	EXPECT_TRUE(features->granule_4k);
	EXPECT_TRUE(features->pa_bits >= 32 && features->pa_bits <= ADDRESS_BITS_MAX);
	EXPECT_TRUE(features->vmid_bits == 8 || features->vmid_bits == 16);
	EXPECT_TRUE(features->bbm_level <= 2);
	EXPECT_TRUE(cpu_index() == 0);
	cpu_relax();
}

/* The page, all of it, and nothing beside it. */
TEST(page_zero_and_page_copy_keep_to_the_page)
{
	struct segment segment = world_segment(world, 6, PAGE_SIZE);
	uint64_t start = segment.start.value;

	for (uint64_t at = start; at < segment.end.value; at += 8)
		world_write(paddr(at), at);
	page_zero(mm_linear(paddr(start + PAGE_SIZE)));
	page_copy(mm_linear(paddr(start + 4 * PAGE_SIZE)), mm_linear(paddr(start + 2 * PAGE_SIZE)));
	for (uint64_t at = start; at < segment.end.value; at += 8) {
		uint64_t page = (at - start) / PAGE_SIZE;
		uint64_t expected = page == 1 ? 0 : page == 4 ? at - 2 * PAGE_SIZE : at;

		EXPECT_EQUAL(world_read(paddr(at)), expected);
	}
	segment_drop(&segment);
}

/* Any start and any size, none included. */
TEST(instruction_cache_sync_takes_any_range)
{
	frame_t frame = world_frame(world);
	const char *page = mm_linear(frame.paddr);

	world_write(frame.paddr, 42);
	instruction_cache_sync(page, PAGE_SIZE);
	instruction_cache_sync(page + 3, 1);
	instruction_cache_sync(page + 60, 9);
	instruction_cache_sync(page, 0);
	EXPECT_EQUAL(world_read(frame.paddr), 42);
	frame_drop(&frame);
}

/* ---- What is issued is counted, and seen --------------------------------------------------- */

enum { ADDRESS, RANGE, VMID, ALL, DSB, ISB, COUNTERS };

static struct arch_counters before;

static void count_from_here(void)
{
	before = arch_counters_read();
}

static void expect_counted(const uint8_t expected[COUNTERS])
{
	struct arch_counters now = arch_counters_read();

	EXPECT_EQUAL(now.tlbi_address - before.tlbi_address, expected[ADDRESS]);
	EXPECT_EQUAL(now.tlbi_range - before.tlbi_range, expected[RANGE]);
	EXPECT_EQUAL(now.tlbi_vmid - before.tlbi_vmid, expected[VMID]);
	EXPECT_EQUAL(now.tlbi_all - before.tlbi_all, expected[ALL]);
	EXPECT_EQUAL(now.dsb - before.dsb, expected[DSB]);
	EXPECT_EQUAL(now.isb - before.isb, expected[ISB]);
}

#if STRATA_CHECKED

static struct observe_event last_event;
static unsigned int event_count;

static void note(const struct observe_event *event)
{
	last_event = *event;
	event_count++;
}

static struct observer watcher = { .see = note };

static void see_from_here(void)
{
	event_count = 0;
	observe_attach(&watcher);
}

static void expect_seen(enum observe_kind kind)
{
	observe_detach(&watcher);
	EXPECT_EQUAL(event_count, 1);
	EXPECT_EQUAL(last_event.kind, kind);
}

static void expect_scope(enum observe_scope scope)
{
	EXPECT_EQUAL(last_event.scope, scope);
}

static void expect_seen_range(enum observe_kind kind, struct irange range, int level,
			      enum tlb_depth depth, uint64_t vmid)
{
	expect_seen(kind);
	EXPECT_EQUAL(last_event.range.start.value, range.start.value);
	EXPECT_EQUAL(last_event.range.end.value, range.end.value);
	EXPECT_EQUAL((uint64_t)last_event.level, (uint64_t)level);
	EXPECT_EQUAL(last_event.depth, depth);
	EXPECT_EQUAL(last_event.value, vmid);
}

#else

static void see_from_here(void)
{
}

#define expect_seen(kind) ((void)0)
#define expect_scope(scope) ((void)0)
#define expect_seen_range(kind, range, level, depth, vmid) ((void)(range))

#endif

TEST(barriers_are_counted_and_seen)
{
	static const uint8_t one_dsb[COUNTERS] = { [DSB] = 1 };
	static const uint8_t one_isb[COUNTERS] = { [ISB] = 1 };

	count_from_here();
	see_from_here();
	dsb_ishst();
	expect_seen(OBSERVE_DSB_ISHST);
	expect_counted(one_dsb);

	count_from_here();
	see_from_here();
	dsb_ish();
	expect_seen(OBSERVE_DSB_ISH);
	expect_counted(one_dsb);

	count_from_here();
	see_from_here();
	isb();
	expect_seen(OBSERVE_ISB);
	expect_counted(one_isb);
}

TEST(el2_invalidations_are_counted_and_seen)
{
	static const uint8_t one_address[COUNTERS] = { [ADDRESS] = 1 };
	static const uint8_t one_range[COUNTERS] = { [RANGE] = 1 };
	static const uint8_t one_all[COUNTERS] = { [ALL] = 1 };
	uint64_t window = world_el2_window(world).start.value;
	struct irange page = span(window, PAGE_SIZE);
	struct irange pages = span(window, 64 * PAGE_SIZE);

	count_from_here();
	see_from_here();
	tlbi_el2_address(page.start, 3, TLB_LEAF_ONLY);
	expect_seen_range(OBSERVE_TLBI_EL2_ADDRESS, page, 3, TLB_LEAF_ONLY, 0);
	expect_counted(one_address);

	count_from_here();
	see_from_here();
	tlbi_el2_all();
	expect_seen(OBSERVE_TLBI_EL2_ALL);
	expect_counted(one_all);

	count_from_here();
	see_from_here();
	tlbi_el2_all_here();
	expect_seen(OBSERVE_TLBI_EL2_ALL);
	expect_scope(OBSERVE_THIS_CPU);
	expect_counted(one_all);

	if (arch_features()->tlb_range) {
		count_from_here();
		see_from_here();
		tlbi_el2_range(pages, TLB_LEVEL_ANY, TLB_ALL_LEVELS);
		expect_seen_range(OBSERVE_TLBI_EL2_RANGE, pages, TLB_LEVEL_ANY, TLB_ALL_LEVELS, 0);
		expect_counted(one_range);
	}
	dsb_ish();
	isb();
}

TEST(stage2_invalidations_are_counted_and_seen)
{
	static const uint8_t one_address[COUNTERS] = { [ADDRESS] = 1 };
	static const uint8_t one_range[COUNTERS] = { [RANGE] = 1 };
	static const uint8_t one_vmid[COUNTERS] = { [VMID] = 1 };
	static const uint8_t one_all[COUNTERS] = { [ALL] = 1 };
	struct irange page = span(MIB(4), PAGE_SIZE);
	struct irange pages = span(MIB(4), 64 * PAGE_SIZE);
	struct vm_space space;
	uint16_t vmid;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	vmid = vm_space_vmid(&space);

	count_from_here();
	see_from_here();
	tlbi_ipa_address(page.start, TLB_LEVEL_ANY, TLB_ALL_LEVELS);
	expect_seen_range(OBSERVE_TLBI_IPA_ADDRESS, page, TLB_LEVEL_ANY, TLB_ALL_LEVELS, vmid);
	expect_counted(one_address);

	count_from_here();
	see_from_here();
	tlbi_vmid_stage1();
	expect_seen(OBSERVE_TLBI_VMID_STAGE1);
	expect_counted(one_vmid);

	count_from_here();
	see_from_here();
	tlbi_vmid_stage12();
	expect_seen(OBSERVE_TLBI_VMID_STAGE12);
	expect_counted(one_vmid);

	count_from_here();
	see_from_here();
	tlbi_all_vmids();
	expect_seen(OBSERVE_TLBI_ALL_VMIDS);
	expect_counted(one_all);

	if (arch_features()->tlb_range) {
		count_from_here();
		see_from_here();
		tlbi_ipa_range(pages, 3, TLB_LEAF_ONLY);
		expect_seen_range(OBSERVE_TLBI_IPA_RANGE, pages, 3, TLB_LEAF_ONLY, vmid);
		expect_counted(one_range);
	}
	dsb_ish();
	isb();
	(void)vmid;
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* What was loaded last is what stage2_active says, a copy of it, until it is unloaded. */
TEST(stage2_context_is_what_was_loaded_last)
{
	struct vm_space space;
	struct stage2_context context;

	world_space(world, &space);
	context = (struct stage2_context){ space.root, 7, space.geometry, false };
	EXPECT_TRUE(stage2_active() == NULL);
	before = arch_counters_read();
	stage2_load(&context);
	EXPECT_EQUAL(arch_counters_read().stage2_loads, before.stage2_loads + 1);
	context.vmid = 9;
	EXPECT_TRUE(stage2_active() != NULL);
	EXPECT_EQUAL(stage2_active()->vmid, 7);
	EXPECT_EQUAL(stage2_active()->root.value, space.root.value);
	EXPECT_EQUAL(stage2_active()->geometry.ia_bits, space.geometry.ia_bits);
	stage2_load(&context);
	EXPECT_EQUAL(stage2_active()->vmid, 9);
	stage2_unload();
	EXPECT_TRUE(stage2_active() == NULL);
	EXPECT_OK(vm_space_destroy(&space));
}
