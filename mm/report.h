/* SPDX-License-Identifier: BSD-3-Clause */
/* Reporting operations (strata/operation.h): nothing in release builds, arguments included. */
#pragma once

#include <strata/operation.h>

#if STRATA_CHECKED

void operation_report(const struct mm_operation *operation);

#define REPORT(...) operation_report(&(struct mm_operation){ __VA_ARGS__ })

/* How the handles of each kind are told: pointers to what the caller has. */
#define REPORTED_PAGE(handle, share_kind)                                                          \
	{                                                                                          \
		(handle)->certificate, { (handle)->paddr, { (handle)->paddr.value + PAGE_SIZE } }, \
			share_kind                                                                 \
	}
#define REPORTED_FRAME(frame) REPORTED_PAGE(frame, SHARE_FRAME)
#define REPORTED_UNIQUE(frame) REPORTED_PAGE(frame, SHARE_UNIQUE_FRAME)
#define REPORTED_SEGMENT(segment)                                                                  \
	{                                                                                          \
		(segment)->certificate, { (segment)->start, (segment)->end }, SHARE_SEGMENT        \
	}

/* A range as it is now, to be reported as what it was. */
#define IO_BEFORE(name, io_range) const struct vm_io_range name = io_range
#define REPORTED_IO(io, io_before)                                                                 \
	{                                                                                          \
		&(io)->range, io_before                                                            \
	}

/* What is about to be done, with its arguments. */
#define REPORT_BEGIN(...) REPORT(.begins = true, __VA_ARGS__)

/* A service at a cursor, on @size bytes from @start on. */
#define REPORT_SERVICE(operation, cursor_, start, size, ...)                                       \
	REPORT(.kind = (operation), .space = (cursor_)->space, .cursor = (cursor_),                \
	       .position = (start), .range = irange((start), iaddr((start).value + (size))),       \
	       __VA_ARGS__)

/* A service of all of a dirty log's range. */
#define REPORT_LOG(operation, log_, cursor_, was_at, ...)                                          \
	REPORT(.kind = (operation), .space = (cursor_)->space, .cursor = (cursor_),                \
	       .position = (was_at), .range = (log_)->range, .log = (log_), __VA_ARGS__)

struct in_flight {
	unsigned int cpu;
};

struct in_flight in_flight_enter(void);
void in_flight_leave(struct in_flight *in_flight);

/* In a function that changes counts: from here to the end of the block it may be between the change
 * and the report (strata/operation.h, mm_cpus_in_flight). */
#define IN_FLIGHT()                                                                                \
	struct in_flight in_flight __attribute__((cleanup(in_flight_leave), unused)) =             \
		in_flight_enter()

#else

#define REPORT(...) ((void)0)
#define REPORT_BEGIN(...) ((void)0)
#define REPORT_SERVICE(operation, cursor_, start, size, ...) ((void)(start))
#define REPORT_LOG(operation, log_, cursor_, was_at, ...) ((void)(was_at))
#define IN_FLIGHT() ((void)0)
#define IO_BEFORE(name, range) ((void)0)

#endif
