/* SPDX-License-Identifier: BSD-3-Clause */
/* A service at a cursor, while it is judged: what the files that judge them share. */
#pragma once

#include "checker.h"

struct service {
	struct checker *checker;
	const struct mm_operation *operation;
	struct open_cursor *open;
	struct subject subject;
	struct irange range; /* of the operation, as far as the cursor holds it */
};

/* What a service makes of a property. */
typedef struct page_property (*service_makes)(struct page_property was);

/* All of @range is mapped as it was when the service began, with the properties that @makes makes. */
void service_check_made(const struct service *service, struct irange range, service_makes makes);

/* Whether @now was made of @was, or of what a CPU that sets flags made of that before. */
bool service_is_made(const struct service *service, const struct mapping *was,
		     const struct mapping *now, service_makes makes);

/* Nothing becomes another. */
struct page_property service_keeps(struct page_property was);

/* The end of a reclaim that was done. */
void service_check_reclaimed(const struct service *service);

/* The end of a dirty log's operation that was done. */
void check_log_started(const struct service *service);
void check_log_faulted(const struct service *service);
void check_log_taken(const struct service *service);
void check_log_stopped(const struct service *service);

/* What a dirty log says to map a page with. */
void check_log_adopt(struct checker *checker, const struct mm_operation *operation);
