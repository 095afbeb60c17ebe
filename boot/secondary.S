/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From firmware, or from the word it waited at, to C: any CPU but the first.
 *
 * Promise: secondary_main runs with every EL2 control register written by the code that wrote the boot
 * CPU's (el2_registers.S, mmu.S), with its table and protections, on a stack of this CPU's own with a
 * guard page below. A CPU that nobody called, or that arrives at another Exception level than EL2, halts
 * and changes nothing: the boot CPU says that it did not come.
 *
 * Which one it is it knows by MPIDR_EL1 alone: a spin table passes nothing. With the MMU off it reads
 * the image's text, which the loader cleaned to the Point of Coherency, and its line of `secondaries`,
 * which the boot CPU did; it stores nothing. Its caches are in the state that firmware owes us, without
 * lines of ours.
 */
#include <aarch64/assembler.h>
#include "address_macros.h"
#include "el2_control.h"
#include "secondary.h"
#include <arch/max_cpus.h>

#define AFFINITY 0xff00ffffff

FUNCTION secondary_start
	msr	daifset, #0xf
	mrs	x0, CurrentEL
	cmp	x0, #2 << 2
	b.ne	halt
	adr_l	x0, early_vectors
	msr	vbar_el2, x0
	isb
	bl	el2_registers_init

	mrs	x0, mpidr_el1
	mov_q	x1, AFFINITY
	and	x0, x0, x1
	adr_l	x1, secondaries
	mov	x2, #STRATA_MAX_CPUS
1:	ldr	x3, [x1, #SECONDARY_AFFINITY]
	cmp	x3, x0
	b.eq	2f
	add	x1, x1, #SECONDARY_SIZE
	subs	x2, x2, #1
	b.ne	1b
	b	halt

2:	mov	x4, x1
	ldr	x0, [x4, #SECONDARY_PERCPU]
	msr	tpidr_el2, x0
	ldr	x0, [x4, #SECONDARY_STACK]
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	ldr	x0, [x4, #SECONDARY_ROOT]
	ldr	x1, [x4, #SECONDARY_TRANSLATION_CONTROL]
	mov_q	x2, SCTLR_EL2_ON | SCTLR_EL2_WXN
	bl	mmu_enable
	bl	secondary_main
	b	halt
END_FUNCTION secondary_start

/* void data_cache_clean(const void *start, const void *end): data_cache.h */
FUNCTION data_cache_clean
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4		// DminLine: log2 of words
	mov	x3, #4
	lsl	x3, x3, x2
	sub	x2, x3, #1
	bic	x0, x0, x2
1:	dc	cvac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret
END_FUNCTION data_cache_clean
