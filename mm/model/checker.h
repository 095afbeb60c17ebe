/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks of one operation: is its status right, what is the state after it, does the table say
 * so. Called one operation at a time, in the order in which they are reported (strata/operation.h).
 */
#pragma once

#include "difference.h"
#include "io_expect.h"

#include <strata/operation.h>

/* What must come of the transfer that a CPU has begun. */
struct io_begun {
	enum mm_operation_kind kind;
	uint64_t reports; /* of others that came before it */
	struct io_expected expected;
};

struct checker {
	struct store store;
	uint64_t reports; /* all, but those of what only begins */
	struct io_begun begun[STRATA_MAX_CPUS];
	/* Bit per CPU: it claimed pages, and did not report yet what maps them. */
	uint32_t claiming;
	uint64_t operations;		     /* checked */
	uint64_t categories[CATEGORY_COUNT]; /* those, by category */
	uint64_t full_checks;
	uint64_t descriptors; /* read */
	uint64_t explained;   /* differences, whose consequences were told */
	uint64_t broken;      /* bit per invariant that was told as one */
};

/* "cursor_map" and so on: the function's name. */
const char *operation_name(enum mm_operation_kind kind);

/* SPACE_*: made, destroyed, activated, deactivated. */
void check_space_operation(struct checker *checker, const struct mm_operation *operation);

/* CURSOR_*. */
void check_cursor_operation(struct checker *checker, const struct mm_operation *operation);

/* CURSOR_AGE and the others that are made of operations of one cursor. */
void check_service_operation(struct checker *checker, const struct mm_operation *operation);

/*
 * Everything that must hold between operations: each table against its mappings, no table in two
 * places, every invariant, every page's references and owner by the subsystem's word.
 */
void check_everything(struct checker *checker);

/* Each invariant that does not hold is a difference. */
void check_invariants(struct checker *checker);

/*
 * After an operation of @kind that made a difference: tells the invariants that do not hold of the state
 * that was followed, each once. Where one CPU did everything, since the operations of others may be
 * half done.
 */
void check_consequences(struct checker *checker, enum mm_operation_kind kind);

/* The status of @operation against what is allowed; true if it is. */
bool check_status(struct subject subject, const struct mm_operation *operation, status_set allowed);

/* Pages that counted mappings of @range translate to. */
uint64_t counted_pages(const struct live_space *space, struct irange range);

/*
 * What left the table is what was parked for it: @removed pages, since the last operation on the same
 * gather, or, if that is NULL, on any gather of @space.
 */
void check_issued(struct store *store, const struct vm_space *space,
		  const struct tlb_gather *gather, uint64_t removed, struct subject subject);

/* After a flush of the cursor: nothing is parked behind it. */
void check_nothing_parked(struct store *store, const struct mm_operation *operation,
			  struct subject subject);

/* compare_table, with the space's own table and the descriptors counted. */
void check_table(struct checker *checker, struct live_space *space, struct irange range,
		 struct walk_seen *seen, struct subject subject);
