/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty logs: that each takes write access and gives it back where it should, and which pages are on the
 * list. Of pages that nobody could write to, none; of those that were written, as far as it is known, all:
 * by faults that is every one; of a CPU that keeps dirty state, those that were seen dirty, and those that
 * the hypervisor wrote.
 */
#include "service.h"

#include <inttypes.h>

static store_id name_of(const struct dirty_log *log)
{
	return (store_id)(uintptr_t)log;
}

/* ---- What becomes of each page ------------------------------------------------------------- */

static struct page_property write_protected(struct page_property was)
{
	was.flags &= (uint8_t) ~(PAGE_WRITE | PAGE_DIRTY_STATE);
	return was;
}

static struct page_property clean(struct page_property was)
{
	if (was.flags & (PAGE_WRITE | PAGE_DIRTY_STATE))
		was.flags = (uint8_t)((was.flags & ~PAGE_WRITE) | PAGE_DIRTY_STATE);
	return was;
}

static struct page_property written(struct page_property was)
{
	was.flags |= PAGE_WRITE;
	return was;
}

static struct page_property without_dirty_state(struct page_property was)
{
	if (was.flags & PAGE_DIRTY_STATE)
		was.flags = (uint8_t)((was.flags & ~PAGE_DIRTY_STATE) | PAGE_WRITE);
	return was;
}

/* So that writes are seen. */
static service_makes watched(const struct live_space *space)
{
	return space->state.hardware_flags ? clean : write_protected;
}

static void check_given_back(const struct service *service, const struct live_log *log)
{
	const service_makes back =
		service->open->space->state.hardware_flags ? without_dirty_state : written;
	struct irange left = service->range;
	struct mapping taken;

	while (mappings_next_in(&log->taken, left, &taken)) {
		service_check_made(service, irange(left.start, taken.range.start), service_keeps);
		service_check_made(service, taken.range, back);
		left.start = taken.range.end;
	}
	service_check_made(service, left, service_keeps);
}

/* ---- The list ------------------------------------------------------------------------------ */

static void check_list(const struct service *service, const struct live_log *log)
{
	const uint64_t *list = service->operation->metadata;
	const struct iaddr start = log->range.start;

	for (uint64_t i = 0; i < irange_size(log->range) >> PAGE_SHIFT; i++) {
		const struct iaddr page = iaddr(start.value + (i << PAGE_SHIFT));
		bool listed = list[i / 64] >> (i % 64) & 1;
		bool must_be = mappings_has(&log->written, page);

		if (listed ? must_be || mappings_has(&log->writable, page) : !must_be)
			continue;
		difference(service->subject, page,
			   listed ? "on the list, and nobody could write to it"
				  : "written, and not on the list");
		return;
	}
}

/* What could be written to becomes the log's, with nothing on the list. */
static void begin_list(const struct service *service, struct live_log *log)
{
	struct store *store = &service->checker->store;

	store_add_mapped(store, &log->taken, &service->open->before, log->range,
			 PAGE_WRITE | PAGE_DIRTY_STATE, PAGE_WRITE);
	mappings_clear(&log->written);
	mappings_clear(&log->writable);
	store_note_dirty(store, service->open->space, log->range);
}

/* ---- Operations ---------------------------------------------------------------------------- */

/* NULL: it does not run, and the status was not right. */
static struct live_log *log_of(const struct service *service)
{
	return store_log(&service->checker->store, name_of(service->operation->log));
}

void check_log_started(const struct service *service)
{
	struct store *store = &service->checker->store;
	struct live_log *log = log_of(service);

	if (log != NULL) /* its user forgot it */
		store_remove_log(store, log);
	service_check_made(service, service->range, watched(service->open->space));
	log = store_add_log(store, name_of(service->operation->log), service->open->space,
			    service->range);
	if (log != NULL)
		begin_list(service, log);
}

void check_log_faulted(const struct service *service)
{
	struct live_log *log = log_of(service);

	if (log == NULL)
		return;
	service_check_made(service, service->range, written);
	store_add_pages(&service->checker->store, &log->written, service->range);
}

void check_log_taken(const struct service *service)
{
	struct store *store = &service->checker->store;
	struct live_log *log = log_of(service);

	if (log == NULL)
		return;
	service_check_made(service, service->range, watched(service->open->space));
	store_add_mapped(store, &log->written, &service->open->before, log->range, PAGE_WRITE,
			 PAGE_WRITE);
	if (service->operation->metadata != NULL && !store->out_of_storage)
		check_list(service, log);
	begin_list(service, log);
}

void check_log_stopped(const struct service *service)
{
	struct live_log *log = log_of(service);

	if (log == NULL)
		return;
	check_given_back(service, log);
	store_remove_log(&service->checker->store, log);
}

void check_log_adopt(struct checker *checker, const struct mm_operation *operation)
{
	struct live_log *log = store_log(&checker->store, name_of(operation->log));
	const struct property_change *said = operation->changes;
	struct page_property becomes;

	if (log == NULL)
		return; /* it does not run, or its space is not known */
	checker->operations++;
	becomes = said->was;
	if (irange_contains(log->range, operation->range) &&
	    (said->was.flags & (PAGE_WRITE | PAGE_DIRTY_STATE)) != 0) {
		becomes = watched(log->space)(said->was);
		store_add_pages(&checker->store, &log->taken, operation->range);
	}
	if (!page_property_equal(said->becomes, becomes))
		difference((struct subject){ operation_name(operation->kind), log->space->number },
			   operation->position, "says flags 0x%x, model says 0x%x",
			   said->becomes.flags, becomes.flags);
}
