/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <strata/heap.h>
#include <strata/vm_io.h>
#include <strata/vm_object.h>
#include <strata/write_protect.h>
#include <string.h>
#include "guest.h"
#include "page_sum.h"

#define SNAPSHOT_SIZE (SNAPSHOT_PAGES * PAGE_SIZE)

bool snapshot_touches(const struct guest *guest, struct irange range)
{
	return guest->snapshot != NULL &&
	       !irange_is_empty(irange_intersection(guest->snapshot->range, range));
}

static struct iaddr page_at(const struct snapshot *snapshot, unsigned int index)
{
	return iaddr(snapshot->range.start.value + index * PAGE_SIZE);
}

/* Through the guest's space: what the guest would read. */
static enum mm_status copy_page(struct guest *guest, unsigned int index)
{
	struct snapshot *snapshot = guest->snapshot;
	struct vm_io_range range;
	enum mm_status status =
		vm_io_space(&guest->space, snapshot->range.start, SNAPSHOT_SIZE, &range);

	if (status != MM_OK)
		return status;

	const struct vm_object memory = vm_object_of(range);

	return vm_object_read_bytes(&memory, index * PAGE_SIZE, snapshot->copies[index], PAGE_SIZE);
}

static uint64_t copy_sum(const struct snapshot *snapshot, unsigned int index)
{
	return page_sum((const uint64_t *)(const void *)snapshot->copies[index]);
}

/* The sums of the moment: no CPU can write, and nothing was written since. */
static void take_sums(struct guest *guest)
{
	struct snapshot *snapshot = guest->snapshot;

	for (unsigned int i = 0; i < SNAPSHOT_PAGES; i++) {
		if (copy_page(guest, i) != MM_OK)
			continue;
		snapshot->present |= 1u << i;
		snapshot->sums[i] = copy_sum(snapshot, i);
	}
}

enum mm_status snapshot_begin(struct guest *guest, struct iaddr page)
{
	const uint64_t start = page.value & ~(SNAPSHOT_SIZE - 1);
	const struct irange range = irange(iaddr(start), iaddr(start + SNAPSHOT_SIZE));
	const bool meanwhile = guest_is_running(guest);
	struct cursor cursor;
	void *memory;
	enum mm_status status = heap_alloc(sizeof(struct snapshot), &memory);

	if (status != MM_OK)
		return status;
	status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);
	if (status == MM_OK) {
		status = cursor_write_protect(&cursor, SNAPSHOT_SIZE, NULL);
		cursor_close(&cursor);
	}
	if (status != MM_OK) {
		heap_free(memory);
		return status;
	}

	guest->statistics.snapshots_meanwhile += meanwhile;
	guest->snapshot = memory;
	guest->snapshot->range = range;
	guest->snapshot->present = 0;
	guest->snapshot->copied = 0;
	take_sums(guest);
	return MM_OK;
}

enum mm_status snapshot_before_write(struct guest *guest, struct iaddr page)
{
	struct snapshot *snapshot = guest->snapshot;

	if (snapshot == NULL || !irange_has(snapshot->range, page))
		return MM_OK;

	unsigned int index =
		(unsigned int)((page.value - snapshot->range.start.value) >> PAGE_SHIFT);
	enum mm_status status;

	if (!(snapshot->present & ~snapshot->copied & 1u << index))
		return MM_OK;
	status = copy_page(guest, index);
	if (status != MM_OK)
		return status;
	snapshot->copied |= 1u << index;
	guest->statistics.pages_copied++;
	return MM_OK;
}

/* A page that the guest did not write to: it is in the space, or evicted. */
static enum mm_status copy_rest(struct guest *guest)
{
	struct snapshot *snapshot = guest->snapshot;

	for (unsigned int i = 0; i < SNAPSHOT_PAGES; i++) {
		const struct evicted_page *evicted =
			evicted_find(&guest->evicted, page_at(snapshot, i));
		enum mm_status status = MM_OK;

		if (!(snapshot->present & ~snapshot->copied & 1u << i))
			continue;
		if (evicted != NULL)
			memcpy(snapshot->copies[i], mm_linear(evicted->frame.paddr), PAGE_SIZE);
		else
			status = copy_page(guest, i);
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

static struct page_property with_write(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

static enum mm_status give_write_back(struct guest *guest, struct irange range)
{
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_protect(&cursor, irange_size(range), with_write, NULL, NULL);
	cursor_close(&cursor);
	return status;
}

enum mm_status snapshot_end(struct guest *guest)
{
	struct snapshot *snapshot = guest->snapshot;
	enum mm_status status = copy_rest(guest);

	if (status == MM_OK)
		status = give_write_back(guest, snapshot->range);
	if (status != MM_OK)
		return status;

	evicted_add_flags(&guest->evicted, snapshot->range, PAGE_WRITE);
	for (unsigned int i = 0; i < SNAPSHOT_PAGES; i++) {
		if (snapshot->present & 1u << i && snapshot->sums[i] != copy_sum(snapshot, i))
			guest->statistics.pages_torn++;
	}
	guest->statistics.snapshots++;
	snapshot_forget(guest);
	return MM_OK;
}

void snapshot_forget(struct guest *guest)
{
	heap_free(guest->snapshot);
	guest->snapshot = NULL;
}
