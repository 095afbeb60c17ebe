/* SPDX-License-Identifier: BSD-3-Clause */
#include "share_stage.h"

#if STRATA_CHECKED

const struct act_row acts[] = {
#define ACT_ROW(name, kind, ends) { #name, kind, ends },
	ACTS(ACT_ROW)
#undef ACT_ROW
};

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
		stage->status = segment_slice(&stage->segment, page_range(stage->segment.start),
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

#define OWNER(owner)                                                                               \
	__attribute__((noinline)) void owner(struct stage *stage, enum act what)                   \
	{                                                                                          \
		act(stage, what);                                                                  \
		__asm__ volatile(""); /* a call is not the last thing done */                      \
	}

OWNER(maker)
OWNER(ender)
OWNER(culprit)

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

struct share_violation reported;
unsigned int reports;
static share_violation_hook hook_before;

static void take_report(const struct share_violation *violation)
{
	reported = *violation;
	reports++;
}

void listen(void)
{
	reports = 0;
	hook_before = share_violation_attach(take_report);
}

void end_listening(void)
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

void expect_violation(struct stage *stage, enum act what, enum share_violation_sort sort,
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

enum act make_of(enum share_kind kind)
{
	return kind == SHARE_FRAME     ? MAKE_FRAME
	       : kind == SHARE_SEGMENT ? MAKE_SEGMENT
				       : MAKE_UNIQUE;
}

enum act drop_of(enum share_kind kind)
{
	return kind == SHARE_FRAME     ? FRAME_DROP
	       : kind == SHARE_SEGMENT ? SEGMENT_DROP
				       : UNIQUE_DROP;
}

struct prange pages_of(const struct stage *stage, enum share_kind kind)
{
	if (kind == SHARE_FRAME)
		return page_range(stage->frame.paddr);
	if (kind == SHARE_UNIQUE_FRAME)
		return page_range(stage->unique.paddr);
	return prange(stage->segment.start, stage->segment.end);
}

void set_up(struct world *world, struct stage *stage)
{
	world_space(world, &stage->space);
	frame_list_init(&stage->list);
	map_frame_at(world, &stage->space, PAGE_SIZE, READ_WRITE);
	open_at(&stage->space, 0, 16 * PAGE_SIZE, &stage->cursor);
	listen();
}

void tear_down(struct stage *stage)
{
	end_listening();
	cursor_close(&stage->cursor);
	EXPECT_OK(vm_space_destroy(&stage->space));
	frame_list_drop(&stage->list);
}

void clean_up(struct stage *stage, enum act ended)
{
	switch (ended) {
	case FRAME_INTO_RAW:
		maker(stage, FRAME_FROM_RAW);
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
		maker(stage, UNIQUE_FROM_RAW);
		unique_frame_drop(&stage->unique);
		break;
	case UNIQUE_INTO_SHARED:
		frame_drop(&stage->other_frame);
		break;
	case SEGMENT_INTO_RAW:
		maker(stage, SEGMENT_FROM_RAW);
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

void keep_handles(struct stage *stage, const struct stage *before)
{
	stage->frame = before->frame;
	stage->unique = before->unique;
	stage->segment = before->segment;
}

#endif
