/* SPDX-License-Identifier: BSD-3-Clause */
/* MM_NO_MEMORY from frames, segments, lists and the heap. */
#include "exhaustion.h"
#include <strata/frame_request.h>

#if STRATA_CHECKED

#define FRAME (&scene->frames[0])
#define SEGMENT (&scene->segment)
#define REQUEST                                                                                    \
	(&(const struct frame_request){                                                            \
		.page_count = 5, .alignment = PAGE_SIZE * 512, .contents = FRAME_ZEROED })

static void a_frame(struct scene *scene)
{
	scene->frames[0] = world_frame(scene->world);
}

/* The address of a page that is free. */
static void a_free_page(struct scene *scene)
{
	frame_t frame = world_frame(scene->world);

	scene->position = frame.paddr.value;
	frame_drop(&frame);
}

static void a_segment(struct scene *scene)
{
	scene->segment = world_segment(scene->world, 4, PAGE_SIZE);
}

static void free_pages(struct scene *scene)
{
	struct segment segment = world_segment(scene->world, 4, PAGE_SIZE);

	scene->position = segment.start.value;
	segment_drop(&segment);
}

static void a_unique_frame(struct scene *scene)
{
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &scene->unique));
}

static enum mm_status insert_at_the_ghost(struct scene *scene)
{
	struct frame_list_cursor cursor = frame_list_cursor_front(&scene->list);

	return TAKEN(&scene->unique, frame_list_cursor_insert_before(&cursor, &scene->unique));
}

static enum mm_status look_at_a_page(const struct scene *scene)
{
	struct page_state state;

	return page_state(scene->frames[0].paddr, &state);
}

#define SOME_PAGES(scene) prange(paddr((scene)->position), paddr((scene)->position + 4 * PAGE_SIZE))
#define ONE_PAGE(scene)                                                                            \
	prange((scene)->segment.start, paddr((scene)->segment.start.value + PAGE_SIZE))

/* clang-format off */
#define PAGE_ROWS(X)                                                                               \
	X(frame_alloc, PAGES, no_scene, frame_alloc(FRAME_ZEROED, FRAME))                          \
	X(frame_from_unused, NOTHING, a_free_page, frame_from_unused(paddr(scene->position), FRAME)) \
	X(frame_from_unused_with_metadata, NOTHING, a_free_page,                                   \
	  frame_from_unused_with_metadata(paddr(scene->position), NULL, FRAME))                    \
	X(frame_from_in_use, NOTHING, a_frame, frame_from_in_use(FRAME->paddr, &scene->other))     \
	X(frame_clone, NOTHING, a_frame, frame_clone(FRAME, &scene->other))                        \
	X(page_state, NOTHING, a_frame, look_at_a_page(scene))                                     \
	X(unique_frame_alloc, PAGES, no_scene,                                                     \
	  unique_frame_alloc(FRAME_ZEROED, NULL, &scene->unique))                                  \
	X(unique_frame_from_unused, NOTHING, a_free_page,                                          \
	  unique_frame_from_unused(paddr(scene->position), NULL, &scene->unique))                  \
	X(unique_frame_try_from_shared, NOTHING, a_frame,                                          \
	  TAKEN(FRAME, unique_frame_try_from_shared(FRAME, &scene->unique)))                       \
	X(frame_list_push_front, NOTHING, a_unique_frame,                                          \
	  TAKEN(&scene->unique, frame_list_push_front(&scene->list, &scene->unique)))              \
	X(frame_list_push_back, NOTHING, a_unique_frame,                                           \
	  TAKEN(&scene->unique, frame_list_push_back(&scene->list, &scene->unique)))               \
	X(frame_list_cursor_insert_before, NOTHING, a_unique_frame, insert_at_the_ghost(scene))    \
	X(segment_alloc, PAGES, no_scene, segment_alloc(3, PAGE_SIZE, FRAME_ZEROED, SEGMENT))      \
	X(segment_request, PAGES, no_scene, segment_request(REQUEST, SEGMENT))                     \
	X(segment_from_unused, NOTHING, free_pages, segment_from_unused(SOME_PAGES(scene), SEGMENT)) \
	X(segment_clone, NOTHING, a_segment, segment_clone(SEGMENT, &scene->rest))                 \
	X(segment_slice, NOTHING, a_segment, segment_slice(SEGMENT, ONE_PAGE(scene), &scene->rest)) \
	X(segment_split, NOTHING, a_segment, segment_split(SEGMENT, PAGE_SIZE, &scene->rest))      \
	X(heap_alloc, PAGES, hoard_cells, heap_alloc(40, &scene->object))                          \
	X(heap_alloc_of_pages, PAGES, no_scene, heap_alloc(3 * PAGE_SIZE, &scene->object))
/* clang-format on */

PAGE_ROWS(EXHAUSTION_RUN)

TEST(every_failing_allocation_of_pages_leaves_all_as_it_was)
{
	static const struct exhaustion_row rows[] = { PAGE_ROWS(EXHAUSTION_ROW) };

	exhaust(world, rows, COUNT_OF(rows));
}

#endif
