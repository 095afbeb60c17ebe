/* SPDX-License-Identifier: BSD-3-Clause */
/* MM_NO_MEMORY from EL2's own addresses: areas, registers of devices, windows. */
#include "exhaustion.h"

#if STRATA_CHECKED

#define FRAME (&scene->frames[0])
#define SEGMENT (&scene->segment)

static void el2(struct scene *scene)
{
	hoard_cells(scene);
}

static void a_kvirt_space(struct scene *scene)
{
	EXPECT_OK(kvirt_space_new(world_el2_space(scene->world), KVIRT_RANGE, &scene->kvirt));
	hoard_cells(scene);
}

static void an_area(struct scene *scene)
{
	EXPECT_OK(kvirt_space_new(world_el2_space(scene->world), KVIRT_RANGE, &scene->kvirt));
	EXPECT_OK(kvirt_area_alloc(scene->kvirt, MIB(8), &scene->area));
	scene->offset = -kvirt_area_range(scene->area).start.value & (MIB(2) - 1);
	for (size_t i = 0; i < SCENE_FRAMES; i++)
		scene->frames[i] = world_frame(scene->world);
	scene->segment = world_segment(scene->world, 1024, MIB(2));
}

static void an_area_with_blocks(struct scene *scene)
{
	an_area(scene);
	EXPECT_OK(TAKEN(&scene->segment, kvirt_area_map_segment(scene->area, scene->offset,
								&scene->segment, READ_WRITE)));
}

static void some_windows(struct scene *scene)
{
	EXPECT_OK(kvirt_space_new(world_el2_space(scene->world), KVIRT_RANGE, &scene->kvirt));
	EXPECT_OK(windows_new(scene->kvirt, &scene->windows));
	scene->frames[0] = world_frame(scene->world);
}

static void some_registers(struct scene *scene)
{
	EXPECT_OK(kvirt_space_new(world_el2_space(scene->world), KVIRT_RANGE, &scene->kvirt));
	EXPECT_OK(io_mem_new(scene->kvirt,
			     prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + MIB(1))),
			     &scene->io_mem));
}

static enum mm_status map_and_unmap_a_window(struct scene *scene)
{
	struct iaddr address;
	enum mm_status status =
		window_map(scene->windows, scene->frames[0].paddr, READ_WRITE, &address);

	return status == MM_OK ? window_unmap(scene->windows) : status;
}

static enum mm_status look_into_the_area(struct scene *scene)
{
	struct cursor_item item;

	return kvirt_area_query(scene->area, scene->offset, &item, &scene->other);
}

#define ENDED(pointer, status) ended((status), (void **)&(pointer))

static enum mm_status ended(enum mm_status status, void **pointer)
{
	if (status == MM_OK)
		*pointer = NULL;
	return status;
}

#define AREA scene->area, scene->offset
#define REGISTERS prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + MIB(5)))

/* clang-format off */
#define AREA_ROWS(X)                                                                               \
	X(kvirt_space_new, PAGES, el2,                                                             \
	  kvirt_space_new(world_el2_space(scene->world), KVIRT_RANGE, &scene->kvirt))              \
	X(kvirt_space_destroy, NOTHING, a_kvirt_space,                                             \
	  ENDED(scene->kvirt, kvirt_space_destroy(scene->kvirt)))                                 \
	X(kvirt_area_alloc, PAGES, a_kvirt_space,                                                  \
	  kvirt_area_alloc(scene->kvirt, PAGE_SIZE, &scene->area))                                 \
	X(kvirt_area_map_frames, PAGES, an_area,                                                   \
	  TAKEN(&scene->frames, kvirt_area_map_frames(AREA, FRAME, SCENE_FRAMES, READ_WRITE)))     \
	X(kvirt_area_map_segment, PAGES, an_area,                                                  \
	  TAKEN(SEGMENT, kvirt_area_map_segment(AREA, SEGMENT, READ_WRITE)))                       \
	X(kvirt_area_map_untracked, PAGES, an_area,                                                \
	  kvirt_area_map_untracked(AREA, REGISTERS, DEVICE))                                       \
	X(kvirt_area_query, NOTHING, an_area_with_blocks, look_into_the_area(scene))               \
	X(kvirt_area_unmap, PAGES, an_area_with_blocks,                                            \
	  kvirt_area_unmap(scene->area, scene->offset + MIB(1), MIB(2), NULL))                     \
	X(kvirt_area_drop, NOTHING, an_area_with_blocks,                                           \
	  ENDED(scene->area, kvirt_area_drop(scene->area)))                                       \
	X(io_mem_new, PAGES, a_kvirt_space, io_mem_new(scene->kvirt, REGISTERS, &scene->io_mem))   \
	X(io_mem_drop, NOTHING, some_registers,                                                    \
	  TAKEN(&scene->io_mem, io_mem_drop(&scene->io_mem)))                                      \
	X(windows_new, PAGES, a_kvirt_space, windows_new(scene->kvirt, &scene->windows))           \
	X(windows_destroy, NOTHING, some_windows,                                                  \
	  ENDED(scene->windows, windows_destroy(scene->windows)))                                 \
	X(window_map, NOTHING, some_windows, map_and_unmap_a_window(scene))                        \
	X(window_unmap, NOTHING, some_windows, map_and_unmap_a_window(scene))
/* clang-format on */

AREA_ROWS(EXHAUSTION_RUN)

TEST(every_failing_allocation_of_an_area_leaves_all_as_it_was)
{
	static const struct exhaustion_row rows[] = { AREA_ROWS(EXHAUSTION_ROW) };

	exhaust(world, rows, COUNT_OF(rows));
}

#endif
