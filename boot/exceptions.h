/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions that nobody expects: EL2's own. */
#pragma once

/* Installs EL2's vectors on this CPU. What comes from EL2 itself is dumped: all registers, with the
 * names of functions; then the machine ends with code 1. */
void exceptions_init(void);

/* The same vectors on a CPU that came later. */
void exceptions_init_this_cpu(void);
