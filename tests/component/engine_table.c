/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_table.h"

#include "mapping.h"

#include <page_table_spec.h>
#include <walk.h>

#define SEGMENT_PAGES 1024
#define LEVELS 4

static bool stage1_expresses(struct page_property property)
{
	return spec_property_expressible(STAGE_1, property);
}

static bool stage2_expresses(struct page_property property)
{
	return spec_property_expressible(STAGE_2, property);
}

struct page_table_constants engine_constants(const struct vm_space *space)
{
	const struct translation_geometry *geometry = &space->geometry;
	struct page_table_constants constants = {
		.arch.root_level = geometry->root_level,
		.input = irange(iaddr(0), iaddr(UINT64_C(1) << geometry->ia_bits)),
		.memory = prange(paddr(0), paddr(UINT64_C(1) << geometry->pa_bits)),
		.pa_bits = geometry->pa_bits,
		.expresses = space->stage == STAGE_1 ? stage1_expresses : stage2_expresses,
	};
	struct table_level *level = constants.arch.levels;
	uint64_t left = constants.input.end.value;

	for (unsigned int number = geometry->root_level; number < LEVELS; number++, level++) {
		level->frame_size = PAGE_SIZE << 9 * (LEVELS - 1 - number);
		level->entry_count = left / level->frame_size;
		level->has_leaves = number > 0;
		left = level->frame_size;
	}
	constants.arch.level_count = LEVELS - geometry->root_level;
	return constants;
}

static struct walk_table walk_table(const struct vm_space *space)
{
	return (struct walk_table){ space->stage, space->geometry, space->root, false,
				    space->part };
}

struct view {
	struct mappings *mappings;
	bool room;
};

static void add_leaf(const struct walk_leaf *leaf, void *context)
{
	struct view *view = context;
	struct mapping mapping = { leaf->range, leaf->output, leaf->property, leaf->counted };

	view->room = view->room && mappings_insert(view->mappings, mapping);
}

bool engine_view(const struct vm_space *space, struct irange range, struct mappings *out)
{
	struct walk_table table = walk_table(space);
	struct view view = { out, true };
	struct walk_visitor visitor = { .leaf = add_leaf, .context = &view };

	(void)walk_descriptors(&table, range, &visitor);
	return view.room;
}

/* ---- The interface ------------------------------------------------------------------------- */

static struct irange part_of(const struct engine_table *engine)
{
	return engine->live ? world_el2_window(engine->world) : vm_space_range(engine->space);
}

static bool engine_init(void *object)
{
	struct engine_table *engine = object;
	enum mm_status status = MM_OK;

	engine->space = &engine->own;
	if (engine->live)
		engine->space = world_el2_space(engine->world);
	else if (engine->stage == STAGE_1)
		status = vm_space_new_stage1(engine->ia_bits, &engine->own);
	else
		status = vm_space_new_stage2(engine->ia_bits, &engine->own);
	if (status == MM_OK && engine->counted)
		engine->segment = world_segment(engine->world, SEGMENT_PAGES, MIB(2));
	return status == MM_OK;
}

static void engine_release(void *object)
{
	struct engine_table *engine = object;

	if (engine->live)
		(void)unmap_at(engine->space, part_of(engine).start.value,
			       irange_size(part_of(engine)));
	else
		EXPECT_OK(vm_space_destroy(&engine->own));
	if (engine->counted)
		segment_drop(&engine->segment);
}

/* What a walk finds, besides what the table means. */
struct survey {
	const struct vm_space *space;
	const char *broken;
	uint64_t tables;	     /* that have a leaf in or below them */
	uint64_t last_table[LEVELS]; /* number of the last one of each level, plus one */
};

static void survey_error(const struct walk_error *error, void *context)
{
	struct survey *survey = context;

	if (survey->broken == NULL)
		survey->broken = walk_error_text(error->kind);
}

static void survey_leaf(const struct walk_leaf *leaf, void *context)
{
	struct survey *survey = context;

	for (int level = survey->space->geometry.root_level + 1; level <= leaf->level; level++) {
		unsigned int shift = PAGE_SHIFT + 9 * (unsigned int)(LEVELS - level);
		uint64_t number = (leaf->range.start.value >> shift) + 1;

		if (survey->last_table[level] != number)
			survey->tables++;
		survey->last_table[level] = number;
	}
}

/*
 * The tables are a tree, each descriptor is one that the architecture has, and no table is empty: what
 * a verified page table calls "fully populated".
 */
static const char *engine_invariants(const void *object)
{
	static unsigned char memory[256 << 10];
	const struct engine_table *engine = object;
	const struct irange part = part_of(engine);
	struct walk_table table = walk_table(engine->space);
	struct survey survey = { .space = engine->space };
	struct model_arena arena;
	struct model_pool pool;
	struct walk_seen seen;
	struct walk_visitor visitor = {
		.leaf = survey_leaf, .error = survey_error, .context = &survey, .seen = &seen
	};
	uint64_t roots = engine->live ? 1 : engine->space->geometry.root_tables;

	model_arena_init(&arena, memory, sizeof(memory));
	model_pool_init(&pool, &arena, sizeof(struct seen_table));
	walk_seen_init(&seen, &pool);
	(void)walk_descriptors(&table, part, &visitor);
	if (survey.broken != NULL)
		return survey.broken;
	if (seen.full)
		return "there is room to remember every table";
	if (arena.used / pool.cell_size != roots + survey.tables)
		return "no table but the root is empty";
	return NULL;
}

static bool engine_table_view(const void *object, struct page_table_state *out)
{
	const struct engine_table *engine = object;

	out->constants = engine_constants(engine->space);
	out->constants.input = part_of(engine);
	out->constants.counted = engine->counted;
	if (engine->counted)
		out->constants.memory = prange(engine->segment.start, engine->segment.end);
	return engine_view(engine->space, part_of(engine), &out->mappings);
}

static struct prange engine_outputs(const void *object)
{
	const struct engine_table *engine = object;

	if (engine->counted)
		return prange(engine->segment.start, engine->segment.end);
	return prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + GIB(4)));
}

/* A cursor on @range, which is as long as it is wide. A live table has addresses that are not ours. */
static enum mm_status open_range(struct engine_table *engine, struct irange range,
				 struct cursor *cursor)
{
	if (engine->live && !irange_contains(part_of(engine), range))
		return MM_OUT_OF_BOUND;
	return cursor_open(engine->space, range, CURSOR_MUTABLE, cursor);
}

static enum mm_status map_counted(struct engine_table *engine, struct cursor *cursor,
				  struct prange output, struct page_property property)
{
	struct segment part;
	enum mm_status status = segment_slice(&engine->segment, output, &part);

	if (status != MM_OK)
		return status;
	status = cursor_map_segment(cursor, &part, property);
	if (status != MM_OK)
		segment_drop(&part);
	return status;
}

static enum mm_status engine_map(void *object, struct mapping mapping)
{
	struct engine_table *engine = object;
	struct prange output =
		prange(mapping.output, paddr(mapping.output.value + irange_size(mapping.range)));
	struct cursor cursor;
	enum mm_status status = open_range(engine, mapping.range, &cursor);

	if (status != MM_OK)
		return status;
	status = engine->counted ? map_counted(engine, &cursor, output, mapping.property)
				 : cursor_map_iomem(&cursor, output, mapping.property);
	cursor_close(&cursor);
	return status;
}

static enum mm_status engine_unmap(void *object, struct irange range)
{
	uint64_t leaves = 0;
	struct cursor cursor;
	enum mm_status status = open_range(object, range, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_unmap(&cursor, irange_size(range), &leaves);
	cursor_close(&cursor);
	return status == MM_OK && leaves == 0 ? MM_NOT_MAPPED : status;
}

static enum mm_status engine_query(void *object, struct iaddr address, struct mapping *found)
{
	struct iaddr page = iaddr(page_align_down(address.value));
	struct cursor_item item;
	struct cursor cursor;
	enum mm_status status;

	if (address.value % sizeof(uint64_t) != 0)
		return MM_NOT_ALIGNED;
	status = open_range(object, irange(page, iaddr(page.value + PAGE_SIZE)), &cursor);
	if (status != MM_OK)
		return status;
	status = cursor_peek(&cursor, &item);
	cursor_close(&cursor);
	if (status == MM_OK && !item.mapped)
		return MM_NOT_MAPPED;
	*found = (struct mapping){ item.range, item.output, item.property, item.counted };
	return status;
}

const struct page_table_interface engine_table_interface = {
	.name = "the engine",
	.init = engine_init,
	.release = engine_release,
	.invariants = engine_invariants,
	.view = engine_table_view,
	.outputs = engine_outputs,
	.map = engine_map,
	.unmap = engine_unmap,
	.query = engine_query,
};
