/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each invariant of the store, broken: a store that everything holds of is changed in one place, by hand,
 * and the first sentence that does not hold must be the one that says so.
 */
#include "story.h"

#include <invariant.h>

/* The store is the model's own; nobody else may write to it. */
static struct store *store_of(void)
{
	return (struct store *)(uintptr_t)model_store();
}

static struct page_record *record_of(unsigned int page)
{
	return regions_page(&store_of()->regions, paddr(data(page)));
}

static struct handle *handle_of(store_id id)
{
	return store_handle(store_of(), id);
}

static void tell_made(enum mm_operation_kind kind, enum share_kind share, uint32_t nonce,
		      unsigned int page, unsigned int count)
{
	struct prange range = prange(paddr(data(page)), paddr(data(page + count)));
	struct mm_operation operation = {
		.kind = kind,
		.pages = range,
		.made = { { .certificate = { 1, nonce }, .pages = range, .kind = share } },
	};

	for (unsigned int i = 0; i < count; i++)
		fake_set_state(paddr(data(page + i)), PAGE_FRAME,
			       share == SHARE_UNIQUE_FRAME ? 0 : 1);
	fake_operation(&operation);
}

#define FRAME 1001
#define SEGMENT 1002
#define UNIQUE 1003
#define LISTED 1004

static struct frame_list *const list = (struct frame_list *)0x1000;

/* Pages 0 to 3 mapped; 10 a frame, 11 and 12 a segment, 13 unique, 14 listed, 15 parked. */
static void tell_everything(void)
{
	struct mm_operation push = { .kind = OPERATION_LIST_PUSH_BACK, .list = list };

	tell_made(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME, FRAME, 10, 1);
	tell_made(OPERATION_SEGMENT_FROM_UNUSED, SHARE_SEGMENT, SEGMENT, 11, 2);
	tell_made(OPERATION_UNIQUE_FROM_UNUSED, SHARE_UNIQUE_FRAME, UNIQUE, 13, 1);
	tell_made(OPERATION_UNIQUE_FROM_UNUSED, SHARE_UNIQUE_FRAME, LISTED, 14, 1);
	push.used = (struct mm_handle){ .certificate = { 1, LISTED },
					.pages = prange(paddr(data(14)), paddr(data(15))),
					.kind = SHARE_UNIQUE_FRAME };
	push.place = PLACE_GHOST;
	fake_operation(&push);
	write_leaf(4, 15, LEAF_RW);
	tell_map(15, 1, MM_OK);
	tell_jump(4);
	*fake_descriptor(LEAVES, 4) = 0;
	tell_park(15, 1);
	tell_unmap(1, 1);
	expect_truth();
}

static struct open_cursor *cursor_of(void)
{
	return LIST_FIRST(&store_of()->registry.cursors);
}

static struct mapping *mapping_of(void)
{
	return &RB_ROOT(&LIST_FIRST(&store_of()->registry.spaces)->state.mappings.extents)->mapping;
}

/* ---- One lie each -------------------------------------------------------------------------- */

static void break_S1(void)
{
	record_of(13)->references = 1;
}

static void break_S2(void)
{
	fake_set_state(ROOT, PAGE_FRAME, 1);
}

static void break_S3(void)
{
	record_of(14)->list++;
}

static void break_S4(void)
{
	LIST_FIRST(&LIST_FIRST(&store_of()->gathers)->runs)->pages.start.value += 8;
}

static void break_S5(void)
{
	mapping_of()->output.value += 8;
}

static void break_S6(void)
{
	cursor_of()->state.position = iaddr(65 * PAGE_SIZE);
}

static void break_S7(void)
{
	record_of(2)->entries = 0;
	record_of(2)->before = 1;
}

static void break_S8(void)
{
	static struct live_space nobody;

	nobody = *cursor_of()->space;
	cursor_of()->space = &nobody;
}

/* What was noted last is kept as it is said to be. */
static void note_space_io(struct vm_space *space, uint64_t cursor, uint64_t end)
{
	struct vm_io_range range = {
		.cursor = cursor, .end = end, .kind = VM_IO_SPACE, .fallible = true
	};

	range.space = space;
	store_note_io(store_of(), 0x3000, &range);
}

static void break_S9(void)
{
	note_space_io(&story_space, 0, PAGE_SIZE);
	TAILQ_FIRST(&store_of()->ios)->range.kind = VM_IO_HYPERVISOR;
}

static void break_S10(void)
{
	static struct vm_space dead;

	note_space_io(&story_space, 0, PAGE_SIZE);
	TAILQ_FIRST(&store_of()->ios)->space = &dead;
}

static void break_S11(void)
{
	note_space_io(&story_space, PAGE_SIZE, (UINT64_C(1) << 30) + 1);
}

static void break_S12(void)
{
	handle_of(FRAME)->pages.end.value += PAGE_SIZE;
}

static void break_S13(void)
{
	handle_of(FRAME)->pages = prange(paddr(data(13)), paddr(data(14)));
}

static void break_S14(void)
{
	handle_of(SEGMENT)->pages.end = handle_of(SEGMENT)->pages.start;
}

static void break_S15(void)
{
	handle_of(SEGMENT)->pages = prange(paddr(data(12)), paddr(data(14)));
}

static void break_S16(void)
{
	handle_of(UNIQUE)->pages.start.value += 8;
}

static void break_S17(void)
{
	handle_of(UNIQUE)->pages = prange(paddr(data(14)), paddr(data(15)));
}

static void break_S18(void)
{
	record_of(13)->unique = 2;
}

static void break_A1(void)
{
	record_of(20)->state = PAGE_FREE;
	record_of(20)->covers = 1;
}

static void break_A2(void)
{
	record_of(20)->state = PAGE_SHARED;
	record_of(20)->references = 1;
}

static void break_A3(void)
{
	record_of(10)->references++;
}

static void break_H(void)
{
	record_of(10)->handles = 0;
	record_of(10)->before = 1;
}

static void break_P(void)
{
	record_of(10)->entries++;
	record_of(10)->references++;
}

static void break_C(void)
{
	record_of(11)->covers++;
	record_of(11)->references++;
}

static void break_T(void)
{
	record_of(10)->parked++;
	record_of(10)->references++;
}

static void break_X1(void)
{
	struct open_cursor *other =
		registry_add_cursor(&store_of()->registry, cursor_of()->space, NULL);

	other->state = LIST_NEXT(other, link)->state;
}

static void break_X2(void)
{
	struct live_list *other = store_add_list(store_of(), (void *)0x2000);
	struct listed *listed = model_pool_take(&store_of()->listed_pool);

	listed->page = paddr(data(14));
	TAILQ_INSERT_TAIL(&other->frames, listed, link);
	other->size = 1;
	other->number = record_of(14)->list;
}

static void break_X3(void)
{
	fake_set_state(paddr(data(15)), PAGE_UNUSED, 0);
}

static void break_X4(void)
{
	store_of()->counts[SHARE_SEGMENT]++;
}

static struct live_owner *owner_of_story(void)
{
	return owners_of_space(&store_of()->owners, &story_space);
}

/* Somebody else's, who lives too, and has what it is said to have. */
static void break_X5(void)
{
	static struct vm_space other;
	struct owners *owners = &store_of()->owners;

	owners_give(owners, record_of(1), 1, owners_add_space(owners, &other));
}

static void break_M1(void)
{
	LIST_FIRST(&store_of()->memory)->range.end.value += PAGE_SIZE;
}

static void break_O1(void)
{
	owners_give(&store_of()->owners, record_of(13), 1, owner_of_story());
}

static void break_O2(void)
{
	owner_of_story()->pages++;
}

static void break_O3(void)
{
	struct live_sharing *sharing =
		owners_add_sharing(&store_of()->owners, (void *)0x4000, owner_of_story());

	owners_add_member(&store_of()->owners, sharing, owner_of_story());
}

static void break_X6(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct live_area *area = model_pool_take(&store_of()->area_pool);

		area->range = pages(4 * i, 3);
		LIST_INSERT_HEAD(&store_of()->areas, area, link);
	}
}

static void break_X7(void)
{
	static struct live_kvirt kvirt;

	kvirt = (struct live_kvirt){ .space = (store_id)(uintptr_t)&story_space,
				     .range = pages(0, 64) };
	LIST_INSERT_HEAD(&store_of()->kvirts, &kvirt, link);
}

static const struct {
	const char *number;
	void (*breaks)(void);
} lies[] = {
#define INVARIANT(number, function, sentence) { #number, break_##number },
#include <invariants.def>
};

/* NULL: all hold. */
static const struct invariant *first_broken(struct witness *witness)
{
	for (unsigned int i = 0; i < invariant_count(); i++) {
		if (!invariant_holds(i, store_of(), witness))
			return invariant_at(i);
	}
	return NULL;
}

static void a_store_as_it_should_be(void **state)
{
	struct witness witness;
	const struct invariant *broken;

	(void)state;
	tell_everything();
	broken = first_broken(&witness);
	if (broken != NULL)
		fail_msg("%s: %s, at 0x%llx", broken->number, broken->sentence,
			 (unsigned long long)witness.at.value);
}

static void each_broken_invariant_is_named(void **state)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct witness witness;
		const struct invariant *broken;

		if (i > 0) {
			story_tear_down(state);
			story_set_up(state);
		}
		tell_everything();
		lies[i].breaks();
		broken = first_broken(&witness);
		if (broken == NULL || strcmp(broken->number, lies[i].number) != 0)
			fail_msg("%s is broken, found is %s", lies[i].number,
				 broken == NULL ? "nothing" : broken->number);
	}
	assert_int_equal(sizeof(lies) / sizeof(lies[0]), invariant_count());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_store_as_it_should_be),
		STORY(each_broken_invariant_is_named),
	};

	return cmocka_run_group_tests_name("invariant", tests, NULL, NULL);
}
