/* SPDX-License-Identifier: BSD-3-Clause */
#include "refusal.h"

#include "kept_pages.h"

#include <string.h>

/* All pages and all tables are looked at once in so many steps. */
#define ALL_STEPS 16
/* Pages from an address on that the step names. */
#define NAMED_PAGES 16
/* Pages that one table maps. */
#define MAPPED_PAGES 64
#define OBJECT_BYTES_MAX 1024

static struct {
	uint8_t objects[OBJECT_BYTES_MAX];
	size_t object_bytes;
	struct cursor cursor;
	uint64_t tables;       /* the sum of what they say */
	uint64_t empty_tables; /* which say nothing */
	struct mm_usage usage;
	bool all;
} before;

/* ---- Objects ----------------------------------------------------------------------------------- */

/* Of a cursor only where it stands: what it has gathered may have been flushed. */
#define KEPT                                                                                       \
	(1U << OBJECT_FRAME | 1U << OBJECT_UNIQUE | 1U << OBJECT_SEGMENT | 1U << OBJECT_LIST |     \
	 1U << OBJECT_PLACE | 1U << OBJECT_READER | 1U << OBJECT_WRITER | 1U << OBJECT_RAW_FRAME | \
	 1U << OBJECT_RAW_UNIQUE | 1U << OBJECT_RAW_SEGMENT | 1U << OBJECT_SHARING |               \
	 1U << OBJECT_AREA | 1U << OBJECT_KVIRT | 1U << OBJECT_IO_MEM)

/* A transfer that ends early has moved what it moved. */
static bool is_part_done(const struct step *step)
{
	return step->act == ACT_READ_FALLIBLE || step->act == ACT_WRITER_FILL ||
	       step->act == ACT_WRITER_FILL_ZEROS;
}

static bool uses(const struct step *step, enum object_kind kind)
{
	return act_words((enum act)step->act)->uses >> kind & 1;
}

static bool object_kept(struct objects *o, unsigned int kind, unsigned int index, bool compare)
{
	size_t size;
	const void *object = object_at(o, (enum object_kind)kind, index, &size);
	uint8_t *place = &before.objects[before.object_bytes];

	if (size > OBJECT_BYTES_MAX - before.object_bytes)
		return true;
	before.object_bytes += size;
	if (compare)
		return memcmp(place, object, size) == 0;
	memcpy(place, object, size);
	return true;
}

static bool objects_kept(struct objects *o, const struct step *step, bool compare)
{
	const struct act_words *words = act_words((enum act)step->act);
	bool same = true;

	before.object_bytes = 0;
	if (is_part_done(step))
		return true;
	for (unsigned int kind = 0; kind < OBJECT_KINDS; kind++) {
		if ((words->uses & KEPT) >> kind & 1)
			same &= object_kept(o, kind, step->used[kind], compare);
		if ((words->makes & KEPT) >> kind & 1)
			same &= object_kept(o, kind, step->made[kind], compare);
	}
	return same;
}

static bool cursor_kept(const struct cursor *was, const struct cursor *is)
{
	return was->space == is->space && was->range.start.value == is->range.start.value &&
	       was->range.end.value == is->range.end.value &&
	       was->position.value == is->position.value && was->access == is->access;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static void look_at_handles(const struct objects *o, const struct step *step)
{
	if (uses(step, OBJECT_FRAME))
		kept_pages_of_handle(page_range(o->frames[step->used[OBJECT_FRAME]].paddr));
	if (uses(step, OBJECT_UNIQUE))
		kept_pages_of_handle(page_range(o->uniques[step->used[OBJECT_UNIQUE]].paddr));
	if (uses(step, OBJECT_SEGMENT)) {
		const struct segment *segment = &o->segments[step->used[OBJECT_SEGMENT]];

		kept_pages_of_handle(prange(segment->start, segment->end));
	}
	if ((act_words((enum act)step->act)->numbers >> NUMBER_PAGE & 1) != 0)
		for (unsigned int i = 0; i < NAMED_PAGES; i++)
			kept_pages_add(page(o, (step->numbers[NUMBER_PAGE] & ~(PAGE_SIZE - 1)) +
						       i * PAGE_SIZE),
				       false);
}

/* ---- Tables ------------------------------------------------------------------------------------ */

#define IS_VALID UINT64_C(1)
#define IS_TABLE UINT64_C(2) /* and at the last level: a page */
#define LAST_LEVEL 3

struct reading {
	uint64_t sum;
	uint64_t empty_tables;
	bool pages; /* also looks at what is mapped */
	unsigned int mapped;
};

/* False: nothing but empty tables is there, which mean the same as none. A cursor may have left one, and
 * whoever comes there next takes it out, refused or not (strata/cursor.h). */
static bool read_table(struct reading *reading, struct paddr table, size_t descriptors, int level)
{
	const uint64_t *descriptor = mm_linear(table);
	bool says_something = false;

	for (size_t i = 0; i < descriptors; i++) {
		const uint64_t sum = reading->sum;
		const struct paddr output = paddr(descriptor[i] & UINT64_C(0xfffffffff000));

		if (descriptor[i] == 0)
			continue;
		reading->sum = sum_with(reading->sum, table.value + i);
		reading->sum = sum_with(reading->sum, descriptor[i]);
		if ((descriptor[i] & IS_VALID) != 0 && (descriptor[i] & IS_TABLE) != 0 &&
		    level < LAST_LEVEL) {
			if (!read_table(reading, output, PAGE_SIZE / sizeof(*descriptor),
					level + 1)) {
				reading->sum = sum;
				reading->empty_tables++;
				continue;
			}
		} else if ((descriptor[i] & IS_VALID) != 0 && reading->pages &&
			   reading->mapped++ < MAPPED_PAGES) {
			kept_pages_add(output, false);
		}
		says_something = true;
	}
	return says_something;
}

static void read_space(struct reading *reading, const struct vm_space *space)
{
	reading->sum = sum_with(reading->sum, space->root.value);
	read_table(reading, space->root, space->geometry.root_tables * PAGE_SIZE / sizeof(uint64_t),
		   space->geometry.root_level);
}

static bool is_of_area(const struct step *step)
{
	return uses(step, OBJECT_KVIRT) || uses(step, OBJECT_AREA) || uses(step, OBJECT_IO_MEM) ||
	       step->act == ACT_KVIRT_NEW_EL2;
}

/* The spaces that the step is about; every so often all. */
static bool concerns(const struct trace *trace, const struct step *step, unsigned int index)
{
	const struct objects *o = &trace->objects;
	const struct vm_space *space = &o->spaces[index];
	const struct act_words *words = act_words((enum act)step->act);

	if (before.all)
		return true;
	if ((uses(step, OBJECT_SPACE) && step->used[OBJECT_SPACE] == index) ||
	    (words->other_space && step->other_space == index))
		return true;
	if (uses(step, OBJECT_CURSOR))
		return o->cursors[step->used[OBJECT_CURSOR]].space == space;
	return space == trace->kvirt_space && is_of_area(step);
}

static struct reading read_spaces(const struct trace *trace, const struct step *step, bool pages)
{
	struct reading reading = { .pages = pages };

	for (unsigned int i = 0; i < object_count(OBJECT_SPACE); i++) {
		reading.mapped = 0;
		if (trace->live[OBJECT_SPACE][i] && concerns(trace, step, i))
			read_space(&reading, &trace->objects.spaces[i]);
	}
	reading.mapped = 0;
	if (trace->objects.el2.root.value != 0 && (before.all || is_of_area(step)))
		read_space(&reading, &trace->objects.el2);
	return reading;
}

/* ---- The numbers of pages ---------------------------------------------------------------------- */

static bool usage_kept(const struct mm_usage *was, const struct mm_usage *is, bool may_flush)
{
	for (unsigned int usage = 0; usage < PAGE_USAGE_COUNT; usage++) {
		bool flushed = may_flush && (usage == PAGE_FRAME || usage == PAGE_TABLE) &&
			       is->pages[usage] < was->pages[usage];

		if (usage != PAGE_META && usage != PAGE_UNUSED && !flushed &&
		    was->pages[usage] != is->pages[usage])
			return false;
	}
	return true;
}

/* ---- All of it --------------------------------------------------------------------------------- */

void refusal_prepare(struct trace *trace, const struct step *step)
{
	struct objects *o = &trace->objects;
	struct reading tables;

	before.all = trace->performed % ALL_STEPS == 0;
	kept_pages_begin();
	objects_kept(o, step, false);
	look_at_handles(o, step);
	tables = read_spaces(trace, step, true);
	before.tables = tables.sum;
	before.empty_tables = tables.empty_tables;
	if (before.all)
		kept_pages_add_all(o->memory);
	if (uses(step, OBJECT_CURSOR)) {
		before.cursor = o->cursors[step->used[OBJECT_CURSOR]];
		kept_pages_flushed(&before.cursor.gather);
	}
	before.usage = mm_usage();
}

const char *refusal_judge(struct trace *trace, const struct step *step)
{
	struct objects *o = &trace->objects;
	struct mm_usage usage = mm_usage();
	struct reading tables;
	bool has_cursor = uses(step, OBJECT_CURSOR);
	const char *change;

	if (!objects_kept(o, step, true))
		return "an object of the call changed";
	if (has_cursor && !cursor_kept(&before.cursor, &o->cursors[step->used[OBJECT_CURSOR]]))
		return "its cursor moved";
	tables = read_spaces(trace, step, false);
	if (tables.sum != before.tables)
		return "a table changed";
	if (tables.empty_tables < before.empty_tables)
		before.usage.pages[PAGE_TABLE] -= before.empty_tables - tables.empty_tables;
	if ((change = kept_pages_judge()) != NULL)
		return change;
	if (!usage_kept(&before.usage, &usage, has_cursor))
		return "the number of pages that are used changed";
	return NULL;
}
