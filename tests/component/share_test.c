/* SPDX-License-Identifier: BSD-3-Clause */
/* Shares: what ends one and what does not, how many there are, and what becomes of old ones. */
#include "share_stage.h"
#if STRATA_CHECKED && WORLD_SIMULATED
#include <setjmp.h>
#endif

#if STRATA_CHECKED

/* As many raw addresses of one page as there were handles, and not one more. */
TEST(each_raw_address_is_taken_once)
{
	enum { CLONES = 40 };
	frame_t frames[CLONES];
	struct segment segment;
	struct paddr page;
	frame_t one_more;

	frames[0] = world_frame(world);
	page = frames[0].paddr;
	for (int i = 1; i < CLONES; i++)
		EXPECT_OK(frame_clone(&frames[0], &frames[i]));
	/* A raw segment of the same page, in between. */
	segment = segment_from_frame(&frames[CLONES - 1]);
	for (int i = 0; i < CLONES - 1; i++) {
		if (i == CLONES / 2)
			(void)segment_into_raw(&segment);
		EXPECT_EQUAL(frame_into_raw(&frames[i]).value, page.value);
	}
	listen();
	for (int i = 0; i < CLONES - 1; i++)
		frames[i] = frame_from_raw(page);
	EXPECT_EQUAL(reports, 0);
	one_more = frame_from_raw(page);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_RAW_TAKEN_TWICE);
	frame_drop(&one_more);
	EXPECT_EQUAL(reports, 2);
	segment = segment_from_raw(page_range(page));
	EXPECT_EQUAL(reports, 2);
	end_listening();
	segment_drop(&segment);
	for (int i = 0; i < CLONES - 1; i++) {
		EXPECT_EQUAL(frame_reference_count(&frames[i]), CLONES - 1 - i);
		frame_drop(&frames[i]);
	}
}

/* What fails for another reason ends nothing: the handle is as good as before. */
TEST(a_call_that_fails_ends_no_share)
{
	static const struct frame_kind kind = { "kind", NULL };
	struct frame_metadata metadata = { &kind };
	static struct stage stage;
	frame_t clone;

	set_up(world, &stage);
	maker(&stage, MAKE_FRAME);
	maker(&stage, MAKE_SEGMENT);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, &metadata, &stage.unique));
	for (int round = 0; round < 2; round++) {
		EXPECT_OK(cursor_jump(&stage.cursor, iaddr(PAGE_SIZE)));
		EXPECT_STATUS(cursor_map(&stage.cursor, &stage.frame, READ_WRITE), MM_EXISTS);
		EXPECT_STATUS(cursor_map_segment(&stage.cursor, &stage.segment, READ_WRITE),
			      MM_EXISTS);
		EXPECT_OK(cursor_jump(&stage.cursor, iaddr(0)));
		EXPECT_STATUS(cursor_replace(&stage.cursor, &stage.frame, READ_WRITE),
			      MM_NOT_MAPPED);
		EXPECT_STATUS(frame_list_push_back(&stage.list, &stage.unique), MM_IN_USE);
		EXPECT_OK(frame_clone(&stage.frame, &clone));
		EXPECT_STATUS(unique_frame_try_from_shared(&stage.frame, &stage.unique), MM_IN_USE);
		frame_drop(&clone);
		EXPECT_STATUS(segment_split(&stage.segment, 8, &stage.other_segment),
			      MM_NOT_ALIGNED);
		EXPECT_STATUS(segment_split(&stage.segment, 0, &stage.other_segment),
			      MM_OUT_OF_BOUND);
		EXPECT_STATUS(segment_slice(&stage.segment, prange(paddr(0), stage.segment.end),
					    &stage.other_segment),
			      MM_OUT_OF_BOUND);
	}
	EXPECT_EQUAL(reports, 0);
	/* Nor did anybody end it: what is wrong with an altered copy is not that. */
	clone = stage.frame;
	clone.paddr = stage.segment.start;
	frame_drop(&clone);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_FORGED);
	EXPECT_EQUAL(reported.ended_by, 0);
	reports = 0;
	/* And none of these calls made a share that nobody ends. */
	uint64_t certified = share_statistics().certified;

	frame_drop(&stage.frame);
	segment_drop(&stage.segment);
	unique_frame_drop(&stage.unique);
	EXPECT_EQUAL(reports, 0);
	EXPECT_EQUAL(share_statistics().certified, certified - 3);
	tear_down(&stage);
}

static frame_t being_mapped;
static uint32_t references_meanwhile;

static void meddle(struct frame_metadata *metadata, struct paddr page)
{
	(void)metadata;
	(void)page;
	references_meanwhile = frame_reference_count(&being_mapped);
	frame_drop(&being_mapped);
}

/* While an operation has a share in hand it may be used still, but nobody else can end it. */
TEST(a_share_in_hand_is_ended_by_nobody_else)
{
	static const struct frame_kind kind = { "meddler", meddle };
	struct frame_metadata metadata = { &kind };
	static struct stage stage;
	frame_t frame;

	set_up(world, &stage);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, &metadata, &stage.unique));
	frame = unique_frame_into_shared(&stage.unique);
	EXPECT_OK(cursor_map(&stage.cursor, &frame, READ_WRITE));
	EXPECT_OK(cursor_jump(&stage.cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&stage.cursor, PAGE_SIZE, NULL));
	EXPECT_OK(cursor_jump(&stage.cursor, iaddr(0)));
	being_mapped = world_frame(world);
	EXPECT_EQUAL(reports, 0);
	references_meanwhile = 0;
	/* Mapping flushes, the flush drops the other page, and its metadata's owner meddles. */
	EXPECT_OK(cursor_map(&stage.cursor, &being_mapped, READ_WRITE));
	EXPECT_EQUAL(references_meanwhile, 1);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_ENDED_TWICE);
	EXPECT_EQUAL(reported.pages.start.value, being_mapped.paddr.value);
	EXPECT_EQUAL(references_of(being_mapped.paddr), 1);
	tear_down(&stage);
}

/* What a segment was before a part went out of it is not a segment any more; what it is now, is. */
TEST(segments_that_changed_have_new_shares)
{
	struct segment segment = world_segment(world, 4, PAGE_SIZE);
	struct segment copy = segment;
	struct segment rest;
	frame_t frame;

	listen();
	EXPECT_TRUE(segment_next(&segment, &frame));
	EXPECT_OK(segment_split(&segment, PAGE_SIZE, &rest));
	EXPECT_EQUAL(reports, 0);
	segment_drop(&copy);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_ENDED_TWICE);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_TRUE(segment_next(&rest, &frame));
	frame_drop(&frame);
	EXPECT_TRUE(segment_next(&rest, &frame));
	frame_drop(&frame);
	EXPECT_FALSE(segment_next(&rest, &frame));
	EXPECT_EQUAL(reports, 1);
	/* Empty, it is void: there is nothing to drop. */
	segment_drop(&rest);
	EXPECT_EQUAL(reports, 2);
	end_listening();
}

/* After very many more shares the handle's place belongs to another; it is no better for that. */
TEST(old_evidence_fades_but_the_violation_stays)
{
	frame_t frame = world_frame(world);
	frame_t old = frame;
	frame_t holder;
	uint64_t rounds = 0;

	EXPECT_OK(frame_clone(&frame, &holder));
	frame_drop(&frame);
	listen();
	/* At most as many as there were shares at one time; without others before, a few thousand. */
	do {
		for (int i = 0; i < 1024; i++) {
			frame_t clone;

			EXPECT_OK(frame_clone(&holder, &clone));
			frame_drop(&clone);
		}
		frame_drop(&old);
		rounds++;
	} while (reported.made_by != 0 && rounds <= share_statistics().capacity / 1024);
	EXPECT_EQUAL(reports, rounds);
	EXPECT_TRUE(rounds >= 4);
	EXPECT_EQUAL(reported.sort, SHARE_ENDED_TWICE);
	EXPECT_EQUAL(reported.made_by, 0);
	EXPECT_EQUAL(reported.ended_by, 0);
	EXPECT_EQUAL(frame_reference_count(&holder), 1);
	end_listening();
	frame_drop(&holder);
	listen();
	EXPECT_OK(frame_from_unused(old.paddr, &holder));
	frame_drop(&old);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_STALE);
	end_listening();
	frame_drop(&holder);
}

TEST(shares_are_counted)
{
	uint64_t certified = share_statistics().certified;
	frame_t frame = world_frame(world);
	frame_t clone, borrowed;
	struct paddr page;

	EXPECT_EQUAL(share_statistics().certified, certified + 1);
	EXPECT_OK(frame_clone(&frame, &clone));
	EXPECT_EQUAL(share_statistics().certified, certified + 2);
	borrowed = frame_borrow(&frame);
	EXPECT_EQUAL(share_statistics().certified, certified + 2);
	EXPECT_EQUAL(borrowed.paddr.value, frame.paddr.value);
	page = frame_into_raw(&frame);
	EXPECT_EQUAL(share_statistics().certified, certified + 2);
	frame = frame_from_raw(page);
	frame_drop(&frame);
	frame_drop(&clone);
	EXPECT_EQUAL(share_statistics().certified, certified);
	EXPECT_TRUE(share_statistics().capacity > 0);
}

TEST(sorts_and_kinds_have_names)
{
#define EXPECT_KIND(name, text) EXPECT_TRUE(__builtin_strcmp(share_kind_name(name), text) == 0);
	SHARE_KIND_LIST(EXPECT_KIND)
#define EXPECT_SORT(name, text)                                                                    \
	EXPECT_TRUE(__builtin_strcmp(share_violation_name(name), text) == 0);
	SHARE_VIOLATION_LIST(EXPECT_SORT)
	EXPECT_TRUE(__builtin_strcmp(share_kind_name((enum share_kind)99), "unknown share") == 0);
	EXPECT_TRUE(__builtin_strcmp(share_violation_name((enum share_violation_sort)99),
				     "unknown violation") == 0);
}

#if WORLD_SIMULATED

static jmp_buf after_panic;
static const char *panic_invariant;
static uint64_t panic_value;

static void __attribute__((noreturn)) panicked(const char *invariant, uint64_t value)
{
	panic_invariant = invariant;
	panic_value = value;
	longjmp(after_panic, 1);
}

/* Without a hook a violation is a broken invariant like any other. */
TEST(a_violation_without_a_hook_is_a_panic)
{
	struct world_config config = world_default_config();
	struct mm_config mm_config = {
		.memory = config.machine.memory,
		.memory_count = config.machine.memory_count,
		.linear_offset = machine_linear_offset(),
		.panic = panicked,
	};
	static frame_t frame;

	EXPECT_OK(mm_init(&mm_config));
	frame = world_frame(world);
	frame_drop(&frame);
	if (setjmp(after_panic) == 0) {
		frame_drop(&frame);
		FAIL("no panic");
	}
	EXPECT_TRUE(__builtin_strcmp(panic_invariant, share_violation_name(SHARE_ENDED_TWICE)) ==
		    0);
	EXPECT_EQUAL(panic_value, frame.paddr.value);
	world_restart(world, &config);
}

/* More shares than places: those that are over are counted, not checked, and never a failure. */
TEST(a_full_table_is_no_failure)
{
	enum { MORE = 100 };
	struct world_config config = world_default_config();
	static frame_t clones[16384];
	frame_t frame, late;
	uint64_t capacity;
	struct paddr page;

	config.machine.memory[0] = prange(paddr(0x40000000), paddr(0x40400000));
	config.machine.memory_count = 1;
	config.reservation_count = 0;
	world_restart(world, &config);
	listen();
	capacity = share_statistics().capacity;
	EXPECT_TRUE(capacity + MORE <= COUNT_OF(clones));
	frame = world_frame(world);
	page = frame.paddr;
	for (uint64_t i = 1; i < capacity + MORE; i++)
		EXPECT_OK(frame_clone(&frame, &clones[i]));
	EXPECT_EQUAL(share_statistics().certified, capacity);
	EXPECT_EQUAL(share_statistics().uncertified, MORE);

	/* Uncertified, raw and back: nothing is known of it, and nothing is wrong. */
	late = clones[capacity + MORE - 1];
	EXPECT_EQUAL(frame_into_raw(&late).value, page.value);
	late = frame_from_raw(page);
	frame_drop(&late);
	EXPECT_EQUAL(reports, 0);
	/* Of those that have a place everything is known still. */
	frame_drop(&clones[1]);
	frame_drop(&clones[1]);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(reported.sort, SHARE_ENDED_TWICE);

	for (uint64_t i = 2; i < capacity + MORE - 1; i++)
		frame_drop(&clones[i]);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
	EXPECT_EQUAL(reports, 1);
	EXPECT_EQUAL(share_statistics().certified, 0);
	end_listening();

	/* There is room again. */
	uint64_t uncertified = share_statistics().uncertified;

	frame = world_frame(world);
	EXPECT_EQUAL(share_statistics().certified, 1);
	EXPECT_EQUAL(share_statistics().uncertified, uncertified);
	frame_drop(&frame);
}

#endif

#endif
