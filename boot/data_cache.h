/* SPDX-License-Identifier: BSD-3-Clause */
/* What one CPU wrote through its caches, for another that reads with them off. */
#pragma once

/* Cleans the bytes from @start up to @end to the Point of Coherency: in memory when it returns (secondary.S). */
void data_cache_clean(const void *start, const void *end);
