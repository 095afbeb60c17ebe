/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include <arch/canary.h>
#include <strata/cursor.h>
#include "corruption.h"
#if STRATA_CHECKED
#include <model.h>
#endif

enum mm_status guest_create(struct guest *guest, const char *name, unsigned int ia_bits,
			    uint64_t seed)
{
	*guest = (struct guest){ .name = name, .random = { seed } };
	quarantine_init(&guest->quarantine);
	return vm_space_new_stage2(ia_bits, &guest->space);
}

void guest_add_region(struct guest *guest, const struct guest_region *region)
{
	guest->regions[guest->region_count++] = *region;
}

const struct guest_region *guest_region_at(const struct guest *guest, struct iaddr address)
{
	for (size_t i = 0; i < guest->region_count; i++) {
		if (irange_has(guest->regions[i].range, address))
			return &guest->regions[i];
	}
	return NULL;
}

struct evicted_page *guest_evicted_at(struct guest *guest, struct iaddr page)
{
	for (size_t i = 0; i < guest->evicted_count; i++) {
		if (guest->evicted[i].page.value == page.value)
			return &guest->evicted[i];
	}
	return NULL;
}

bool guest_has_evicted(const struct guest *guest, struct irange range)
{
	for (size_t i = 0; i < guest->evicted_count; i++) {
		if (irange_has(range, guest->evicted[i].page))
			return true;
	}
	return false;
}

void guest_add_evicted(struct guest *guest, struct evicted_page evicted)
{
	guest->evicted[guest->evicted_count++] = evicted;
}

struct evicted_page guest_take_evicted(struct guest *guest, struct evicted_page *evicted)
{
	struct evicted_page taken = *evicted;
	const struct evicted_page *end = &guest->evicted[--guest->evicted_count];

	for (; evicted < end; evicted++)
		*evicted = evicted[1];
	return taken;
}

enum mm_status guest_refill(struct guest *guest, struct evicted_page *evicted)
{
	struct irange page = { evicted->page, iaddr(evicted->page.value + PAGE_SIZE) };
	struct cursor cursor;
	enum mm_status status;

	status = cursor_open(&guest->space, page, CURSOR_MUTABLE, &cursor);
	if (status != MM_OK)
		return status;

	status = cursor_map(&cursor, &evicted->frame, evicted->property);
	cursor_close(&cursor);
	if (status == MM_OK) {
		guest_take_evicted(guest, evicted);
		guest->statistics.pages_refilled++;
	}
	return status;
}

/* What a table said can only be judged while it is there. */
static void check_tables(struct guest *guest)
{
	if (CANARY(leaf_corrupted))
		corrupt_leaf(&guest->space);
#if STRATA_CHECKED
	model_check_all();
#endif
}

void guest_destroy(struct guest *guest)
{
	check_tables(guest);
	while (guest->evicted_count > 0) {
		struct evicted_page page = guest_take_evicted(guest, &guest->evicted[0]);

		frame_drop(&page.frame);
	}
	quarantine_empty(&guest->quarantine);

	/* Nobody else knows the space: no cursor is open on it, and it is not active. */
	enum mm_status status = vm_space_destroy(&guest->space);
	(void)status;
}
