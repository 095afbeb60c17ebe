/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of firmware: Arm Power State Coordination Interface (DEN0022), by SMC. */
#pragma once

#include <arch/address.h>
#include <stdint.h>

#define PSCI_SUCCESS 0

/* Starts the CPU with @affinity at @entry with @context in x0, MMU off: PSCI_SUCCESS, or why not. @function
 * is CPU_ON's number. */
int32_t psci_cpu_on(uint32_t function, uint64_t affinity, struct paddr entry, uint64_t context);

/* Does not return where it works. @function is SYSTEM_OFF's number. */
void psci_system_off(uint32_t function);

/* What a call answered, in the words of DEN0022. */
const char *psci_error_name(int32_t status);
