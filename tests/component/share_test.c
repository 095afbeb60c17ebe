/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Share certificates: each violation is reported at the guilty call, with the page, the kind and both
 * owners, and changes nothing.
 */
#include "mapping.h"
#include <strata/frame_list.h>
#include <strata/share.h>
#include <strata/unique_frame.h>

#if STRATA_CHECKED

/* ---- What is done with handles, and by whom -------------------------------------------------- */

#define ACTS(X)                                                                                    \
	X(FRAME_DROP, SHARE_FRAME, true)                                                           \
	X(FRAME_INTO_RAW, SHARE_FRAME, true)                                                       \
	X(FRAME_MAP, SHARE_FRAME, true)                                                            \
	X(FRAME_REPLACE, SHARE_FRAME, true)                                                        \
	X(FRAME_INTO_SEGMENT, SHARE_FRAME, true)                                                   \
	X(FRAME_INTO_UNIQUE, SHARE_FRAME, true)                                                    \
	X(FRAME_CLONE, SHARE_FRAME, false)                                                         \
	X(FRAME_BORROW, SHARE_FRAME, false)                                                        \
	X(FRAME_COUNT, SHARE_FRAME, false)                                                         \
	X(UNIQUE_DROP, SHARE_UNIQUE_FRAME, true)                                                   \
	X(UNIQUE_RESET, SHARE_UNIQUE_FRAME, true)                                                  \
	X(UNIQUE_INTO_RAW, SHARE_UNIQUE_FRAME, true)                                               \
	X(UNIQUE_INTO_SHARED, SHARE_UNIQUE_FRAME, true)                                            \
	X(UNIQUE_PUSH_FRONT, SHARE_UNIQUE_FRAME, true)                                             \
	X(UNIQUE_PUSH_BACK, SHARE_UNIQUE_FRAME, true)                                              \
	X(UNIQUE_INSERT, SHARE_UNIQUE_FRAME, true)                                                 \
	X(UNIQUE_METADATA, SHARE_UNIQUE_FRAME, false)                                              \
	X(UNIQUE_REPURPOSE, SHARE_UNIQUE_FRAME, false)                                             \
	X(SEGMENT_DROP, SHARE_SEGMENT, true)                                                       \
	X(SEGMENT_INTO_RAW, SHARE_SEGMENT, true)                                                   \
	X(SEGMENT_MAP, SHARE_SEGMENT, true)                                                        \
	X(SEGMENT_SPLIT, SHARE_SEGMENT, true)                                                      \
	X(SEGMENT_NEXT, SHARE_SEGMENT, true)                                                       \
	X(SEGMENT_CLONE, SHARE_SEGMENT, false)                                                     \
	X(SEGMENT_SLICE, SHARE_SEGMENT, false)                                                     \
	X(MAKE_FRAME, SHARE_FRAME, false)                                                          \
	X(MAKE_UNIQUE, SHARE_UNIQUE_FRAME, false)                                                  \
	X(MAKE_SEGMENT, SHARE_SEGMENT, false)                                                      \
	X(FRAME_FROM_RAW, SHARE_FRAME, false)                                                      \
	X(UNIQUE_FROM_RAW, SHARE_UNIQUE_FRAME, false)                                              \
	X(SEGMENT_FROM_RAW, SHARE_SEGMENT, false)

enum act {
#define ACT_ENUMERATOR(name, kind, ends) name,
	ACTS(ACT_ENUMERATOR)
#undef ACT_ENUMERATOR
	/* Before it: acts on a handle. */
	FIRST_OTHER_ACT = MAKE_FRAME,
};

static const struct {
	const char *name;
	enum share_kind kind;
	bool ends;
} acts[] = {
#define ACT_ROW(name, kind, ends) { #name, kind, ends },
	ACTS(ACT_ROW)
#undef ACT_ROW
};

/* Handles, places to put them, and what came out. */
struct stage {
	struct vm_space space;
	struct cursor cursor; /* at address 0; a page is mapped at address 0x1000 */
	struct frame_list list;
	frame_t frame, other_frame;
	unique_frame_t unique;
	struct segment segment, other_segment;
	struct prange raw;
	enum mm_status status;
	uint64_t answer;
};

enum { SEGMENT_PAGES = 3 };

static inline __attribute__((always_inline)) void act(struct stage *stage, enum act what)
{
	static const struct frame_kind kind = { "kind", NULL };
	static struct frame_metadata metadata = { &kind };
	struct frame_list_cursor place = frame_list_cursor_front(&stage->list);

	stage->status = MM_OK;
	stage->answer = 0;
	switch (what) {
	case FRAME_DROP:
		frame_drop(&stage->frame);
		break;
	case FRAME_INTO_RAW:
		stage->raw.start = frame_into_raw(&stage->frame);
		break;
	case FRAME_MAP:
		stage->status = cursor_map(&stage->cursor, &stage->frame, READ_WRITE);
		break;
	case FRAME_REPLACE:
		EXPECT_OK(cursor_jump(&stage->cursor, iaddr(PAGE_SIZE)));
		stage->status = cursor_replace(&stage->cursor, &stage->frame, READ_WRITE);
		break;
	case FRAME_INTO_SEGMENT:
		stage->other_segment = segment_from_frame(&stage->frame);
		break;
	case FRAME_INTO_UNIQUE:
		stage->status = unique_frame_try_from_shared(&stage->frame, &stage->unique);
		break;
	case FRAME_CLONE:
		stage->status = frame_clone(&stage->frame, &stage->other_frame);
		break;
	case FRAME_BORROW:
		stage->other_frame = frame_borrow(&stage->frame);
		break;
	case FRAME_COUNT:
		stage->answer = frame_reference_count(&stage->frame);
		break;
	case UNIQUE_DROP:
		unique_frame_drop(&stage->unique);
		break;
	case UNIQUE_RESET:
		unique_frame_reset_as_unused(&stage->unique);
		break;
	case UNIQUE_INTO_RAW:
		stage->raw.start = unique_frame_into_raw(&stage->unique);
		break;
	case UNIQUE_INTO_SHARED:
		stage->other_frame = unique_frame_into_shared(&stage->unique);
		break;
	case UNIQUE_PUSH_FRONT:
		stage->status = frame_list_push_front(&stage->list, &stage->unique);
		break;
	case UNIQUE_PUSH_BACK:
		stage->status = frame_list_push_back(&stage->list, &stage->unique);
		break;
	case UNIQUE_INSERT:
		stage->status = frame_list_cursor_insert_before(&place, &stage->unique);
		break;
	case UNIQUE_METADATA:
		stage->answer = unique_frame_metadata(&stage->unique) != NULL;
		break;
	case UNIQUE_REPURPOSE:
		unique_frame_repurpose(&stage->unique, &metadata);
		break;
	case SEGMENT_DROP:
		segment_drop(&stage->segment);
		break;
	case SEGMENT_INTO_RAW:
		stage->raw = segment_into_raw(&stage->segment);
		break;
	case SEGMENT_MAP:
		EXPECT_OK(cursor_jump(&stage->cursor, iaddr(2 * PAGE_SIZE)));
		stage->status = cursor_map_segment(&stage->cursor, &stage->segment, READ_WRITE);
		break;
	case SEGMENT_SPLIT:
		stage->status = segment_split(&stage->segment, PAGE_SIZE, &stage->other_segment);
		break;
	case SEGMENT_NEXT:
		stage->answer = segment_next(&stage->segment, &stage->other_frame);
		break;
	case SEGMENT_CLONE:
		stage->status = segment_clone(&stage->segment, &stage->other_segment);
		break;
	case SEGMENT_SLICE:
		stage->status = segment_slice(
			&stage->segment,
			prange(stage->segment.start, paddr(stage->segment.start.value + PAGE_SIZE)),
			&stage->other_segment);
		break;
	case MAKE_FRAME:
		EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &stage->frame));
		break;
	case MAKE_UNIQUE:
		EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &stage->unique));
		break;
	case MAKE_SEGMENT:
		EXPECT_OK(
			segment_alloc(SEGMENT_PAGES, PAGE_SIZE, FRAME_UNDEFINED, &stage->segment));
		break;
	case FRAME_FROM_RAW:
		stage->frame = frame_from_raw(stage->raw.start);
		break;
	case UNIQUE_FROM_RAW:
		stage->unique = unique_frame_from_raw(stage->raw.start);
		break;
	case SEGMENT_FROM_RAW:
		stage->segment = segment_from_raw(stage->raw);
		break;
	}
}

/* Three owners: what each of them does is done at addresses of its own. */
#define OWNER(owner)                                                                               \
	static __attribute__((noinline)) void owner(struct stage *stage, enum act what)            \
	{                                                                                          \
		act(stage, what);                                                                  \
		__asm__ volatile(""); /* a call is not the last thing done */                      \
	}

OWNER(maker)
OWNER(ender)
OWNER(culprit)

typedef void (*owner)(struct stage *stage, enum act what);

/* The owner that @address lies in: the nearest that begins below it. NULL: none. */
static owner owner_at(uintptr_t address)
{
	static const owner owners[] = { maker, ender, culprit };
	owner nearest = NULL;

	for (size_t i = 0; i < COUNT_OF(owners); i++)
		if (address > (uintptr_t)owners[i] && address - (uintptr_t)owners[i] < 0x8000 &&
		    (nearest == NULL || (uintptr_t)owners[i] > (uintptr_t)nearest))
			nearest = owners[i];
	return nearest;
}

/* ---- Reports --------------------------------------------------------------------------------- */

static struct share_violation reported;
static unsigned int reports;
static share_violation_hook hook_before;

static void take_report(const struct share_violation *violation)
{
	reported = *violation;
	reports++;
}

static void listen(void)
{
	reports = 0;
	hook_before = share_violation_attach(take_report);
}

static void end_listening(void)
{
	share_violation_attach(hook_before);
}

/* What the stage's pages and all counts are. */
struct snapshot {
	struct mm_usage usage;
	struct page_state states[SEGMENT_PAGES];
	uint64_t list_size;
	uint64_t certified;
};

static struct snapshot snapshot_of(struct stage *stage, struct prange pages)
{
	struct snapshot snapshot = { .usage = mm_usage() };

	for (uint64_t i = 0; i < prange_size(pages) / PAGE_SIZE; i++)
		EXPECT_OK(
			page_state(paddr(pages.start.value + i * PAGE_SIZE), &snapshot.states[i]));
	snapshot.list_size = frame_list_size(&stage->list);
	snapshot.certified = share_statistics().certified;
	return snapshot;
}

static void expect_same(const struct snapshot *was, const struct snapshot *is)
{
	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		EXPECT_EQUAL(is->usage.pages[usage], was->usage.pages[usage]);
	for (int i = 0; i < SEGMENT_PAGES; i++) {
		EXPECT_EQUAL(is->states[i].usage, was->states[i].usage);
		EXPECT_EQUAL(is->states[i].references, was->states[i].references);
	}
	EXPECT_EQUAL(is->list_size, was->list_size);
	EXPECT_EQUAL(is->certified, was->certified);
}

static bool has_status(enum act what)
{
	switch (what) {
	case FRAME_MAP:
	case FRAME_REPLACE:
	case FRAME_INTO_UNIQUE:
	case FRAME_CLONE:
	case UNIQUE_PUSH_FRONT:
	case UNIQUE_PUSH_BACK:
	case UNIQUE_INSERT:
	case SEGMENT_MAP:
	case SEGMENT_SPLIT:
	case SEGMENT_CLONE:
	case SEGMENT_SLICE:
		return true;
	default:
		return false;
	}
}

/* The culprit does @what: one report of @sort, by these two owners, and nothing has changed. */
static void expect_violation(struct stage *stage, enum act what, enum share_violation_sort sort,
			     struct prange pages, owner made_by, owner ended_by)
{
	struct prange looked_at = pages;
	struct snapshot before = snapshot_of(stage, looked_at);
	uint64_t violations = share_statistics().violations;
	unsigned int reports_before = reports;

	culprit(stage, what);
	struct snapshot after = snapshot_of(stage, looked_at);

	if (reports != reports_before + 1)
		FAIL("%s: %u reports", acts[what].name, reports - reports_before);
	if (reported.sort != sort)
		FAIL("%s: %s, not %s", acts[what].name, share_violation_name(reported.sort),
		     share_violation_name(sort));
	EXPECT_EQUAL(reported.kind, acts[what].kind);
	EXPECT_EQUAL(reported.pages.start.value, pages.start.value);
	EXPECT_EQUAL(reported.pages.end.value, pages.end.value);
	EXPECT_TRUE(owner_at(reported.made_by) == made_by);
	EXPECT_TRUE((reported.made_by == 0) == (made_by == NULL));
	EXPECT_TRUE(owner_at(reported.ended_by) == ended_by);
	EXPECT_TRUE((reported.ended_by == 0) == (ended_by == NULL));
	EXPECT_TRUE(owner_at(reported.caller) == culprit);
	EXPECT_EQUAL(share_statistics().violations, violations + 1);
	if (has_status(what))
		EXPECT_STATUS(stage->status, MM_INVALID_ARGS);
	EXPECT_EQUAL(stage->answer, 0);
	expect_same(&before, &after);
}

/* ---- The stage ------------------------------------------------------------------------------- */

static enum act make_of(enum share_kind kind)
{
	return kind == SHARE_FRAME     ? MAKE_FRAME
	       : kind == SHARE_SEGMENT ? MAKE_SEGMENT
				       : MAKE_UNIQUE;
}

static struct prange one_page(struct paddr page)
{
	return prange(page, paddr(page.value + PAGE_SIZE));
}

static struct prange pages_of(const struct stage *stage, enum share_kind kind)
{
	if (kind == SHARE_FRAME)
		return one_page(stage->frame.paddr);
	if (kind == SHARE_UNIQUE_FRAME)
		return one_page(stage->unique.paddr);
	return prange(stage->segment.start, stage->segment.end);
}

static void set_up(struct world *world, struct stage *stage)
{
	world_space(world, &stage->space);
	frame_list_init(&stage->list);
	map_frame_at(world, &stage->space, PAGE_SIZE, READ_WRITE);
	open_at(&stage->space, 0, 16 * PAGE_SIZE, &stage->cursor);
	listen();
}

static void tear_down(struct stage *stage)
{
	end_listening();
	cursor_close(&stage->cursor);
	EXPECT_OK(vm_space_destroy(&stage->space));
	frame_list_drop(&stage->list);
}

/* Whoever owns the page after @ended gives it back. */
static void clean_up(struct stage *stage, enum act ended)
{
	switch (ended) {
	case FRAME_INTO_RAW:
		act(stage, FRAME_FROM_RAW);
		frame_drop(&stage->frame);
		break;
	case FRAME_INTO_SEGMENT:
		segment_drop(&stage->other_segment);
		break;
	case FRAME_INTO_UNIQUE:
		unique_frame_drop(&stage->unique);
		break;
	case UNIQUE_RESET:
		EXPECT_OK(frame_from_unused(stage->unique.paddr, &stage->frame));
		frame_drop(&stage->frame);
		break;
	case UNIQUE_INTO_RAW:
		act(stage, UNIQUE_FROM_RAW);
		unique_frame_drop(&stage->unique);
		break;
	case UNIQUE_INTO_SHARED:
		frame_drop(&stage->other_frame);
		break;
	case SEGMENT_INTO_RAW:
		act(stage, SEGMENT_FROM_RAW);
		segment_drop(&stage->segment);
		break;
	case SEGMENT_SPLIT:
		segment_drop(&stage->segment);
		segment_drop(&stage->other_segment);
		break;
	case SEGMENT_NEXT:
		frame_drop(&stage->other_frame);
		segment_drop(&stage->segment);
		break;
	default:
		break;
	}
}

/* @stage with the handles that it had @before: what somebody kept who should have forgotten them. */
static void keep_handles(struct stage *stage, const struct stage *before)
{
	stage->frame = before->frame;
	stage->unique = before->unique;
	stage->segment = before->segment;
}

/* ---- Claims ---------------------------------------------------------------------------------- */

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
	expect_violation(&stage, FRAME_FROM_RAW, SHARE_RAW_UNKNOWN, one_page(pages.start), NULL,
			 NULL);
	expect_violation(&stage, UNIQUE_FROM_RAW, SHARE_RAW_UNKNOWN, one_page(pages.start), NULL,
			 NULL);
	stage.raw = part;
	expect_violation(&stage, SEGMENT_FROM_RAW, SHARE_RAW_UNKNOWN, part, NULL, NULL);
	stage.raw = pages;
	act(&stage, SEGMENT_FROM_RAW);
	segment_drop(&stage.segment);
	EXPECT_EQUAL(reports, 4);
	tear_down(&stage);
}

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
	segment = segment_from_raw(one_page(page));
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
	/* And none of these calls made a share that nobody ends. */
	uint64_t certified = share_statistics().certified;

	frame_drop(&stage.frame);
	segment_drop(&stage.segment);
	unique_frame_drop(&stage.unique);
	EXPECT_EQUAL(reports, 0);
	EXPECT_EQUAL(share_statistics().certified, certified - 3);
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

	EXPECT_OK(frame_clone(&frame, &holder));
	frame_drop(&frame);
	listen();
	for (int i = 0; i < 3 * 4096; i++) {
		frame_t clone;

		EXPECT_OK(frame_clone(&holder, &clone));
		frame_drop(&clone);
		if (i % 1024 == 0)
			frame_drop(&old);
	}
	EXPECT_EQUAL(reports, 12);
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

#include <setjmp.h>

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
