/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/assembler.h>

/*
 * uint64_t address_translate_stage1(uint64_t va): PAR_EL1 after AT S1E1R, which reads as EL1 reads.
 * A walk that meets an external abort takes it here: the result is then that of a fault.
 */
FUNCTION address_translate_stage1
.Ltranslate:
	at	s1e1r, x0
	isb
	mrs	x0, par_el1
	ret
.Laborted:
	mov	x0, #1				/* PAR_EL1.F */
	ret
	EXCEPTION_FIXUP .Ltranslate, .Laborted
END_FUNCTION address_translate_stage1
