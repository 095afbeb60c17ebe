/* SPDX-License-Identifier: BSD-3-Clause */
#include "psci.h"

/* The SMC Calling Convention (DEN0028): arguments and results in x0 to x3, up to x17 may change. */
static uint64_t call(uint64_t function, uint64_t first, uint64_t second, uint64_t third)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = first;
	register uint64_t x2 __asm__("x2") = second;
	register uint64_t x3 __asm__("x3") = third;

	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return x0;
}

int32_t psci_cpu_on(uint32_t function, uint64_t affinity, struct paddr entry, uint64_t context)
{
	return (int32_t)call(function, affinity, entry.value, context);
}

void psci_system_off(uint32_t function)
{
	call(function, 0, 0, 0);
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
