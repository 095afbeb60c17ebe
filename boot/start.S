/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the loader to C.
 *
 * Promise: whatever state EL2 was left in, boot_main runs with every EL2 control register written in
 * full, the image relocated to where it lies, .bss zero, and the MMU and caches on. Entered at any
 * other Exception level, the image says so on the console and halts.
 *
 * What a loader owes us is the arm64 boot protocol (Linux, "Booting AArch64 Linux"): the image's
 * header below, x0 = device tree, MMU off, the image itself clean to the Point of Coherency. Memory
 * behind it (.bss, stacks) may still have dirty lines of whoever ran before.
 *
 * Registers: x19 device tree, x20 early console, x21 what is added to link-time addresses.
 */
#include <aarch64/assembler.h>
#include <aarch64/percpu.h>
#include "address_macros.h"
#include "early_console.h"
#include "el2_control.h"
#include "stacks.h"

	.section .head.text, "ax"

/* The header, "5. Call the kernel image" there. */
image_header:
	b	start
	.long	0
	.quad	0x80000			// text_offset, from a 2 MiB boundary
	.long	image_size_low		// image_size, of memory; below 4 GiB
	.long	0
	.quad	0x0a			// flags: little endian, 4 KiB pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

FUNCTION start
	msr	daifset, #0xf
	mov	x19, x0
	early_console_address x20, x0, x1

	/*
	 * One CPU boots, and starts the others itself (secondary.S). By the protocol none of them
	 * arrives here; loaders that know none start all of them at once. The CPU with affinity 0 goes on at once and says so. Another one waits, a
	 * second for each unit of its affinity fields, and goes on only if nobody did: exclusives,
	 * which could settle it at once, do not work before the caches are on.
	 */
	adr_l	x1, boot_cpu_started
	mrs	x0, mpidr_el1
	ubfx	x2, x0, #32, #8		// Aff3
	bfi	x0, x2, #24, #8
	and	x2, x0, #0xff
	ubfx	x3, x0, #8, #8
	add	x2, x2, x3
	ubfx	x3, x0, #16, #8
	add	x2, x2, x3
	ubfx	x3, x0, #24, #8
	add	x2, x2, x3
	cbz	x2, 2f
	mrs	x3, cntfrq_el0
	cbnz	x3, 3f
	mov	x3, #1 << 26		// never set: as if it were 67 MHz
3:	mul	x2, x2, x3
	mrs	x3, cntvct_el0
	add	x2, x2, x3
1:	ldr	w0, [x1]
	cbnz	w0, halt
	isb
	mrs	x3, cntvct_el0
	cmp	x3, x2
	b.lo	1b
2:	mov	w0, #1
	str	w0, [x1]
	dsb	sy

	mrs	x0, CurrentEL
	cmp	x0, #2 << 2
	b.eq	.Lat_el2
	adr_l	x0, message_el1
	adr_l	x1, message_el3
	mrs	x2, CurrentEL
	cmp	x2, #3 << 2
	csel	x0, x1, x0, eq
	b	early_refuse

.Lat_el2:
	adr_l	x0, early_vectors
	msr	vbar_el2, x0
	isb
	bl	el2_registers_init

	/*
	 * Dirty lines in memory that is about to be written past the caches would be evicted over
	 * it: throw them away. bss_start and image_end are page boundaries.
	 */
	adr_l	x0, bss_start
	adr_l	x1, image_end
	bl	data_cache_discard

	adr_l	x0, bss_start
	adr_l	x1, bss_end
3:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	3b

	/*
	 * The image is linked at 0; the only relocations of a static PIE are R_AARCH64_RELATIVE: the
	 * 8 bytes at r_offset become r_addend, both moved to where the image lies (ELF for the Arm
	 * 64-bit Architecture, 5.7.4).
	 */
	adr_l	x21, image_start
	adr_l	x0, relocations_start
	adr_l	x1, relocations_end
4:	cmp	x0, x1
	b.hs	5f
	ldp	x2, x3, [x0], #16
	ldr	x4, [x0], #8
	cmp	w3, #1027		// R_AARCH64_RELATIVE
	b.ne	.Lbad_relocation
	add	x4, x4, x21
	str	x4, [x2, x21]
	b	4b

5:	adr_l	x0, cpu_stacks + STACK_GUARD_SIZE + STACK_SIZE
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	adr_l	x0, percpu_data
	msr	tpidr_el2, x0

	mov	x0, x19
	mov	x1, x20
	bl	boot_table_create
	mov	x22, x0

	/* What was written so far is in memory; lines read before that are stale. */
	adr_l	x0, relro_start
	adr_l	x1, image_end
	bl	data_cache_discard

	bl	translation_control
	mov	x0, x22
	mov_q	x2, SCTLR_EL2_ON
	bl	mmu_enable
	bl	stack_protector_seed
	mov	x0, x19
	mov	x1, x20
	bl	boot_main
	b	halt

.Lbad_relocation:
	adr_l	x0, message_relocation
	b	early_refuse
END_FUNCTION start

/* Invalidates [x0, x1) in the data caches, to the Point of Coherency, without writing it back. Uses x2, x3. */
FUNCTION data_cache_discard
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4		// DminLine: log2 of words
	mov	x3, #4
	lsl	x3, x3, x2
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret
END_FUNCTION data_cache_discard

	.section .rodata.start, "a"
message_el1:
	.asciz	"\nstrata: entered at EL1, but it is a hypervisor and needs EL2; halted.\n(QEMU: -machine virt,virtualization=on)\n"
message_el3:
	.asciz	"\nstrata: entered at EL3, but it needs firmware below it and EL2 of its own; halted.\n"
message_relocation:
	.asciz	"\nstrata: the image has a relocation that start-up does not know; halted.\n"

	.section .data.start, "aw"
	.balign	4
boot_cpu_started:
	.long	0

	.section .stacks, "aw", %nobits
	.balign	STACK_GUARD_SIZE
	.globl	cpu_stacks
	.type	cpu_stacks, %object
cpu_stacks:
	.skip	STRATA_MAX_CPUS * (STACK_GUARD_SIZE + STACK_SIZE)
	.size	cpu_stacks, . - cpu_stacks
