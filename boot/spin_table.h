/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs that firmware left waiting for an address in memory (Devicetree Specification 3.8.1). */
#pragma once

#include <arch/address.h>

/* Sends the CPU that waits at @release, which is mapped as memory, to @entry. */
void spin_table_release(struct paddr release, struct paddr entry);
