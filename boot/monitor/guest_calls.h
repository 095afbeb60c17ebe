/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What guests and monitor agree on: the immediates of HVC, and the layout of a guest program.
 *
 * Arguments are in x0, x1 and x2. A call that the guest may not make, or that does not exist,
 * returns GUEST_CALL_UNKNOWN in x0 and changes nothing else. Read by C and by the assembler.
 */
#pragma once

/* x0: an address in the page that the guest is working on, in the middle of using it. */
#define GUEST_CALL_PROGRESS 1
/* x0: CRC-32 of the input; x1: how often it was summed, by all virtual CPUs together if their numbers
 * are added; x2: how many of those sums differed. The virtual CPU is done; the call does not return. */
#define GUEST_CALL_REPORT 2
/* x0: how the last command ended (GUEST_COMMAND_*); x2: the value loaded; x3, x4, x5: ESR_EL1,
 * FAR_EL1 and ELR_EL1, if it was aborted. Returns the next: x0: which access; x1: its address; x2:
 * the value to store. */
#define GUEST_CALL_COMMAND 3
/* x0: offset of the vector that was entered and should not have been. Does not return. */
#define GUEST_CALL_UNEXPECTED 4

#define GUEST_CALL_UNKNOWN -1

#define GUEST_COMMAND_READ 0
#define GUEST_COMMAND_WRITE 1
#define GUEST_COMMAND_EXECUTE 2

#define GUEST_COMMAND_NONE 0	/* none was given yet */
#define GUEST_COMMAND_DONE 1	/* the access took place */
#define GUEST_COMMAND_ABORTED 2 /* an abort was taken to EL1 */

/* Program and read-only data start at the base of a guest, what it writes this much above it. The
 * program is entered at its first byte, with its stack at the end of the latter. */
#define GUEST_DATA_OFFSET 0x200000
#define GUEST_DATA_SIZE 0x10000
/* Each further virtual CPU's stack ends this much lower. */
#define GUEST_STACK_SIZE 0x1000

/* The probe's third instruction is a RET, 8-byte aligned: a place that may be executed. */
#define GUEST_PROBE_RETURN_OFFSET 8

/* Pages between two GUEST_CALL_PROGRESS of the CRC guest. */
#define GUEST_PROGRESS_PAGES 16
