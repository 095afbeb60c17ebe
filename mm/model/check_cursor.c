/* SPDX-License-Identifier: BSD-3-Clause */
#include "check_object.h"
#include "cursor_check.h"

#include <arch/cpu.h>
#include <inttypes.h>

static void check_query(struct cursor_check *check)
{
	const struct cursor_item *item = &check->operation->item;
	struct cursor_state *cursor = &check->open->state;
	struct mapping said = { item->range, item->output, item->property, item->counted };
	struct mapping expected;
	bool mapped;
	struct irange descriptor;

	if (!check_succeeded(check))
		return;
	if (!spec_query_agrees(&check->space->state, cursor, item)) {
		mapped = mappings_find(&check->space->state.mappings, cursor->position, &expected);
		difference(check->subject, cursor->position,
			   "item says [0x%" PRIx64 ", 0x%" PRIx64 ") %s, model says %s",
			   item->range.start.value, item->range.end.value,
			   mapping_text(item->mapped ? &said : NULL).text,
			   mapping_text(mapped ? &expected : NULL).text);
		return;
	}
	if (item->mapped && item->counted && check->operation->kind == OPERATION_CURSOR_QUERY)
		check_references(check);
	descriptor = walk_descriptor_range(&check->space->table, cursor->position);
	if (!irange_contains(descriptor, item->range))
		difference(check->subject, cursor->position,
			   "item's range ends at 0x%" PRIx64 ", the descriptor's at 0x%" PRIx64,
			   item->range.end.value, descriptor.end.value);
}

static void check_find_next(struct cursor_check *check)
{
	struct irange range = check->operation->range;
	status_set allowed = op_statuses(&check->checker->store, &check->op);

	if (check_status(check->subject, check->operation, allowed) &&
	    (check->operation->status == MM_OK || check->operation->status == MM_NOT_MAPPED))
		spec_find_next_step(&check->space->state, &check->open->state, range);
}

static void check_jump(struct cursor_check *check)
{
	struct iaddr target = check->operation->range.start;

	if (check_done(check))
		spec_jump_step(&check->open->state, target);
}

/* The cursor must be where the model has it. Where it is, it is followed from now on. */
static void check_position(struct cursor_check *check, struct iaddr actual)
{
	struct iaddr *expected = &check->open->state.position;

	if (actual.value == expected->value)
		return;
	difference(check->subject, check->operation->position,
		   "the position is 0x%" PRIx64 ", model says 0x%" PRIx64, actual.value,
		   expected->value);
	*expected = actual;
}

static void check_open(struct checker *checker, const struct mm_operation *operation,
		       struct live_space *space)
{
	struct subject subject = { operation_name(operation->kind), space->number };
	struct irange range = operation->range;
	struct registry *registry = &checker->store.registry;
	struct open_cursor *holder = registry_holder(registry, space, range, NULL);
	struct op op = op_of(operation);
	struct open_cursor *open;

	check_status(subject, operation, op_statuses(&checker->store, &op));
	if (operation->status != MM_OK)
		return;
	if (holder != NULL)
		difference(subject, range.start,
			   "opened up to 0x%" PRIx64 ", where another cursor holds 0x%" PRIx64,
			   range.end.value, holder->state.range.start.value);
	open = registry_cursor(registry, operation->cursor);
	if (open != NULL) {
		difference(subject, range.start, "opened where a cursor was not closed");
		registry_remove_cursor(registry, open);
	}
	open = registry_add_cursor(registry, space, operation->cursor);
	if (open == NULL) {
		checker->store.out_of_storage = true;
		return;
	}
	open->cpu = cpu_index();
	open->state = (struct cursor_state){
		.range = range,
		.position = range.start,
		.may_change = operation->cursor->access == CURSOR_MUTABLE,
	};
	if (cursor_virt_addr(operation->cursor).value != range.start.value)
		difference(subject, range.start, "the position is 0x%" PRIx64 " after opening",
			   cursor_virt_addr(operation->cursor).value);
}

/* Those that take a range take it from the position on. */
static bool range_begins_at_position(const struct cursor_check *check)
{
	uint64_t start = check->operation->range.start.value;
	uint64_t position = check->open->state.position.value;

	switch ((enum cursor_operation)check->operation->kind) {
	case OPERATION_CURSOR_FIND_NEXT:
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_MAP_IOMEM:
	case OPERATION_CURSOR_REPLACE:
	case OPERATION_CURSOR_UNMAP:
	case OPERATION_CURSOR_PROTECT:
	case OPERATION_CURSOR_PROTECT_NEXT:
		if (start == position)
			return true;
		difference(check->subject, check->operation->position,
			   "the range begins at 0x%" PRIx64, start);
		return false;
	case OPERATION_CURSOR_OPEN: /* is asked of a space */
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR:
	case OPERATION_CURSOR_QUERY:
	case OPERATION_CURSOR_PEEK:
	case OPERATION_CURSOR_JUMP:
		break;
	}
	return true;
}

/* What is dirty now, and what can become so: dirty logs have it, whatever becomes of it. */
static void note_dirty(const struct cursor_check *check)
{
	store_note_dirty(&check->checker->store, check->space,
			 irange_intersection(check->open->state.range, check->operation->range));
}

static void check_one(struct cursor_check *check)
{
	switch ((enum cursor_operation)check->operation->kind) {
	case OPERATION_CURSOR_QUERY:
	case OPERATION_CURSOR_PEEK:
		check_query(check);
		break;
	case OPERATION_CURSOR_FIND_NEXT:
		check_find_next(check);
		break;
	case OPERATION_CURSOR_JUMP:
		check_jump(check);
		break;
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_MAP_IOMEM:
		check_map(check);
		break;
	case OPERATION_CURSOR_REPLACE:
		check_replace(check);
		break;
	case OPERATION_CURSOR_UNMAP:
		check_unmap(check);
		break;
	case OPERATION_CURSOR_PROTECT:
		check_protect(check);
		break;
	case OPERATION_CURSOR_PROTECT_NEXT:
		check_protect_next(check);
		break;
	case OPERATION_CURSOR_OPEN: /* these begin and end it, */
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR: /* and its position is compared after all others */
		break;
	}
}

static void check_open_cursor(struct cursor_check *check)
{
	check_position(check, check->operation->position);
	if (!range_begins_at_position(check))
		return;
	if (check->operation->kind == OPERATION_CURSOR_FLUSH)
		check_nothing_parked(&check->checker->store, check->operation, check->subject);
	else
		check_one(check);
	note_dirty(check);
	if (check->checker->store.out_of_storage)
		return; /* the state is not what it should be */
	check_position(check, cursor_virt_addr(check->operation->cursor));
	if (!irange_is_empty(check->affected))
		check_table(check->checker, check->space, check->affected, NULL, check->subject);
}

void check_cursor_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct live_space *space = registry_space(&checker->store.registry, operation->space);

	if (space == NULL) { /* made before the model started */
		check_references_elsewhere(checker, operation);
		return;
	}
	checker->operations++;
	if (operation->kind == OPERATION_CURSOR_OPEN) {
		check_open(checker, operation, space);
		return;
	}

	struct cursor_check check = {
		.checker = checker,
		.operation = operation,
		.op = op_of(operation),
		.space = space,
		.open = registry_cursor(&checker->store.registry, operation->cursor),
		.subject = { operation_name(operation->kind), space->number },
	};

	if (operation->kind == OPERATION_CURSOR_CLOSE)
		check_nothing_parked(&checker->store, operation, check.subject);
	if (check.open == NULL || check.open->space != space)
		return; /* op_pre has told */
	if (operation->kind == OPERATION_CURSOR_CLOSE)
		registry_remove_cursor(&checker->store.registry, check.open);
	else
		check_open_cursor(&check);
}
