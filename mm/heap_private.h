/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Start: the heap has no slab. */
void heap_reset(void);
