/* SPDX-License-Identifier: BSD-3-Clause */
#include "objects.h"

struct page_property becomes(struct page_property was, void *context)
{
	(void)was;
	return *(const struct page_property *)context;
}

void receive(const struct reclaimed_page *reclaimed, void *context)
{
	frame_t frame = reclaimed->frame;

	(void)context;
	frame_drop(&frame);
}

const struct frame_request *request(struct objects *o, uint64_t count, uint64_t alignment,
				    uint64_t limit, uint32_t colours, uint32_t colour)
{
	o->request = (struct frame_request){
		.page_count = count,
		.alignment = alignment,
		.limit = limit == 0 ? paddr(0) : page(o, limit),
		.colours = colours,
		.colour = colour,
		.contents = FRAME_UNDEFINED,
	};
	return &o->request;
}

enum mm_status found(const struct objects *o, enum mm_status status)
{
	if (status == MM_OK && !(o->item.mapped && o->item.counted))
		return MM_EXISTS;
	return status;
}

bool drained(struct segment *segment)
{
	frame_t frame;

	while (segment_next(segment, &frame))
		frame_drop(&frame);
	return false;
}

enum mm_status reset_as_unused(struct objects *o, unique_frame_t *unique)
{
	if (o->withheld_count == WITHHELD_MAX)
		unique_frame_drop(unique);
	else {
		o->withheld[o->withheld_count++] = unique->paddr;
		unique_frame_reset_as_unused(unique);
	}
	return MM_OK;
}

const struct vm_guest *guest(struct objects *o, struct vm_space *space)
{
	struct vm_guest *out = &o->guests[space - o->spaces];

	*out = (struct vm_guest){ .space = space, .level = VM_GUEST_EL1 };
	return out;
}

enum mm_status reader(struct objects *o, enum mm_status status, struct vm_reader *out)
{
	if (status == MM_OK)
		*out = vm_reader_of(o->io);
	return status;
}

enum mm_status writer(struct objects *o, enum mm_status status, struct vm_writer *out)
{
	if (status == MM_OK)
		*out = vm_writer_of(o->io);
	return status;
}

enum mm_status compare_exchange(struct objects *o, const struct vm_writer *writer,
				unsigned int size, uint64_t expected)
{
	struct vm_reader same = { writer->range };

	return vm_writer_atomic_compare_exchange(writer, &same, size, expected, expected + 1,
						 &o->number, &o->exchanged);
}

enum mm_status sharing_between(struct vm_space *owner, struct vm_space *member,
			       struct sharing **out)
{
	const struct vm_space *members[] = { member };

	return sharing_new(owner, members, 1, out);
}
