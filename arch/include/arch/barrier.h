/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Barriers (Arm ARM B2.3.12, C6.2 "DSB", "ISB"). Each one is counted (counters.h) and, in checked
 * builds, observed (observe.h).
 */
#pragma once

/* Descriptor stores before it are visible to every table walker of the Inner Shareable domain
 * before any TLBI after it starts. */
void dsb_ishst(void);

/* TLBIs and accesses before it are complete, on every CPU of the Inner Shareable domain. */
void dsb_ish(void);

/* The effects of completed maintenance and of system-register writes are seen by what follows. */
void isb(void);
