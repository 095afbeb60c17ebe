/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions that EL2 takes from itself.
 *
 * Every one of them is handled on the CPU's emergency stack (percpu.h), whatever the stack pointer
 * was: a stack that ran into its guard page still gives a dump. A synchronous one whose instruction
 * is in the table of fix-ups resumes where the table says; any other goes to the handler, which
 * does not return.
 */
#pragma once

/* Offsets into struct exception_frame, for assembly; checked in exception.c. */
#define EXCEPTION_FRAME_SP 248
#define EXCEPTION_FRAME_ELR 256
#define EXCEPTION_FRAME_ESR 272
#define EXCEPTION_FRAME_HPFAR 288
#define EXCEPTION_FRAME_VECTOR 296
#define EXCEPTION_FRAME_SIZE 304

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

struct exception_frame {
	uint64_t x[31];
	uint64_t sp; /* SP_EL2 before the exception */
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr; /* as FAR and HPFAR: says something for synchronous exceptions and SErrors */
	uint64_t far;
	uint64_t hpfar;
	uint64_t
		vector; /* 0 to 15, in the order of the table (Arm ARM D1.3.1.4, "Exception vectors") */
};

/* The table itself: 2 KiB aligned, for VBAR_EL2. */
extern const char el2_vectors[];

/* Says what ends the run; without one the CPU waits for ever. The handler may use FP and SIMD. */
typedef void (*exception_handler)(const struct exception_frame *frame);
void exception_handler_set(exception_handler handler);

/* "current EL with SP_ELx, synchronous" and so on; "unknown" above 15. */
const char *exception_vector_name(uint64_t vector);

/* The 8 bytes at @address, aligned to 8, to @value; false, and @value untouched, if the load is
 * aborted. */
bool probe_read(const void *address, uint64_t *value);

#endif
