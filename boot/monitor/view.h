/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies at a physical address, whoever has it: shown for a moment in this CPU's window
 * (strata/window.h), and read there by a load that may fault.
 */
#pragma once

#include <strata/window.h>

/* Loads the 8 bytes at @address, which is 8-byte aligned and memory. As window_map and
 * vm_reader_atomic_load. */
MM_MUST_CHECK enum mm_status view_word(struct windows *windows, struct paddr address,
				       uint64_t *out);
