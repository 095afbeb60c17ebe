/* SPDX-License-Identifier: BSD-3-Clause */
/* EL2's own Stage 1 on, and from one table to another. Both run where VA = PA. */
#include <aarch64/assembler.h>
#include "address_macros.h"
#include "el2_control.h"

/* TCR_EL2 as this CPU can have it, to x1. Uses x2. */
FUNCTION translation_control
	mov_q	x1, TCR_EL2_VALUE
	mrs	x2, id_aa64mmfr0_el1
	and	x2, x2, #0xf		// PARange
	cmp	x2, #TCR_EL2_PS_48_BITS	// wider needs other descriptors
	b.ls	1f
	mov	x2, #TCR_EL2_PS_48_BITS
1:	orr	x1, x1, x2, lsl #TCR_EL2_PS_SHIFT
	ret
END_FUNCTION translation_control

/* Turns Stage 1 and caches on: root table at x0, TCR_EL2 in x1, SCTLR_EL2 in x2. Uses x3. */
FUNCTION mmu_enable
	mov_q	x3, MAIR_EL2_VALUE
	msr	mair_el2, x3
	msr	tcr_el2, x1
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	msr	sctlr_el2, x2
	isb
	ret
END_FUNCTION mmu_enable

/*
 * void mmu_switch(uint64_t root): to the table at @root, and SCTLR_EL2.WXN on.
 *
 * The two tables map the same addresses with leaves of other sizes. A CPU that holds a leaf of each
 * may raise a TLB Conflict abort (Arm ARM D8.16.3), and EL2 has no ASID to keep them apart: so
 * Stage 1 is off while the old translations are thrown away. Nothing is loaded or stored meanwhile.
 */
FUNCTION mmu_switch
	mov_q	x1, SCTLR_EL2_ON | SCTLR_EL2_WXN
	mrs	x2, sctlr_el2
	bic	x2, x2, #SCTLR_EL2_M
	dsb	sy
	msr	sctlr_el2, x2
	isb
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x1
	isb
	ret
END_FUNCTION mmu_switch
