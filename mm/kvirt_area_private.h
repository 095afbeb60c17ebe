/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas, for those who make something of them. */
#pragma once

#include <strata/kvirt_area.h>

/* A cursor on @size bytes from @offset on, with the statuses of strata/kvirt_area.h. */
MM_MUST_CHECK enum mm_status kvirt_area_open(struct kvirt_area *area, uint64_t offset,
					     uint64_t size, enum cursor_access access,
					     struct cursor *cursor);

/* Gives back the addresses of an area in which nothing is mapped. */
void kvirt_area_forget(struct kvirt_area *area);
