/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Services at a cursor, from end to end: of every page of the range, that it is mapped afterwards as the
 * service makes it of what it was; and what is returned. Refused, nothing changed.
 */
#include "service.h"

#include "check_object.h"
#include "step.h"

#include <inttypes.h>
#include <string.h>

static struct irange held_part(const struct open_cursor *open, struct irange range)
{
	struct irange held = open->state.range;

	if (irange_size(range) > held.end.value - range.start.value)
		range.end = held.end;
	return range;
}

static void begin(struct service *service)
{
	struct open_cursor *open = service->open;
	struct op op = op_of(service->operation);
	struct irange left = service->range;
	struct mapping mapping;

	mappings_clear(&open->before);
	while (mappings_next_in(&open->space->state.mappings, left, &mapping)) {
		if (!mappings_insert(&open->before, mapping)) {
			service->checker->store.out_of_storage = true;
			return;
		}
		left.start = mapping.range.end;
	}
	open->new = service->operation->output;
	open->allowed = op_statuses(&service->checker->store, &op);
}

/* ---- What becomes of each page ------------------------------------------------------------- */

struct page_property service_keeps(struct page_property was)
{
	return was;
}

static struct page_property without_accessed(struct page_property was)
{
	was.flags &= (uint8_t)~PAGE_ACCESSED;
	return was;
}

static struct page_property without_write(struct page_property was)
{
	was.flags &= (uint8_t) ~(PAGE_WRITE | PAGE_DIRTY_STATE);
	return was;
}

/* Whether @now is the same as @was, but for the property, and as much of it as there is. */
static bool is_same(const struct mapping *was, const struct mapping *now)
{
	return now->range.start.value == was->range.start.value && now->counted == was->counted &&
	       now->output.value == was->output.value;
}

bool service_is_made(const struct service *service, const struct mapping *was,
		     const struct mapping *now, service_makes makes)
{
	static const uint8_t set[] = { 0, PAGE_ACCESSED, PAGE_WRITE, PAGE_ACCESSED | PAGE_WRITE };
	const bool hardware_flags = service->open->space->state.hardware_flags;

	for (size_t i = 0; i < sizeof(set); i++) {
		struct page_property found = was->property;

		found.flags |= set[i];
		if (property_found(was->property, found, hardware_flags) &&
		    page_property_equal(now->property, makes(found)))
			return is_same(was, now);
	}
	return false;
}

void service_check_made(const struct service *service, struct irange left, service_makes makes)
{
	const struct mappings *mappings = &service->open->space->state.mappings;
	struct mapping was, now;

	while (mappings_next_in(&service->open->before, left, &was)) {
		bool found = mappings_next_in(mappings, left, &now);

		if (!found || !service_is_made(service, &was, &now, makes)) {
			difference(service->subject, was.range.start, "it left %s of %s",
				   mapping_text(found ? &now : NULL).text, mapping_text(&was).text);
			return;
		}
		left.start =
			was.range.end.value < now.range.end.value ? was.range.end : now.range.end;
	}
	if (mappings_next_in(mappings, left, &now))
		difference(service->subject, now.range.start, "it left %s of nothing",
			   mapping_text(&now).text);
}

/* ---- Ageing and write protection ----------------------------------------------------------- */

static uint64_t pages_with(const struct service *service, uint8_t flags)
{
	struct irange left = service->range;
	struct mapping mapping;
	uint64_t pages = 0;

	while (mappings_next_in(&service->open->before, left, &mapping)) {
		if (mapping.property.flags & flags)
			pages += irange_size(mapping.range) >> PAGE_SHIFT;
		left.start = mapping.range.end;
	}
	return pages;
}

/* Where CPUs set flags by themselves, at least the pages that had them before. */
static void check_count(const struct service *service, uint8_t flags)
{
	uint64_t pages = pages_with(service, flags);
	uint64_t result = service->operation->result;

	if (result < pages || (result > pages && !service->open->space->state.hardware_flags))
		difference(service->subject, service->range.start,
			   "says %" PRIu64 " pages, model says %" PRIu64, result, pages);
}

/* What was accessed is in the caller's bits. */
static void check_bits(const struct service *service)
{
	const uint64_t *bits = service->operation->metadata;
	struct irange left = service->range;
	struct mapping mapping;

	while (bits != NULL && mappings_next_in(&service->open->before, left, &mapping)) {
		uint64_t start = mapping.range.start.value - service->range.start.value;
		uint64_t end = mapping.range.end.value - service->range.start.value;

		for (uint64_t page = start >> PAGE_SHIFT;
		     (mapping.property.flags & PAGE_ACCESSED) && page < end >> PAGE_SHIFT; page++) {
			if (bits[page / 64] >> (page % 64) & 1)
				continue;
			difference(service->subject,
				   iaddr(service->range.start.value + (page << PAGE_SHIFT)),
				   "accessed, and not among those that are said to be");
			return;
		}
		left.start = mapping.range.end;
	}
}

/* ---- Migration ----------------------------------------------------------------------------- */

static void check_migrated(const struct service *service)
{
	const struct paddr new = service->open->new;
	const struct iaddr page = service->range.start;
	struct mapping was, now;

	if (!mappings_find(&service->open->before, page, &was) ||
	    !mappings_find(&service->open->space->state.mappings, page, &now) ||
	    mapping_output(&now, page).value != new.value ||
	    !page_property_equal(now.property, was.property)) {
		difference(service->subject, page,
			   "the page is not the new frame as it was the old");
		return;
	}
	/* Whoever runs on another CPU may write to it already. */
	if (store_alone(&service->checker->store) &&
	    memcmp(mm_linear(new), mm_linear(mapping_output(&was, page)), PAGE_SIZE) != 0)
		difference(service->subject, page, "the new frame has another content");
}

/* A log that begins moves past its range; the other operations on logs stay, and so does who is refused. */
static void check_log_position(const struct service *service)
{
	const struct mm_operation *operation = service->operation;
	const struct iaddr position = service->open->state.position;
	struct iaddr expected = operation->position;

	if (operation->log == NULL)
		return;
	if (operation->kind == OPERATION_DIRTY_LOG_START && operation->status == MM_OK)
		expected = operation->range.end;
	if (position.value != expected.value)
		difference(service->subject, operation->position,
			   "the position is 0x%" PRIx64 ", model says 0x%" PRIx64, position.value,
			   expected.value);
}

static void end(const struct service *service)
{
	const struct mm_operation *operation = service->operation;

	if (!check_status(service->subject, operation, service->open->allowed))
		return;
	check_log_position(service);
	if (operation->status != MM_OK) {
		service_check_made(service, service->range, service_keeps);
		return;
	}
	switch ((enum service_operation)operation->kind) {
	case OPERATION_CURSOR_AGE:
		service_check_made(service, service->range, without_accessed);
		check_count(service, PAGE_ACCESSED);
		check_bits(service);
		break;
	case OPERATION_CURSOR_WRITE_PROTECT:
		service_check_made(service, service->range, without_write);
		check_count(service, PAGE_WRITE | PAGE_DIRTY_STATE);
		break;
	case OPERATION_CURSOR_MIGRATE:
		check_migrated(service);
		break;
	case OPERATION_CURSOR_RECLAIM:
		service_check_reclaimed(service);
		break;
	case OPERATION_DIRTY_LOG_START:
		check_log_started(service);
		break;
	case OPERATION_DIRTY_LOG_FAULT:
		check_log_faulted(service);
		break;
	case OPERATION_DIRTY_LOG_TAKE:
		check_log_taken(service);
		break;
	case OPERATION_DIRTY_LOG_STOP:
		check_log_stopped(service);
		break;
	case OPERATION_DIRTY_LOG_ADOPT: /* has no beginning, and so no end */
		break;
	}
}

/* What the cursor holds of all of a log. The end of one says its range no more. */
static struct irange logged_part(const struct service *service)
{
	const struct mm_operation *operation = service->operation;
	const struct live_log *log =
		store_log(&service->checker->store, (store_id)(uintptr_t)operation->log);
	struct irange range = irange_intersection(service->open->state.range,
						  log != NULL ? log->range : operation->range);

	return irange_is_empty(range) ? irange(range.start, range.start) : range;
}

void check_service_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct service service = {
		.checker = checker,
		.operation = operation,
		.open = registry_cursor(&checker->store.registry, operation->cursor),
	};

	if (operation->kind == OPERATION_DIRTY_LOG_ADOPT) {
		check_log_adopt(checker, operation);
		return;
	}
	if (service.open == NULL)
		return; /* of a space that was made before the model started */
	service.subject =
		(struct subject){ operation_name(operation->kind), service.open->space->number };
	if (operation->kind == OPERATION_DIRTY_LOG_TAKE ||
	    operation->kind == OPERATION_DIRTY_LOG_STOP)
		service.range = logged_part(&service);
	else
		service.range = held_part(service.open, operation->range);
	if (operation->begins) {
		begin(&service);
		return;
	}
	checker->operations++;
	if (service.open->allowed == 0)
		difference(service.subject, operation->position, "ended without having begun");
	else
		end(&service);
	service.open->allowed = 0;
	mappings_clear(&service.open->before);
}
