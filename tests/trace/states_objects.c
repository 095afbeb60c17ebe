/* SPDX-License-Identifier: BSD-3-Clause */
#include "states.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Cursors ----------------------------------------------------------------------------------- */

/* What the model knows of is where an object of the world is, unless a service made it for itself. */
static int index_in(const void *array, size_t size, size_t count, const void *object)
{
	uint64_t offset = (uint64_t)(uintptr_t)object - (uint64_t)(uintptr_t)array;

	return offset < size * count && offset % size == 0 ? (int)(offset / size) : -1;
}

#define INDEX(array, object) index_in(array, sizeof((array)[0]), COUNT(array), object)

static void print_cursors(const struct trace *trace)
{
	const struct objects *o = &trace->objects;
	const struct open_cursor *open;

	printf("  cursors\n");
	LIST_FOREACH(open, &model_store()->registry.cursors, link)
	{
		int i = INDEX(o->cursors, open->cursor);

		printf("    cursor %d: ", i);
		if (i >= 0)
			printf("space %u, 0x%llx .. 0x%llx at 0x%llx, %s; ",
			       states_space_number(o->cursors[i].space),
			       (unsigned long long)o->cursors[i].range.start.value,
			       (unsigned long long)o->cursors[i].range.end.value,
			       (unsigned long long)o->cursors[i].position.value,
			       o->cursors[i].access == CURSOR_MUTABLE ? "mutable" : "read only");
		printf("model: space %u, 0x%llx .. 0x%llx at 0x%llx, %s\n",
		       open->space != NULL ? open->space->number : 0,
		       (unsigned long long)open->state.range.start.value,
		       (unsigned long long)open->state.range.end.value,
		       (unsigned long long)open->state.position.value,
		       open->state.may_change ? "mutable" : "read only");
	}
}

/* ---- Lists, areas, readers and writers --------------------------------------------------------- */

static void print_lists(const struct trace *trace)
{
	const struct objects *o = &trace->objects;
	const struct live_list *list;
	const struct listed *listed;

	printf("  lists\n");
	LIST_FOREACH(list, &model_store()->lists, link)
	{
		int i = INDEX(o->lists, list->name);

		printf("    list %d: ", i);
		if (i >= 0)
			printf("%llu frames; ", (unsigned long long)o->lists[i].size);
		printf("model: %llu frames, number %u:", (unsigned long long)list->size,
		       list->number);
		TAILQ_FOREACH(listed, &list->frames, link)
		printf(" 0x%llx", states_offset(trace, listed->page));
		printf("\n");
	}
}

static void print_areas(const struct trace *trace)
{
	const struct objects *o = &trace->objects;
	const struct live_kvirt *kvirt;
	const struct live_area *area;

	printf("  areas\n");
	LIST_FOREACH(kvirt, &model_store()->kvirts, link)
	printf("    model: areas come from 0x%llx .. 0x%llx\n",
	       (unsigned long long)kvirt->range.start.value,
	       (unsigned long long)kvirt->range.end.value);
	LIST_FOREACH(area, &model_store()->areas, link)
	{
		printf("    ");
		for (unsigned int i = 0; i < COUNT(o->areas); i++) {
			if (!trace->live[OBJECT_AREA][i] ||
			    (store_id)(uintptr_t)o->areas[i] != area->name)
				continue;
			struct irange is = kvirt_area_range(o->areas[i]);

			printf("area %u: 0x%llx .. 0x%llx; ", i, (unsigned long long)is.start.value,
			       (unsigned long long)is.end.value);
		}
		printf("model: 0x%llx .. 0x%llx\n", (unsigned long long)area->range.start.value,
		       (unsigned long long)area->range.end.value);
	}
}

/* Of the hypervisor's own memory no addresses: they are others in the next run of the same seed. */
static void print_range(const struct vm_io_range *range)
{
	static const char *const kinds[] = {
		[VM_IO_HYPERVISOR] = "the hypervisor",
		[VM_IO_WINDOW] = "a window",
		[VM_IO_WINDOW_SPACE] = "a window space",
		[VM_IO_SPACE] = "a space",
		[VM_IO_GUEST] = "a guest",
	};

	printf("%llu bytes of %s", (unsigned long long)(range->end - range->cursor),
	       range->kind < COUNT(kinds) ? kinds[range->kind] : "nobody");
	if (range->kind != VM_IO_HYPERVISOR)
		printf(" at 0x%llx", (unsigned long long)range->cursor);
}

static void print_ios(const struct trace *trace)
{
	const struct objects *o = &trace->objects;
	const struct live_io *io;

	printf("  readers and writers\n");
	TAILQ_FOREACH(io, &model_store()->ios, link)
	{
		const void *name = (const void *)(uintptr_t)io->name;
		int reader = INDEX(o->readers, name);
		int writer = INDEX(o->writers, name);

		printf("    ");
		if (reader >= 0) {
			printf("reader %d: ", reader);
			print_range(&o->readers[reader].range);
			printf("; ");
		} else if (writer >= 0) {
			printf("writer %d: ", writer);
			print_range(&o->writers[writer].range);
			printf("; ");
		}
		printf("model: ");
		print_range(&io->range);
		if (io->space != NULL)
			printf(", space %u", states_space_number(io->space));
		printf("\n");
	}
}

void states_print_objects(const struct trace *trace)
{
	print_cursors(trace);
	print_lists(trace);
	print_areas(trace);
	print_ios(trace);
}
