/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers and writers while nothing is moved: the range that is made, and where it ends. */
#include "check_io.h"
#include "step.h"

#include <inttypes.h>

void check_io_new(const struct check_io *check)
{
	const struct mm_operation *operation = check->operation;
	const struct vm_io_range *made = operation->reader.range;
	const uint64_t start = operation->kind == OPERATION_IO_HYPERVISOR
				       ? (uintptr_t)operation->metadata
				       : operation->range.start.value;
	status_set allowed = op_statuses(check->store, &check->op);

	if (!status_in(allowed, operation->status))
		difference(check->subject, iaddr(start), "status is %s, model says %s",
			   mm_status_name(operation->status), statuses_text(allowed).text);
	else if (operation->status == MM_OK &&
		 (made->cursor != start || io_size(made) != operation->length ||
		  (made->kind == VM_IO_SPACE && made->space != operation->space)))
		difference(check->subject, iaddr(start),
			   "the range is not the one that was asked for");
}

void check_io_limit(const struct check_io *check, const struct mm_io *io)
{
	uint64_t size = io_size(&io->before);

	if (size > check->operation->length)
		size = check->operation->length;
	if (io->range->cursor != io->before.cursor || io_size(io->range) != size)
		difference(check->subject, iaddr(io->before.cursor),
			   "%" PRIu64 " bytes are left, model says %" PRIu64, io_size(io->range),
			   size);
}
