/* SPDX-License-Identifier: BSD-3-Clause */
#include "services.h"

#include <inttypes.h>
#include <strata/migration.h>
#include <strata/reclaim.h>
#include "../log.h"

#define STEPS_PER_DIRTY_LOG 64
#define STEPS_PER_RANDOM_EVICTION 4

/* Opens @cursor at the first mapped page from @page on, in its 2 MiB and region; closed on an error. */
static enum mm_status open_at_mapped(struct guest *guest, struct iaddr page, struct cursor *cursor)
{
	const struct guest_region *region = guest_region_at(guest, page);
	if (!region)
		return MM_NOT_MAPPED;

	uint64_t end = (page.value & ~(BLOCK_SIZE - 1)) + BLOCK_SIZE;
	struct irange window = irange(iaddr(page_align_down(page.value)), iaddr(end));
	if (window.end.value > region->range.end.value)
		window.end = region->range.end;

	enum mm_status status = cursor_open(&guest->space, window, CURSOR_MUTABLE, cursor);
	if (status != MM_OK)
		return status;

	status = cursor_find_next(cursor, irange_size(window));
	if (status != MM_OK)
		cursor_close(cursor);
	return status;
}

enum mm_status service_migrate(struct guest *guest, struct iaddr page)
{
	struct cursor cursor;
	frame_t old, new;
	enum mm_status status = frame_alloc(FRAME_UNDEFINED, &new);

	if (status != MM_OK)
		return status;
	status = open_at_mapped(guest, page, &cursor);
	if (status == MM_OK) {
		status = cursor_migrate(&cursor, &new, &old);
		cursor_close(&cursor);
	}
	if (status != MM_OK) {
		frame_drop(&new);
		return status;
	}

	/* No CPU reaches it: it is poisoned while the guest may run again. */
	if (!quarantine_add(&guest->quarantine, &old, &guest->space))
		guest->statistics.written_after_move++;
	guest->statistics.pages_migrated++;
	return MM_OK;
}

static void keep_evicted(const struct reclaimed_page *page, void *context)
{
	struct guest *guest = context;

	guest_add_evicted(guest, (struct evicted_page){ page->page, page->property, page->frame });
	guest->statistics.pages_evicted++;
}

enum mm_status service_evict(struct guest *guest, struct iaddr page)
{
	struct cursor cursor;
	uint64_t taken;

	if (guest->evicted_count == GUEST_EVICTED_MAX)
		return MM_BUSY;

	enum mm_status status = open_at_mapped(guest, page, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_reclaim(&cursor, PAGE_SIZE, 1, keep_evicted, guest, &taken);
	cursor_close(&cursor);
	return status;
}

/* MM_OK for everything that only says that there was nothing to do. */
static enum mm_status unless_defect(struct guest *guest, enum mm_status status)
{
	if (status == MM_NO_MEMORY)
		guest->statistics.services_skipped++;
	if (status == MM_NOT_MAPPED || status == MM_BUSY || status == MM_IN_USE ||
	    status == MM_NO_MEMORY)
		return MM_OK;
	return status;
}

/* Any page of any region, mapped or not; large regions are picked most of the time. */
static struct iaddr random_page(struct guest *guest)
{
	size_t pick = random_below(&guest->random, 8 * guest->region_count);
	const struct guest_region *region = &guest->regions[guest->region_count - 1];

	if (pick < guest->region_count)
		region = &guest->regions[pick];
	uint64_t pages = irange_size(region->range) >> PAGE_SHIFT;
	uint64_t offset = random_below(&guest->random, pages) << PAGE_SHIFT;

	return iaddr(region->range.start.value + offset);
}

/* The guest may never touch a page again: what waited longest goes back by itself. */
static enum mm_status make_room(struct guest *guest)
{
	if (guest->evicted_count < GUEST_EVICTED_MAX)
		return MM_OK;
	return guest_refill(guest, &guest->evicted[0]);
}

static enum mm_status restart_dirty_log(struct guest *guest, struct iaddr in_use)
{
	const struct guest_region *region = guest_region_at(guest, in_use);
	uint64_t start = in_use.value & ~(BLOCK_SIZE - 1);
	struct irange range = irange(iaddr(start), iaddr(start + BLOCK_SIZE));
	enum mm_status status = MM_OK;

	if (guest->dirty_round.running)
		status = dirty_round_end(guest);
	if (status != MM_OK || !region || !(region->property.flags & PAGE_WRITE) ||
	    !irange_contains(region->range, range))
		return status;
	return dirty_round_begin(guest, range);
}

/* Nothing of this may be visible to the guest, nor may it write where it cannot. */
static enum mm_status unless_seen(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;

	return statistics->written_after_move || statistics->pages_not_listed ? MM_ACCESS_DENIED
									      : MM_OK;
}

static void say_so_far(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;

	log_debug("%s, call %" PRIu64 ": pages migrated %" PRIu64 ", unmapped %" PRIu64
		  ", refilled %" PRIu64 ", dirty %" PRIu64 "; services skipped %" PRIu64,
		  guest->name, guest->service_steps, statistics->pages_migrated,
		  statistics->pages_evicted, statistics->pages_refilled, statistics->pages_dirty,
		  statistics->services_skipped);
}

enum mm_status services_step(struct guest *guest, struct iaddr in_use)
{
	uint64_t step = guest->service_steps++;
	enum mm_status status = MM_OK;

	if (step % STEPS_PER_DIRTY_LOG == 0) {
		say_so_far(guest);
		status = unless_defect(guest, restart_dirty_log(guest, in_use));
	}
	if (status == MM_OK)
		status = unless_defect(guest, make_room(guest));
	if (status == MM_OK)
		status = unless_defect(guest, step % 2 == 0 ? service_migrate(guest, in_use)
							    : service_evict(guest, in_use));
	if (status == MM_OK)
		status = unless_defect(guest, service_migrate(guest, random_page(guest)));
	if (status == MM_OK && step % STEPS_PER_RANDOM_EVICTION == 0)
		status = unless_defect(guest, service_evict(guest, random_page(guest)));
	return status == MM_OK ? unless_seen(guest) : status;
}

enum mm_status services_finish(struct guest *guest)
{
	enum mm_status status = guest->dirty_round.running ? dirty_round_end(guest) : MM_OK;

	if (!quarantine_empty(&guest->quarantine))
		guest->statistics.written_after_move++;
	return status == MM_OK ? unless_seen(guest) : status;
}
