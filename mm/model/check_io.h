/* SPDX-License-Identifier: BSD-3-Clause */
/* One operation of readers and writers, while it is checked. */
#pragma once

#include "check_object.h"

struct check_io {
	struct store *store;
	const struct mm_operation *operation;
	struct op op;
	struct subject subject;
};

/* IO_*: a new range. */
void check_io_new(const struct check_io *check);

/* A range whose end comes nearer. */
void check_io_limit(const struct check_io *check, const struct mm_io *io);

/* Whether what moved, @expected->moved bytes, is where it should be, and what was returned was there. */
void check_io_arrived(const struct check_io *check, const struct io_expected *expected);
