/* SPDX-License-Identifier: BSD-3-Clause */
#include "compare.h"

#include <inttypes.h>

struct comparison {
	const struct mappings *mappings;
	struct irange range;
	struct iaddr reached; /* everything below is compared */
	struct subject subject;
	bool hardware_flags;
};

static void report(const struct comparison *comparison, struct iaddr address,
		   const struct mapping *in_table, const struct mapping *in_model)
{
	difference(comparison->subject, address, "table says %s, model says %s",
		   mapping_text(in_table).text, mapping_text(in_model).text);
}

static bool says_the_same(const struct comparison *comparison, const struct mapping *in_table,
			  const struct mapping *in_model)
{
	return in_table->output.value == in_model->output.value &&
	       property_found(in_model->property, in_table->property, comparison->hardware_flags) &&
	       in_table->counted == in_model->counted;
}

/* The table has nothing from where we are to @end. */
static void compare_hole(struct comparison *comparison, struct iaddr end)
{
	struct irange hole = irange(comparison->reached, end);
	struct mapping mapping;

	while (mappings_next_in(comparison->mappings, hole, &mapping)) {
		report(comparison, mapping.range.start, NULL, &mapping);
		hole.start = mapping.range.end;
	}
	comparison->reached = end;
}

/* The table has @mapping, from where we are on. */
static void compare_mapped(struct comparison *comparison, struct mapping mapping, bool faulty)
{
	struct irange left = mapping.range;
	struct mapping expected;

	while (mappings_next_in(comparison->mappings, left, &expected)) {
		struct mapping part = mapping_cut(mapping, expected.range);

		if (expected.range.start.value > left.start.value)
			report(comparison, left.start, &mapping, NULL);
		/* What a faulty leaf says was reported as what it is. */
		if (!faulty && !says_the_same(comparison, &part, &expected))
			report(comparison, expected.range.start, &part, &expected);
		left.start = expected.range.end;
	}
	if (!irange_is_empty(left)) {
		struct mapping rest = mapping_cut(mapping, left);

		report(comparison, left.start, &rest, NULL);
	}
	comparison->reached = mapping.range.end;
}

static void visit_leaf(const struct walk_leaf *leaf, void *context)
{
	struct comparison *comparison = context;
	struct mapping mapping = { leaf->range, leaf->output, leaf->property, leaf->counted };

	mapping = mapping_cut(mapping, comparison->range);
	compare_hole(comparison, mapping.range.start);
	compare_mapped(comparison, mapping, leaf->faulty);
}

static void visit_error(const struct walk_error *error, void *context)
{
	struct comparison *comparison = context;

	difference(comparison->subject, error->range.start,
		   "%s (level %d, descriptor 0x%016" PRIx64 ")", walk_error_text(error->kind),
		   error->level, error->descriptor);
}

uint64_t compare_table(const struct walk_table *table, const struct mappings *mappings,
		       struct irange range, struct walk_seen *seen, struct subject subject)
{
	struct comparison comparison = {
		.mappings = mappings,
		.range = range,
		.reached = range.start,
		.subject = subject,
		.hardware_flags = table->hardware_flags,
	};
	struct walk_visitor visitor = {
		.leaf = visit_leaf,
		.error = visit_error,
		.context = &comparison,
		.seen = seen,
	};
	uint64_t descriptors = walk_descriptors(table, range, &visitor);

	compare_hole(&comparison, range.end);
	return descriptors;
}
