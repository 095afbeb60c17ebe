/* SPDX-License-Identifier: BSD-3-Clause */
/* What operations of cursors do to handles and counts; page_table_spec.h says what they map. */
#include "steps.h"

void cursor_step(const struct step *step)
{
	const struct op *op = step->op;

	switch (op->kind) {
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_REPLACE:
		step_move(step, op->pages, step_given(step),
			  op->space == 0 ? COUNT_BEFORE : COUNT_ENTRIES);
		step_end_handle(step);
		break;
	case OPERATION_CURSOR_QUERY:
		step_move(step, op->pages, COUNT_NOTHING, step_new(step, 0, SHARE_FRAME));
		step_made(step, 0, SHARE_FRAME, op->pages);
		break;
	default:
		break;
	}
}
