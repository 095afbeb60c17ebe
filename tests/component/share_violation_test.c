/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Share certificates: each violation is reported at the guilty call, with the pages, the kind and
 * both owners, and changes nothing.
 */
#include "share_stage.h"

#if STRATA_CHECKED

/* However a share was ended, whatever is done with the handle next is a violation. */
TEST(every_act_on_an_ended_share_is_reported)
{
	for (enum act end = 0; end < FIRST_OTHER_ACT; end++)
		for (enum act next = 0; next < FIRST_OTHER_ACT; next++) {
			static struct stage stage, now, handles;
			struct prange pages;

			if (!acts[end].ends || acts[next].kind != acts[end].kind)
				continue;
			set_up(world, &stage);
			maker(&stage, make_of(acts[end].kind));
			pages = pages_of(&stage, acts[end].kind);
			handles = stage;
			ender(&stage, end);
			EXPECT_STATUS(stage.status, MM_OK);
			EXPECT_EQUAL(reports, 0);

			now = stage;
			keep_handles(&stage, &handles);
			expect_violation(&stage, next,
					 acts[next].ends ? SHARE_ENDED_TWICE : SHARE_USED_AFTER_END,
					 pages, maker, ender);

			keep_handles(&stage, &now);
			stage.raw = now.raw;
			stage.other_frame = now.other_frame;
			stage.other_segment = now.other_segment;
			clean_up(&stage, end);
			EXPECT_EQUAL(reports, 1);
			tear_down(&stage);
		}
}

/* The page was freed, and somebody else has it now: that owner keeps it. */
TEST(every_act_on_a_stale_handle_is_reported)
{
	for (enum act next = 0; next < FIRST_OTHER_ACT; next++)
		for (int life = 0; life < 3; life++) {
			static struct stage stage;
			enum share_kind kind = acts[next].kind;
			struct segment segment;
			unique_frame_t unique;
			struct prange pages;
			frame_t frame;

			set_up(world, &stage);
			maker(&stage, make_of(kind));
			pages = pages_of(&stage, kind);
			ender(&stage, kind == SHARE_FRAME	   ? FRAME_DROP
				      : kind == SHARE_UNIQUE_FRAME ? UNIQUE_DROP
								   : SEGMENT_DROP);
			if (life == 0)
				EXPECT_OK(frame_from_unused(pages.start, &frame));
			else if (life == 1)
				EXPECT_OK(unique_frame_from_unused(pages.start, NULL, &unique));
			else
				EXPECT_OK(segment_from_unused(pages, &segment));
			expect_violation(&stage, next, SHARE_STALE, pages, maker, ender);
			if (life == 0)
				frame_drop(&frame);
			else if (life == 1)
				unique_frame_drop(&unique);
			else
				segment_drop(&segment);
			EXPECT_EQUAL(reports, 1);
			tear_down(&stage);
		}
}

/* A handle that nobody gave out, for a page that is there. */
TEST(every_act_on_a_forged_handle_is_reported)
{
	for (enum act next = 0; next < FIRST_OTHER_ACT; next++)
		for (unsigned int forgery = 0; forgery < 4; forgery++) {
			static const struct share_certificate certificates[] = {
				{ 0, 0 },
				{ 1, UINT32_C(0x7fffffff) },
				{ UINT32_C(0x7ffffffe), 1 },
				{ 0, 1 },
			};
			static struct stage stage;
			enum share_kind kind = acts[next].kind;
			struct stage handles;

			set_up(world, &stage);
			maker(&stage, make_of(kind));
			handles = stage;
			stage.frame.certificate = certificates[forgery];
			stage.unique.certificate = certificates[forgery];
			stage.segment.certificate = certificates[forgery];
			expect_violation(&stage, next, SHARE_FORGED, pages_of(&stage, kind), NULL,
					 NULL);
			keep_handles(&stage, &handles);
			maker(&stage, kind == SHARE_FRAME	   ? FRAME_DROP
				      : kind == SHARE_UNIQUE_FRAME ? UNIQUE_DROP
								   : SEGMENT_DROP);
			EXPECT_EQUAL(reports, 1);
			tear_down(&stage);
		}
}

/* A true certificate on something else: another page, another length, another kind. */
TEST(every_act_on_an_altered_handle_is_reported)
{
	static struct stage stage;
	struct stage handles;

	set_up(world, &stage);
	maker(&stage, MAKE_FRAME);
	maker(&stage, MAKE_UNIQUE);
	maker(&stage, MAKE_SEGMENT);
	handles = stage;
	for (enum act next = 0; next < FIRST_OTHER_ACT; next++) {
		enum share_kind kind = acts[next].kind;

		stage.frame.paddr = handles.unique.paddr;
		stage.unique.paddr = handles.frame.paddr;
		stage.segment.end.value -= PAGE_SIZE;
		expect_violation(&stage, next, SHARE_FORGED, pages_of(&stage, kind), maker, NULL);
		keep_handles(&stage, &handles);

		stage.frame.certificate = handles.unique.certificate;
		stage.unique.certificate = handles.segment.certificate;
		stage.segment.certificate = handles.frame.certificate;
		expect_violation(&stage, next, SHARE_FORGED, pages_of(&stage, kind), maker, NULL);
		keep_handles(&stage, &handles);
	}
	frame_drop(&stage.frame);
	unique_frame_drop(&stage.unique);
	segment_drop(&stage.segment);
	tear_down(&stage);
}

/* Addresses that are not even memory. */
TEST(a_forged_address_is_not_looked_at)
{
	static const uint64_t addresses[] = { 0, 1, UINT64_C(1) << 47, UINT64_MAX,
					      UINT64_MAX - PAGE_SIZE + 1 };

	listen();
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		frame_t frame = { .paddr = paddr(addresses[i]) };
		unique_frame_t unique = { .paddr = paddr(addresses[i]) };
		struct segment segment = { .start = paddr(addresses[i]),
					   .end = paddr(addresses[i] + 2 * PAGE_SIZE) };

		reports = 0;
		frame_drop(&frame);
		EXPECT_EQUAL(frame_reference_count(&frame), 0);
		unique_frame_drop(&unique);
		segment_drop(&segment);
		EXPECT_EQUAL(reports, 4);
		EXPECT_EQUAL(reported.sort, SHARE_FORGED);
		frame = frame_from_raw(paddr(addresses[i]));
		EXPECT_EQUAL(reports, 5);
		EXPECT_EQUAL(reported.sort, SHARE_RAW_UNKNOWN);
		/* What a guilty from_raw gives is no handle. */
		frame_drop(&frame);
		EXPECT_EQUAL(reports, 6);
		EXPECT_EQUAL(reported.sort, SHARE_FORGED);
	}
	end_listening();
}

/* A borrowed handle may be used as long as its lender lasts, and ends nothing. */
TEST(a_borrowed_handle_ends_no_share)
{
	static struct stage stage;
	struct stage handles;

	set_up(world, &stage);
	maker(&stage, MAKE_FRAME);
	handles = stage;
	culprit(&stage, FRAME_BORROW);
	stage.frame = stage.other_frame;
	for (enum act next = FRAME_DROP; acts[next].kind == SHARE_FRAME; next++) {
		if (acts[next].ends) {
			expect_violation(&stage, next, SHARE_BORROWED_ENDED,
					 pages_of(&stage, SHARE_FRAME), maker, NULL);
			continue;
		}
		reports = 0;
		culprit(&stage, next);
		EXPECT_EQUAL(reports, 0);
		if (next == FRAME_CLONE)
			frame_drop(&stage.other_frame);
	}

	/* Borrowed from the borrower, and the lender goes. */
	frame_t borrowed = frame_borrow(&stage.frame);

	stage.frame = handles.frame;
	ender(&stage, FRAME_DROP);
	stage.frame = borrowed;
	EXPECT_EQUAL(reports, 0);
	expect_violation(&stage, FRAME_COUNT, SHARE_USED_AFTER_END, pages_of(&stage, SHARE_FRAME),
			 maker, ender);
	expect_violation(&stage, FRAME_DROP, SHARE_BORROWED_ENDED, pages_of(&stage, SHARE_FRAME),
			 maker, ender);
	tear_down(&stage);
}

/* Taken back twice: who made it raw, and who took it first. */
TEST(raw_taken_twice_is_reported)
{
	static const enum act raw[][3] = {
		{ MAKE_FRAME, FRAME_INTO_RAW, FRAME_FROM_RAW },
		{ MAKE_UNIQUE, UNIQUE_INTO_RAW, UNIQUE_FROM_RAW },
		{ MAKE_SEGMENT, SEGMENT_INTO_RAW, SEGMENT_FROM_RAW },
	};

	for (size_t i = 0; i < COUNT_OF(raw); i++) {
		static struct stage stage;
		struct prange pages;
		struct stage handles;

		set_up(world, &stage);
		maker(&stage, raw[i][0]);
		pages = pages_of(&stage, acts[raw[i][0]].kind);
		maker(&stage, raw[i][1]);
		ender(&stage, raw[i][2]);
		EXPECT_EQUAL(reports, 0);
		handles = stage;
		expect_violation(&stage, raw[i][2], SHARE_RAW_TAKEN_TWICE, pages, maker, ender);
		keep_handles(&stage, &handles);
		maker(&stage, i == 0 ? FRAME_DROP : i == 1 ? UNIQUE_DROP : SEGMENT_DROP);
		EXPECT_EQUAL(reports, 1);
		/* The page is free now, and yet known to have been taken. */
		expect_violation(&stage, raw[i][2], SHARE_RAW_TAKEN_TWICE, pages, maker, ender);
		tear_down(&stage);
	}
}

/* Taken back and never made raw: by nobody, as another kind, with other pages. */
TEST(raw_of_nobody_is_reported)
{
	static struct stage stage;
	struct stage handles;
	struct prange pages, part;

	set_up(world, &stage);
	maker(&stage, MAKE_SEGMENT);
	pages = pages_of(&stage, SHARE_SEGMENT);
	part = prange(pages.start, paddr(pages.end.value - PAGE_SIZE));
	handles = stage;
	stage.raw = pages;
	expect_violation(&stage, SEGMENT_FROM_RAW, SHARE_RAW_UNKNOWN, pages, NULL, NULL);
	keep_handles(&stage, &handles);

	maker(&stage, SEGMENT_INTO_RAW);
	expect_violation(&stage, FRAME_FROM_RAW, SHARE_RAW_UNKNOWN, page_range(pages.start), NULL,
			 NULL);
	expect_violation(&stage, UNIQUE_FROM_RAW, SHARE_RAW_UNKNOWN, page_range(pages.start), NULL,
			 NULL);
	stage.raw = part;
	expect_violation(&stage, SEGMENT_FROM_RAW, SHARE_RAW_UNKNOWN, part, NULL, NULL);
	stage.raw = pages;
	maker(&stage, SEGMENT_FROM_RAW);
	segment_drop(&stage.segment);
	EXPECT_EQUAL(reports, 4);
	tear_down(&stage);
}

#endif
