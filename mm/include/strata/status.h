/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Status.
 *
 * Promise: on any status but MM_OK the state is what it was before the call, out-parameters are
 * untouched, and the caller still owns what it passed in.
 */
#pragma once

#define MM_MUST_CHECK __attribute__((warn_unused_result))

/* Every status with what it says: the one place that lists them. */
#define MM_STATUS_LIST(X)                                                                          \
	X(MM_OK, "done")                                                                           \
	X(MM_INVALID_ARGS, "an argument is outside its domain")                                    \
	X(MM_NOT_ALIGNED, "an address or a size is not aligned as required")                       \
	X(MM_OUT_OF_BOUND, "outside the memory, the space or the range held")                      \
	X(MM_OVERFLOW, "a sum does not fit")                                                       \
	X(MM_NO_MEMORY, "no frame is left that fits the request")                                  \
	X(MM_IN_USE, "the page already has an owner")                                              \
	X(MM_UNUSED, "the page has no owner")                                                      \
	X(MM_UNIQUE, "the page has one exclusive owner")                                           \
	X(MM_BUSY, "held, active, or under construction")                                          \
	X(MM_EXISTS, "something is mapped there already")                                          \
	X(MM_NOT_MAPPED, "nothing is mapped there")                                                \
	X(MM_PAGE_FAULT, "a load or store did not complete")                                       \
	X(MM_ACCESS_DENIED, "the caller has no right to this")                                     \
	X(MM_SATURATED, "the page cannot take one more reference")                                 \
	X(MM_NOT_SUPPORTED, "this CPU, or this build, cannot do it")

enum mm_status {
#define MM_STATUS_ENUMERATOR(name, meaning) name,
	MM_STATUS_LIST(MM_STATUS_ENUMERATOR)
#undef MM_STATUS_ENUMERATOR
};

/* The enumerator's own name, "MM_OK" and so on; "unknown status" for any other value. */
const char *mm_status_name(enum mm_status status);
