/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of firmware: Arm Power State Coordination Interface (DEN0022), by SMC or by HVC as the device tree
 * says.
 *
 * HVC is for who runs on a hypervisor. EL2 has one above it where another hypervisor runs it as its guest
 * (FEAT_NV), and that one answers. Where nobody does, a call comes to EL2's own vectors, and is answered
 * with NOT_SUPPORTED: hence exceptions_init comes before the first call.
 */
#pragma once

#include <arch/address.h>
#include <stdint.h>
#include "boot_info.h"

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)

/* Starts the CPU with @affinity at @entry with @context in x0, MMU off: PSCI_SUCCESS, or why not. @function
 * is CPU_ON's number. */
int32_t psci_cpu_on(enum boot_psci conduit, uint32_t function, uint64_t affinity,
		    struct paddr entry, uint64_t context);

/* Does not return where it works. @function is SYSTEM_OFF's number. */
void psci_system_off(enum boot_psci conduit, uint32_t function);

/* What a call answered, in the words of DEN0022. */
const char *psci_error_name(int32_t status);
