/* SPDX-License-Identifier: BSD-3-Clause */
#include "mappings_relate.h"

bool mapping_equal(const struct mapping *a, const struct mapping *b)
{
	return a->range.start.value == b->range.start.value &&
	       a->range.end.value == b->range.end.value && a->output.value == b->output.value &&
	       page_property_equal(a->property, b->property) && a->counted == b->counted;
}

bool mappings_equal_in(const struct mappings *a, const struct mappings *b, struct irange range)
{
	struct mapping in_a, in_b;

	for (;;) {
		bool found = mappings_next_in(a, range, &in_a);

		if (found != mappings_next_in(b, range, &in_b))
			return false;
		if (!found)
			return true;
		if (!mapping_equal(&in_a, &in_b))
			return false;
		range.start = in_a.range.end;
	}
}

bool mappings_equal(const struct mappings *a, const struct mappings *b)
{
	return mappings_equal_in(a, b, irange_all());
}

bool mappings_equal_outside(const struct mappings *a, const struct mappings *b, struct irange range)
{
	struct irange all = irange_all();

	return mappings_equal_in(a, b, irange(all.start, range.start)) &&
	       mappings_equal_in(a, b, irange(range.end, all.end));
}

bool mappings_empty_in(const struct mappings *mappings, struct irange range)
{
	struct mapping mapping;

	return !mappings_next_in(mappings, range, &mapping);
}

bool mappings_contain(const struct mappings *mappings, const struct mapping *part)
{
	struct mapping found;

	return mappings_next_in(mappings, part->range, &found) && mapping_equal(&found, part);
}

bool mappings_copy(struct mappings *to, const struct mappings *from)
{
	struct irange left = irange_all();
	struct mapping mapping;

	mappings_clear(to);
	while (mappings_next_in(from, left, &mapping)) {
		if (!mappings_insert(to, mapping))
			return false;
		left.start = mapping.range.end;
	}
	return true;
}
