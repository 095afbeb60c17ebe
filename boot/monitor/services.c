/* SPDX-License-Identifier: BSD-3-Clause */
#include "services.h"

#include <inttypes.h>
#include <strata/frame_request.h>
#include <strata/migration.h>
#include "../log.h"
#include "evict.h"

#define STEPS_PER_RANDOM_EVICTION 8

/*
 * Dirty logs and looks last most of a period. Nothing begins in the step where its like ends: that takes
 * long, and by its end all other virtual CPUs would wait for the guest's lock. They should run meanwhile.
 */
#define STEPS_PER_PERIOD 64
#define DIRTY_LOG_STEP 0
#define LOOK_END_STEP 8
#define LOOK_STEP 16
#define SNAPSHOT_STEP 32
#define SNAPSHOT_END_STEP 48
#define DIRTY_LOG_END_STEP 56

/* Evicted at the end of a look. */
#define PAGES_PER_LOOK 8
/* More are not kept away at a time. */
#define EVICTED_MAX 64

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

static bool has_colour(const struct guest *guest, const frame_t *frame)
{
	return ((frame->paddr.value >> PAGE_SHIFT) & (GUEST_COLOURS - 1)) == guest->colour;
}

/* One of the guest's own colour, so that guests' busy pages do not evict each other from the cache; any
 * page if there is none. */
static enum mm_status frame_of_colour(const struct guest *guest, frame_t *out)
{
	const struct frame_request request = {
		.page_count = 1,
		.colours = GUEST_COLOURS,
		.colour = guest->colour,
		.contents = FRAME_UNDEFINED,
	};
	struct segment segment;

	if (segment_request(&request, &segment) == MM_OK && segment_next(&segment, out))
		return MM_OK;
	return frame_alloc(FRAME_UNDEFINED, out);
}

enum mm_status service_migrate(struct guest *guest, struct iaddr page)
{
	bool coloured;
	struct cursor cursor;
	frame_t old, new;
	enum mm_status status = frame_of_colour(guest, &new);

	if (status != MM_OK)
		return status;
	coloured = has_colour(guest, &new);
	status = open_at_mapped(guest, page, &cursor);
	if (status == MM_OK) {
		page = cursor_virt_addr(&cursor);
		status = cursor_migrate(&cursor, &new, &old);
		cursor_close(&cursor);
	}
	if (status != MM_OK) {
		frame_drop(&new);
		return status;
	}

	/* No CPU reaches it: it is poisoned while the guest may run again. */
	if (!quarantine_add(&guest->quarantine, &old, &guest->space, page))
		guest->statistics.written_after_move++;
	guest->statistics.pages_migrated++;
	guest->statistics.migrated_meanwhile += guest_is_running(guest);
	guest->statistics.pages_coloured += coloured;
	return MM_OK;
}

enum mm_status service_evict(struct guest *guest, struct iaddr page)
{
	struct cursor cursor;
	enum mm_status status = open_at_mapped(guest, page, &cursor);

	if (status != MM_OK)
		return status;
	status = evict_at(guest, &cursor, PAGE_SIZE, 1);
	cursor_close(&cursor);
	return status;
}

/* MM_OK for everything that only says that there was nothing to do. */
static enum mm_status unless_defect(struct guest *guest, enum mm_status status)
{
	if (status == MM_NO_MEMORY)
		guest->statistics.services_skipped++;
	if (status == MM_NOT_MAPPED || status == MM_IN_USE || status == MM_NO_MEMORY)
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
	enum mm_status status = MM_OK;

	while (status == MM_OK && guest->evicted.count >= EVICTED_MAX)
		status = guest_refill(guest, guest->evicted.first);
	return status;
}

/* The 2 MiB around @page if they lie in one region that has @flags. */
static bool block_around(const struct guest *guest, struct iaddr page, uint8_t flags,
			 struct irange *out)
{
	const struct guest_region *region = guest_region_at(guest, page);
	uint64_t start = page.value & ~(BLOCK_SIZE - 1);

	*out = irange(iaddr(start), iaddr(start + BLOCK_SIZE));
	return region && (region->property.flags & flags) == flags &&
	       irange_contains(region->range, *out);
}

static enum mm_status end_dirty_log(struct guest *guest)
{
	return guest->dirty_round.running ? dirty_round_end(guest) : MM_OK;
}

/* One still runs where there was no memory to end it. */
static enum mm_status begin_dirty_log(struct guest *guest, struct iaddr in_use)
{
	enum mm_status status = end_dirty_log(guest);
	struct irange range;

	if (status != MM_OK || !block_around(guest, in_use, PAGE_WRITE, &range))
		return status;
	if (snapshot_touches(guest, range))
		status = snapshot_end(guest);
	return status == MM_OK ? dirty_round_begin(guest, range) : status;
}

/* What was not accessed since the last look goes first. */
static enum mm_status end_look(struct guest *guest)
{
	return guest->working_set.running ? working_set_end(guest, PAGES_PER_LOOK) : MM_OK;
}

/* As begin_dirty_log. */
static enum mm_status begin_look(struct guest *guest, struct iaddr in_use)
{
	enum mm_status status = end_look(guest);
	struct irange range;

	if (status != MM_OK || !block_around(guest, in_use, PAGE_READ, &range) ||
	    snapshot_touches(guest, range))
		return status;
	return working_set_begin(guest, range);
}

static bool touch(struct irange a, struct irange b)
{
	return !irange_is_empty(irange_intersection(a, b));
}

/* Of a page that the guest is about to write to, most of the time. */
static enum mm_status begin_snapshot(struct guest *guest, struct iaddr in_use)
{
	struct irange block;

	if (guest->snapshot != NULL ||
	    !block_around(guest, in_use, PAGE_READ | PAGE_WRITE, &block) ||
	    (guest->dirty_round.running && touch(guest->dirty_round.range, block)) ||
	    (guest->working_set.running && touch(guest->working_set.range, block)))
		return MM_OK;
	return snapshot_begin(guest, in_use);
}

/* What is done every so often, each at its own time. */
static enum mm_status periodic_step(struct guest *guest, uint64_t step, struct iaddr in_use)
{
	switch (step % STEPS_PER_PERIOD) {
	case DIRTY_LOG_STEP:
		return begin_dirty_log(guest, in_use);
	case DIRTY_LOG_END_STEP:
		return end_dirty_log(guest);
	case LOOK_STEP:
		return begin_look(guest, in_use);
	case LOOK_END_STEP:
		return end_look(guest);
	case SNAPSHOT_STEP:
		return begin_snapshot(guest, in_use);
	case SNAPSHOT_END_STEP:
		return guest->snapshot != NULL ? snapshot_end(guest) : MM_OK;
	default:
		return MM_OK;
	}
}

/* Nothing of this may be visible to the guest, nor may it write where it cannot. */
static enum mm_status unless_seen(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;

	return statistics->written_after_move || statistics->pages_not_listed ||
			       statistics->pages_torn
		       ? MM_ACCESS_DENIED
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

enum mm_status services_step(struct guest *guest, unsigned int vcpu, struct iaddr in_use)
{
	uint64_t step = guest->service_steps++;
	enum mm_status status;

	if (step % STEPS_PER_PERIOD == 0)
		say_so_far(guest);
	working_set_note(guest, vcpu);
	status = unless_defect(guest, periodic_step(guest, step, in_use));
	if (status == MM_OK)
		status = unless_defect(guest, make_room(guest));
	if (status == MM_OK)
		status = unless_defect(guest, step % 2 == 0 ? service_migrate(guest, in_use)
							    : service_evict(guest, in_use));
	if (status == MM_OK)
		status = unless_defect(guest, service_migrate(guest, random_page(guest)));
	if (status == MM_OK && step % STEPS_PER_RANDOM_EVICTION == 0)
		status = unless_defect(guest, service_evict(guest, random_page(guest)));
	working_set_remember(guest, vcpu, in_use);
	return status == MM_OK ? unless_seen(guest) : status;
}

enum mm_status services_finish(struct guest *guest)
{
	enum mm_status status = end_dirty_log(guest);

	if (status == MM_OK && guest->snapshot != NULL)
		status = snapshot_end(guest);
	if (status == MM_OK && guest->working_set.running)
		status = working_set_end(guest, 0);
	if (!quarantine_empty(&guest->quarantine))
		guest->statistics.written_after_move++;
	return status == MM_OK ? unless_seen(guest) : status;
}
