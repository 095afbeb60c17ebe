/* SPDX-License-Identifier: BSD-3-Clause */
#include "reader.h"

#include "harness.h"

#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include <words.h>

bool reader_el2_moves(const struct access *access, uint64_t *value)
{
	const struct irange word =
		irange(access->address, iaddr(access->address.value + WORD_BYTES));
	struct vm_io_range io;
	struct vm_reader reader;
	struct vm_writer writer;
	enum mm_status status;

	EXPECT_OK(vm_io_window(word, word.start, WORD_BYTES, &io));
	if (access->kind == ACCESS_WRITE) {
		writer = vm_writer_of(io);
		status = vm_writer_write_val(&writer, &access->value, WORD_BYTES);
	} else {
		reader = vm_reader_of(io);
		status = vm_reader_read_val(&reader, value, WORD_BYTES);
	}
	if (status != MM_PAGE_FAULT)
		EXPECT_OK(status);
	return status == MM_OK;
}
