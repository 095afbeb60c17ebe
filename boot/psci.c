/* SPDX-License-Identifier: BSD-3-Clause */
#include "psci.h"

/* psci_call.S */
uint64_t psci_smc(uint64_t function, uint64_t first, uint64_t second, uint64_t third);
uint64_t psci_hvc(uint64_t function, uint64_t first, uint64_t second, uint64_t third);

static int32_t call(enum boot_psci conduit, uint64_t function, uint64_t first, uint64_t second,
		    uint64_t third)
{
	switch (conduit) {
	case BOOT_PSCI_SMC:
		return (int32_t)psci_smc(function, first, second, third);
	case BOOT_PSCI_HVC:
		return (int32_t)psci_hvc(function, first, second, third);
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

int32_t psci_cpu_on(enum boot_psci conduit, uint32_t function, uint64_t affinity,
		    struct paddr entry, uint64_t context)
{
	return call(conduit, function, affinity, entry.value, context);
}

void psci_system_off(enum boot_psci conduit, uint32_t function)
{
	call(conduit, function, 0, 0, 0);
}

const char *psci_error_name(int32_t status)
{
	static const char *const names[] = {
		"SUCCESS",    "NOT_SUPPORTED",	 "INVALID_PARAMETERS", "DENIED",
		"ALREADY_ON", "ON_PENDING",	 "INTERNAL_FAILURE",   "NOT_PRESENT",
		"DISABLED",   "INVALID_ADDRESS",
	};
	const int32_t count = sizeof(names) / sizeof(names[0]);

	return status <= 0 && status > -count ? names[-status] : "an unknown error";
}
