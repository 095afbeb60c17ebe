/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/table_runs.h>
#include "cursor_private.h"

struct runs {
	const struct vm_space *space;
	struct table_run run; /* not visited yet; its range may be empty */
	table_run_visit visit;
	void *context;
};

static void end_run(struct runs *runs)
{
	if (!irange_is_empty(runs->run.range))
		runs->visit(&runs->run, runs->context);
	runs->run.range = irange(iaddr(0), iaddr(0));
}

static void add_leaf(struct runs *runs, uint64_t descriptor, int level, struct irange span)
{
	struct table_run leaf = {
		.range = span,
		.output = descriptor_address(descriptor),
		.property = property_decode(runs->space->stage, leaf_attributes(descriptor)),
		.counted = !(descriptor & DESCRIPTOR_NOT_COUNTED),
		.leaf_size = level_size(level),
	};
	struct table_run *run = &runs->run;

	if (!irange_is_empty(run->range) && run->range.end.value == span.start.value &&
	    run->output.value + irange_size(run->range) == leaf.output.value &&
	    page_property_equal(run->property, leaf.property) && run->counted == leaf.counted &&
	    run->leaf_size == leaf.leaf_size) {
		run->range.end = span.end;
		return;
	}
	end_run(runs);
	*run = leaf;
}

/* Of the descriptors from @first to before @end. */
static void runs_below(struct runs *runs, const struct table *table, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		uint64_t descriptor = descriptor_read(&table->descriptors[i]);

		if (descriptor == 0)
			continue;
		if (descriptor_is_table(descriptor, table->level)) {
			struct table child = table_child(table, i, descriptor);

			runs_below(runs, &child, 0, TABLE_ENTRIES);
		} else {
			add_leaf(runs, descriptor, table->level, table_span(table, i));
		}
	}
}

enum mm_status table_runs(struct vm_space *space, table_run_visit visit, void *context)
{
	struct runs runs = { .space = space, .visit = visit, .context = context };
	struct table root = space_root(space);
	struct irange whole = vm_space_range(space);
	struct cursor cursor;
	enum mm_status status = cursor_open(space, whole, CURSOR_READ_ONLY, &cursor);

	if (status != MM_OK)
		return status;
	runs_below(&runs, &root, table_index(&root, whole.start),
		   table_index(&root, iaddr(whole.end.value - 1)) + 1);
	end_run(&runs);
	cursor_close(&cursor);
	return MM_OK;
}
