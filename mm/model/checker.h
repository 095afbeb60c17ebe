/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks of one operation: is its status right, what is the state after it, does the table say
 * so. Called one operation at a time, in the order in which they took effect.
 */
#pragma once

#include "difference.h"
#include "registry.h"

#include <strata/operation.h>

struct checker {
	struct registry registry;
	uint64_t operations;  /* checked */
	uint64_t descriptors; /* read */
	bool out_of_storage;  /* the arena was full: from now on the state is not to be trusted */
};

/* "cursor_map" and so on: the function's name. */
const char *operation_name(enum mm_operation_kind kind);

/* SPACE_NEW, SPACE_DESTROY, SPACE_ACTIVATE. */
void check_space_operation(struct checker *checker, const struct mm_operation *operation);

/* CURSOR_*. */
void check_cursor_operation(struct checker *checker, const struct mm_operation *operation);

/*
 * Everything that must hold between operations: each table against its mappings, no table in two
 * places, no two cursors on one address, every counted page referenced.
 */
void check_everything(struct checker *checker);

/* The status of @operation against what is allowed; true if it is. */
bool check_status(struct subject subject, const struct mm_operation *operation, status_set allowed);

/* compare_table, with the space's own table and the descriptors counted. */
void check_table(struct checker *checker, struct live_space *space, struct irange range,
		 struct walk_seen *seen, struct subject subject);
