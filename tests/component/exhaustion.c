/* SPDX-License-Identifier: BSD-3-Clause */
#include "exhaustion.h"
#include <strata/table_runs.h>
#include "page_allocator.h"

#if STRATA_CHECKED

/* What must be the same after a failure. */
struct picture {
	struct mm_usage usage;
	uint64_t shares;
	uint64_t contents;
};

static void mix(uint64_t *digest, uint64_t value)
{
	/* FNV-1a, a word at a time. */
	*digest = (*digest ^ value) * UINT64_C(0x100000001b3);
	*digest ^= *digest >> 29;
}

static void mix_page(uint64_t *digest, struct paddr page)
{
	const uint64_t *words = mm_linear(page);
	struct page_owner owner = page_owner(page);
	struct page_state state;

	if (page_state(page, &state) != MM_OK)
		return;
	mix(digest, page.value);
	mix(digest, state.usage);
	mix(digest, state.references);
	mix(digest, owner.kind);
	mix(digest, (uintptr_t)owner.space ^ (uintptr_t)owner.sharing);
	mix(digest, owner.lent);
	if (state.usage == PAGE_FRAME || state.usage == PAGE_TABLE)
		for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
			mix(digest, words[i]);
}

#if WORLD_SIMULATED

/* Every page of the machine that has an owner, with all of its bytes. */
static void mix_machine(uint64_t *digest)
{
	const struct world_config config = world_default_config();

	for (size_t i = 0; i < config.machine.memory_count; i++)
		for (struct paddr page = config.machine.memory[i].start;
		     page.value < config.machine.memory[i].end.value; page.value += PAGE_SIZE)
			mix_page(digest, page);
}

#else

static void mix_machine(uint64_t *digest)
{
	(void)digest;
}

#endif

static void mix_run(const struct table_run *run, void *context)
{
	uint64_t *digest = context;

	mix(digest, run->range.start.value);
	mix(digest, run->range.end.value);
	mix(digest, run->output.value);
	mix(digest, run->leaf_size);
	mix(digest, run->property.flags);
	mix(digest, run->property.cache);
	mix(digest, run->counted);
	if (!WORLD_SIMULATED && run->counted)
		for (uint64_t done = 0; done < irange_size(run->range); done += PAGE_SIZE)
			mix_page(digest, paddr(run->output.value + done));
}

static void mix_space(uint64_t *digest, struct vm_space *space)
{
	EXPECT_OK(table_runs(space, mix_run, digest));
}

static void mix_segment(uint64_t *digest, const struct segment *segment)
{
	for (struct paddr page = segment->start; page.value < segment->end.value;
	     page.value += PAGE_SIZE)
		mix_page(digest, page);
}

static struct picture picture_of(struct scene *scene)
{
	struct picture picture = {
		.usage = mm_usage(),
		.shares = share_statistics().certified,
		.contents = 1,
	};

	if (scene->space.root.value != 0)
		mix_space(&picture.contents, &scene->space);
	if (scene->kvirt != NULL)
		mix_space(&picture.contents, world_el2_space(scene->world));
	for (size_t i = 0; i < SCENE_FRAMES; i++)
		if (scene->frames[i].paddr.value != 0)
			mix_page(&picture.contents, scene->frames[i].paddr);
	mix_segment(&picture.contents, &scene->segment);
	mix_machine(&picture.contents);
	return picture;
}

/* Metadata may have been made for pages that were touched for the first time. */
static void expect_usage(const struct exhaustion_row *row, const struct mm_usage *before)
{
	struct mm_usage after = mm_usage();

	after.pages[PAGE_UNUSED] += after.pages[PAGE_META] - before->pages[PAGE_META];
	after.pages[PAGE_META] = before->pages[PAGE_META];
	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		if (after.pages[usage] != before->pages[usage])
			FAIL("%s: %s pages are %llu, were %llu", row->operation,
			     page_usage_name(usage), (unsigned long long)after.pages[usage],
			     (unsigned long long)before->pages[usage]);
}

static void expect_picture(const struct exhaustion_row *row, struct scene *scene,
			   const struct picture *before)
{
	struct picture after = picture_of(scene);

	if (after.shares != before->shares)
		FAIL("%s: there are %llu shares, were %llu", row->operation,
		     (unsigned long long)after.shares, (unsigned long long)before->shares);
	if (row->need == PAGES && after.contents != before->contents)
		FAIL("%s: tables, counts or bytes are not what they were", row->operation);
}

static bool has_cursor(const struct scene *scene)
{
	return !irange_is_empty(scene->range);
}

static void release_hoard(struct scene *scene)
{
	while (scene->hoard != NULL) {
		void *object = scene->hoard;

		scene->hoard = *(void **)object;
		heap_free(object);
	}
}

static void release_areas(struct scene *scene)
{
	if (scene->windows != NULL)
		EXPECT_OK(windows_destroy(scene->windows));
	if (scene->io_mem.area != NULL)
		EXPECT_OK(io_mem_drop(&scene->io_mem));
	if (scene->area != NULL)
		EXPECT_OK(kvirt_area_drop(scene->area));
	if (scene->kvirt != NULL)
		EXPECT_OK(kvirt_space_destroy(scene->kvirt));
}

static void release(struct scene *scene)
{
	for (size_t i = 0; i < SCENE_FRAMES; i++)
		if (scene->frames[i].paddr.value != 0)
			frame_drop(&scene->frames[i]);
	if (scene->other.paddr.value != 0)
		frame_drop(&scene->other);
	if (scene->unique.paddr.value != 0)
		unique_frame_drop(&scene->unique);
	if (scene->segment.end.value != 0)
		segment_drop(&scene->segment);
	if (scene->rest.end.value != 0)
		segment_drop(&scene->rest);
	frame_list_drop(&scene->list);
	heap_free(scene->object);
	release_hoard(scene);
	release_areas(scene);
	if (scene->sharing != NULL)
		EXPECT_OK(sharing_destroy(scene->sharing));
	if (scene->space.root.value != 0)
		EXPECT_OK(vm_space_destroy(&scene->space));
	if (scene->place.pages != 0)
		place_end(scene->world, &scene->place);
}

/* What is seen while the cursor is still open. */
static void expect_failure(const struct exhaustion_row *row, struct scene *scene,
			   enum mm_status status, const struct picture *before)
{
	if (status != MM_NO_MEMORY || row->need == NOTHING)
		FAIL("%s: %s", row->operation, mm_status_name(status));
	if (has_cursor(scene) && cursor_virt_addr(&scene->cursor).value != scene->position)
		FAIL("%s moved the cursor", row->operation);
	if (row->need == PAGES)
		expect_usage(row, &before->usage);
	else if (row->run(scene) != MM_OK)
		FAIL("%s cannot be repeated", row->operation);
}

/* True once nothing failed: @nth was beyond what the operation allocates. */
static bool attempt(struct world *world, const struct exhaustion_row *row, uint64_t nth)
{
	struct scene scene = { .world = world, .access = CURSOR_MUTABLE };
	struct mm_usage usage = mm_usage();
	frame_t none;

	frame_list_init(&scene.list);
	row->prepare(&scene);

	struct picture before = picture_of(&scene);

	if (has_cursor(&scene)) {
		EXPECT_OK(cursor_open(&scene.space, scene.range, scene.access, &scene.cursor));
		EXPECT_OK(cursor_jump(&scene.cursor, iaddr(scene.position)));
	}
	mm_fail_allocation(nth);

	enum mm_status status = row->run(&scene);
	const bool failed = !allocation_will_fail();

	if (failed && status == MM_OK && row->need == PAGES)
		FAIL("%s: allocation %llu failed, and it is MM_OK", row->operation,
		     (unsigned long long)nth);
	if (row->need == NOTHING && frame_alloc(FRAME_UNDEFINED, &none) != MM_NO_MEMORY)
		FAIL("%s allocates", row->operation);
	mm_fail_allocation(0);
	if (status != MM_OK)
		expect_failure(row, &scene, status, &before);
	if (has_cursor(&scene))
		cursor_close(&scene.cursor);
	if (status != MM_OK)
		expect_picture(row, &scene, &before);
	release(&scene);
	expect_usage(row, &usage);
	return status == MM_OK;
}

void exhaust(struct world *world, const struct exhaustion_row *rows, size_t count)
{
	world_el2_space(world);
	for (size_t i = 0; i < count; i++) {
		uint64_t nth = 1;

		while (!attempt(world, &rows[i], nth))
			nth++;
		if (rows[i].need != NOTHING && nth < 2)
			FAIL("%s allocates nothing", rows[i].operation);
	}
}

enum mm_status taken(enum mm_status status, void *handle, size_t size)
{
	if (status == MM_OK)
		__builtin_memset(handle, 0, size);
	return status;
}

void hoard_cells(struct scene *scene)
{
	for (size_t size = 16; size < HEAP_SLAB_OBJECT_MAX; size *= 2) {
		void *object;

		mm_fail_allocation(1);
		while (heap_alloc(size - 1, &object) == MM_OK) {
			*(void **)object = scene->hoard;
			scene->hoard = object;
			mm_fail_allocation(1);
		}
	}
	mm_fail_allocation(0);
}

void no_scene(struct scene *scene)
{
	(void)scene;
}

#endif
