/* SPDX-License-Identifier: BSD-3-Clause */
#include "one_step.h"

status_set op_statuses(struct store *store, const struct op *op)
{
	switch (op_information(op->kind)->category) {
	case CATEGORY_SPACE:
		return space_statuses(store, op);
	case CATEGORY_CURSOR:
		return cursor_statuses(store, op);
	case CATEGORY_FRAME:
		return frame_statuses(store, op);
	case CATEGORY_UNIQUE:
		return unique_statuses(store, op);
	case CATEGORY_SEGMENT:
		return segment_statuses(store, op);
	case CATEGORY_LIST:
		return list_statuses(store, op);
	case CATEGORY_AREA:
		return area_statuses(store, op);
	case CATEGORY_SERVICE:
		return service_statuses(store, op);
	case CATEGORY_IO:
		return io_statuses(store, op);
	case CATEGORY_OWNER:
		return owner_statuses(store, op);
	case CATEGORY_MEMORY:
		return memory_statuses(store, op);
	case CATEGORY_FLUSH:
		return flush_statuses(op);
	case CATEGORY_COUNT:
		break;
	}
	return STATUS_NONE;
}

void op_step(struct store *store, const struct op *op, const struct op_outcome *observed,
	     struct op_outcome *expected)
{
	struct step step = {
		.store = store,
		.op = op,
		.observed = observed,
		.expected = expected,
		.subject = { .operation = op_information(op->kind)->function },
	};

	*expected = (struct op_outcome){ .status = observed->status, .place = observed->place };
	switch (op_information(op->kind)->category) {
	case CATEGORY_CURSOR:
		cursor_step(&step);
		break;
	case CATEGORY_FLUSH:
		step.subject.operation = "flush";
		flush_step(&step);
		break;
	case CATEGORY_FRAME:
		frame_step(&step);
		break;
	case CATEGORY_UNIQUE:
		unique_step(&step);
		break;
	case CATEGORY_SEGMENT:
		segment_step(&step);
		break;
	case CATEGORY_AREA:
		area_step(&step);
		break;
	case CATEGORY_OWNER:
		owner_step(&step);
		break;
	case CATEGORY_MEMORY:
		memory_step(&step);
		break;
	case CATEGORY_LIST:
		list_step(&step);
		break;
	case CATEGORY_SPACE:   /* theirs is where they are checked: check_space.c, */
	case CATEGORY_IO:      /* check_io.c, */
	case CATEGORY_SERVICE: /* and check_service.c */
	case CATEGORY_COUNT:
		break;
	}
}
