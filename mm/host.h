/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subsystem tells and asks its host, by the hooks of mm_config; panic.h has the panic. */
#pragma once

#include <strata/mm.h>

void mm_log(const char *event, uint64_t value);

#if STRATA_CHECKED

void mm_assert_held(enum mm_held what, const void *object);

#define ASSERT_HELD(what, object) mm_assert_held((what), (object))

#else

#define ASSERT_HELD(what, object) ((void)0)

#endif
