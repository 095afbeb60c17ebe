/* SPDX-License-Identifier: BSD-3-Clause */
/* Reclaim: what is still there is as it was; so many pages are not, cold ones before others. */
#include "service.h"

#include <inttypes.h>

static uint64_t pages_of(const struct mappings *mappings, struct irange range, bool cold_only)
{
	struct mapping mapping;
	uint64_t pages = 0;

	while (mappings_next_in(mappings, range, &mapping)) {
		if (mapping.counted && !(cold_only && mapping.property.flags & PAGE_ACCESSED))
			pages += irange_size(mapping.range) >> PAGE_SHIFT;
		range.start = mapping.range.end;
	}
	return pages;
}

void service_check_reclaimed(const struct service *service)
{
	const struct mm_operation *operation = service->operation;
	const struct mappings *before = &service->open->before;
	const struct mappings *mappings = &service->open->space->state.mappings;
	struct irange left = service->range;
	uint64_t counted = pages_of(before, left, false);
	uint64_t gone = counted - pages_of(mappings, left, false);
	uint64_t cold = pages_of(before, left, true);
	uint64_t cold_gone = cold - pages_of(mappings, left, true);
	uint64_t least = counted < operation->length ? counted : operation->length;
	struct mapping was, now;

	/* Pages that others saturate meanwhile stay. */
	if (operation->result != gone || gone > least ||
	    (gone < least && store_alone(&service->checker->store)))
		difference(service->subject, left.start,
			   "says %" PRIu64 " pages, and took %" PRIu64 ", model says %" PRIu64,
			   operation->result, gone, least);
	else if (gone > cold_gone && cold_gone < cold && gone == least &&
		 !service->open->space->state.hardware_flags)
		difference(service->subject, left.start,
			   "took pages that were accessed, and left %" PRIu64 " that were not",
			   cold - cold_gone);
	while (mappings_next_in(mappings, left, &now)) {
		struct irange rest = now.range;

		while (mappings_next_in(before, rest, &was) &&
		       was.range.start.value == rest.start.value) {
			struct mapping part = mapping_cut(now, was.range);

			if (!service_is_made(service, &was, &part, service_keeps))
				break;
			rest.start = was.range.end;
		}
		if (!irange_is_empty(rest)) {
			difference(service->subject, rest.start,
				   "what was not taken is not as it was");
			return;
		}
		left.start = now.range.end;
	}
}
