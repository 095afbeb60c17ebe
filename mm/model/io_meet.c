/* SPDX-License-Identifier: BSD-3-Clause */
#include "io_meet.h"

/* Pages on each side up to which it is looked for one that both have. */
#define MEETING_PAGES_MAX 64

/* Whether any of the first @size bytes of @to is also one of @from's. */
static bool pages_meet(struct store *store, struct io_tables *tables, const struct vm_io_range *to,
		       const struct vm_io_range *from, uint64_t size)
{
	if (size > MEETING_PAGES_MAX * PAGE_SIZE)
		return true;
	for (uint64_t i = 0; i < size;) {
		struct io_place target = io_place(store, to, i, PAGE_WRITE, tables);
		uint64_t length = least(target.length, size - i);

		for (uint64_t j = 0; j < size;) {
			struct io_place source = io_place(store, from, j, PAGE_READ, tables);
			uint64_t other = least(source.length, size - j);

			if (source.bytes == NULL || target.bytes == NULL ||
			    (source.bytes < target.bytes + length &&
			     target.bytes < source.bytes + other))
				return true;
			j += source.length;
		}
		i += target.length;
	}
	return false;
}

/* The same with the hypervisor's own memory, which is one piece, from @own on. */
static bool piece_meets(struct store *store, struct io_tables *tables,
			const struct vm_io_range *own, const struct vm_io_range *other,
			uint8_t access, uint64_t size)
{
	const uint8_t *start = (const uint8_t *)(uintptr_t)own->cursor;

	for (uint64_t i = 0; i < size;) {
		struct io_place place = io_place(store, other, i, access, tables);

		if (place.bytes == NULL || (place.bytes < start + size &&
					    start < place.bytes + least(place.length, size - i)))
			return true;
		i += place.length;
	}
	return false;
}

bool io_meet(struct store *store, struct io_tables *tables, const struct vm_io_range *to,
	     const struct vm_io_range *from, uint64_t size)
{
	if (from == NULL || to == NULL)
		return false;
	if (from->kind == VM_IO_HYPERVISOR)
		return piece_meets(store, tables, from, to, PAGE_WRITE, size);
	if (to->kind == VM_IO_HYPERVISOR)
		return piece_meets(store, tables, to, from, PAGE_READ, size);
	return pages_meet(store, tables, to, from, size);
}

bool io_changes_tables(struct store *store, struct io_tables *tables, const struct vm_io_range *to,
		       uint64_t size)
{
	if (to == NULL || tables->count == 0)
		return false;
	for (uint64_t i = 0; i < size;) {
		struct io_place place = io_place(store, to, i, PAGE_WRITE, tables);

		if (place.bytes == NULL || io_is_table(tables, &place))
			return true;
		i += place.length;
	}
	return false;
}
