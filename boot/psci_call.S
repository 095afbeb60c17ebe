/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of firmware by the SMC Calling Convention (DEN0028): arguments and results in x0 to x3; x4 to x17
 * may change, as in any call of a function.
 */
#include <aarch64/assembler.h>

/* uint64_t psci_smc(uint64_t function, uint64_t first, uint64_t second, uint64_t third) */
FUNCTION psci_smc
	smc	#0
	ret
END_FUNCTION psci_smc

/*
 * uint64_t psci_hvc(the same). An HVC of EL2 goes to its own vectors where nobody is above it, and comes back
 * behind itself; where HVC is turned off (SCR_EL3.HCE) it is UNDEFINED. Either is the answer of firmware that
 * has no such function, here and for no other HVC.
 */
FUNCTION psci_hvc
.Lcall:
	hvc	#0
.Lbehind_call:
	ret
.Lnot_served:
	mov	x0, #-1			// NOT_SUPPORTED
	ret
	EXCEPTION_FIXUP .Lcall, .Lnot_served
	EXCEPTION_FIXUP .Lbehind_call, .Lnot_served
END_FUNCTION psci_hvc
