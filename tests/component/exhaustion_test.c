/* SPDX-License-Identifier: BSD-3-Clause */
/* MM_NO_MEMORY from spaces, cursors and the services on top of them: for every n the n-th
 * allocation fails, and nothing has changed. */
#include "exhaustion.h"
#include <strata/ageing.h>
#include <strata/migration.h>
#include <strata/reclaim.h>
#include <strata/table_runs.h>
#include <strata/write_protect.h>

#if STRATA_CHECKED

#define CURSOR (&scene->cursor)
#define FRAME (&scene->frames[0])
#define SEGMENT (&scene->segment)

static void a_space(struct scene *scene)
{
	world_space(scene->world, &scene->space);
	scene->range = irange(iaddr(0), iaddr(0));
}

static void what_el2_runs_on(struct scene *scene)
{
	(void)world_el2_space(scene->world);
}

static void a_window(struct scene *scene)
{
	EXPECT_OK(vm_space_new_window(world_el2_space(scene->world), &scene->space));
	scene->range = irange(iaddr(0), iaddr(0));
}

/* A cursor on the second GiB of an empty space, and frames for it. */
static void a_hole(struct scene *scene)
{
	world_space(scene->world, &scene->space);
	scene->range = span(GIB(1), GIB(1));
	scene->position = GIB(1);
	for (size_t i = 0; i < SCENE_FRAMES; i++)
		scene->frames[i] = world_frame(scene->world);
}

/* The last page of one table, and the first of the next. */
static void an_edge(struct scene *scene)
{
	a_hole(scene);
	scene->position = GIB(1) + MIB(2) - PAGE_SIZE;
}

static void an_edge_and_no_cell(struct scene *scene)
{
	an_edge(scene);
	hoard_cells(scene);
}

/* Pages at both ends and a block between them. */
static void a_long_segment(struct scene *scene)
{
	a_hole(scene);
	scene->position = GIB(1) + MIB(1);
	scene->segment = world_segment(scene->world, 1200, MIB(2));
}

static void a_device_block(struct scene *scene)
{
	a_hole(scene);
	map_iomem_at(&scene->space, GIB(1), NO_MEMORY_BASE, GIB(1), DEVICE);
	scene->position = GIB(1) + MIB(7) + PAGE_SIZE;
}

/* Two blocks of 2 MiB; 2 MiB from the position on cut both. */
static void two_blocks(struct scene *scene)
{
	a_hole(scene);
	map_segment_at(scene->world, &scene->space, GIB(1) + MIB(2), 1024, MIB(2), READ_WRITE);
	scene->position = GIB(1) + MIB(3);
}

static void two_cold_blocks(struct scene *scene)
{
	struct cursor cursor;

	two_blocks(scene);
	open_at(&scene->space, GIB(1) + MIB(2), MIB(4), &cursor);
	EXPECT_OK(cursor_age(&cursor, MIB(4), NULL, NULL));
	cursor_close(&cursor);
}

static void log_of(struct scene *scene, uint64_t start, uint64_t size)
{
	struct cursor cursor;

	open_at(&scene->space, start, size, &cursor);
	EXPECT_OK(dirty_log_start(&cursor, size, scene->words, &scene->log));
	cursor_close(&cursor);
}

static void two_logged_blocks(struct scene *scene)
{
	two_blocks(scene);
	log_of(scene, GIB(1) + MIB(2), MIB(4));
}

/* Blocks that came while the log ran, and that its range cuts. */
static void blocks_over_the_edges_of_a_log(struct scene *scene)
{
	a_hole(scene);
	log_of(scene, GIB(1) + MIB(3), MIB(2));
	map_segment_at(scene->world, &scene->space, GIB(1) + MIB(2), 1024, MIB(2), READ_WRITE);
}

/* Two blocks, and in each only one half that may be written again. */
static void blocks_that_are_partly_the_logs(struct scene *scene)
{
	two_blocks(scene);
	protect_at(&scene->space, GIB(1) + MIB(3), MIB(2), READ_ONLY);
	log_of(scene, GIB(1) + MIB(2), MIB(4));
}

static struct page_property read_only(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t)~PAGE_WRITE;
	return property;
}

static void drop_received(const struct reclaimed_page *page, void *context)
{
	frame_t frame = page->frame;

	(void)context;
	frame_drop(&frame);
}

static void ignore_run(const struct table_run *run, void *context)
{
	(void)run;
	(void)context;
}

static enum mm_status look(struct scene *scene, frame_t *frame)
{
	struct cursor_item item;

	return cursor_query(&scene->cursor, &item, frame);
}

static enum mm_status peek(struct scene *scene)
{
	struct cursor_item item;

	return cursor_peek(&scene->cursor, &item);
}

static enum mm_status open_and_close(struct scene *scene)
{
	struct cursor cursor;
	enum mm_status status =
		cursor_open(&scene->space, span(GIB(1), GIB(1)), CURSOR_MUTABLE, &cursor);

	if (status == MM_OK)
		cursor_close(&cursor);
	return status;
}

static enum mm_status find_device(struct scene *scene)
{
	struct prange region;

	return vm_space_find_iomem(&scene->space, paddr(NO_MEMORY_BASE + MIB(3)), &region);
}

static enum mm_status activate_and_rest(struct scene *scene)
{
	enum mm_status status = vm_space_activate(&scene->space);

	vm_space_deactivate();
	vm_space_deactivate_window();
	return status;
}

/* Whether this CPU has it does not matter here. */
static enum mm_status use_hardware_flags(struct scene *scene)
{
	enum mm_status status = vm_space_use_hardware_flags(&scene->space);

	return status == MM_NO_MEMORY ? status : MM_OK;
}

static enum mm_status new_window(struct scene *scene)
{
	return vm_space_new_window(world_el2_space(scene->world), &scene->space);
}

/* clang-format off */
#define TABLE_ROWS(X)                                                                              \
	X(vm_space_new_stage2, PAGES, no_scene, vm_space_new_stage2(40, &scene->space))            \
	X(vm_space_new_stage2_of_one_root, PAGES, no_scene, vm_space_new_stage2(39, &scene->space)) \
	X(vm_space_new_stage1, PAGES, no_scene, vm_space_new_stage1(48, &scene->space))            \
	X(vm_space_new_el2, PAGES, no_scene, vm_space_new_el2(&scene->space))                      \
	X(vm_space_new_window, PAGES, what_el2_runs_on, new_window(scene))                         \
	X(vm_space_destroy, NOTHING, a_space, TAKEN(&scene->space, vm_space_destroy(&scene->space))) \
	X(vm_space_activate, NOTHING, a_space, activate_and_rest(scene))                           \
	X(vm_space_use_hardware_flags, NOTHING, a_space, use_hardware_flags(scene))                \
	X(vm_space_activate_of_a_window, NOTHING, a_window, activate_and_rest(scene))              \
	X(vm_space_find_iomem, NOTHING, a_device_block, find_device(scene))                        \
	X(table_runs, NOTHING, a_space, table_runs(&scene->space, ignore_run, NULL))               \
	X(cursor_open, NOTHING, a_space, open_and_close(scene))                                    \
	X(cursor_query, NOTHING, two_blocks, look(scene, &scene->other))                           \
	X(cursor_peek, NOTHING, two_blocks, peek(scene))                                           \
	X(cursor_find_next, NOTHING, two_blocks, cursor_find_next(CURSOR, MIB(1)))                 \
	X(cursor_jump, NOTHING, two_blocks, cursor_jump(CURSOR, iaddr(GIB(1) + MIB(5))))           \
	X(cursor_map, PAGES, a_hole, TAKEN(FRAME, cursor_map(CURSOR, FRAME, READ_WRITE)))          \
	X(cursor_map_frames, PAGES, an_edge,                                                       \
	  TAKEN(&scene->frames, cursor_map_frames(CURSOR, FRAME, SCENE_FRAMES, READ_WRITE)))       \
	X(cursor_map_segment, PAGES, a_long_segment,                                               \
	  TAKEN(SEGMENT, cursor_map_segment(CURSOR, SEGMENT, READ_WRITE)))                         \
	X(cursor_map_iomem, PAGES, an_edge_and_no_cell,                                           \
	  cursor_map_iomem(CURSOR, prange(paddr(NO_MEMORY_BASE + PAGE_SIZE),                       \
					  paddr(NO_MEMORY_BASE + MIB(5))), DEVICE))                \
	X(cursor_replace, PAGES, two_blocks, TAKEN(FRAME, cursor_replace(CURSOR, FRAME, READ_ONLY))) \
	X(cursor_unmap, PAGES, a_device_block, cursor_unmap(CURSOR, MIB(1000), NULL))              \
	X(cursor_protect_next, PAGES, a_device_block,                                              \
	  cursor_protect_next(CURSOR, MIB(300), read_only, NULL, NULL))                            \
	X(cursor_protect, PAGES, a_device_block,                                                   \
	  cursor_protect(CURSOR, MIB(300), read_only, NULL, NULL))                                 \
	X(cursor_write_protect, PAGES, two_blocks, cursor_write_protect(CURSOR, MIB(2), NULL))     \
	X(cursor_age, PAGES, two_blocks, cursor_age(CURSOR, MIB(2), NULL, NULL))                   \
	X(ageing_fault, PAGES, two_cold_blocks, ageing_fault(CURSOR))                              \
	X(dirty_log_start, PAGES, two_blocks,                                                      \
	  dirty_log_start(CURSOR, MIB(2), scene->words, &scene->log))                              \
	X(dirty_log_fault, PAGES, two_logged_blocks, dirty_log_fault(&scene->log, CURSOR))         \
	X(dirty_log_take, PAGES, blocks_over_the_edges_of_a_log,                                   \
	  dirty_log_take(&scene->log, CURSOR, scene->written))                                     \
	X(dirty_log_stop, PAGES, blocks_that_are_partly_the_logs, dirty_log_stop(&scene->log, CURSOR)) \
	X(cursor_migrate, PAGES, two_blocks,                                                       \
	  TAKEN(FRAME, cursor_migrate(CURSOR, FRAME, &scene->other)))                              \
	X(cursor_reclaim, PAGES, two_blocks,                                                       \
	  cursor_reclaim(CURSOR, MIB(2), 512, drop_received, NULL, &scene->number))
/* clang-format on */

TABLE_ROWS(EXHAUSTION_RUN)

TEST(every_failing_allocation_leaves_all_as_it_was)
{
	static const struct exhaustion_row rows[] = { TABLE_ROWS(EXHAUSTION_ROW) };

	exhaust(world, rows, COUNT_OF(rows));
}

#endif
