/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whoever reads and writes through an MMU: EL2 itself, and a guest. On the host the simulated MMU, in
 * the image the CPU's: loads, stores and fetches at EL2, at EL1 and at EL0.
 *
 * A reader says what came of an access as it was reported: the value, or the fault's kind, stage and
 * level. What it cannot tell it leaves open (access.h).
 */
#pragma once

#include "world.h"

#include <access.h>

/* Where a guest's own program lies: those IPAs are not to be mapped otherwise. */
#define READER_PROGRAM UINT64_C(0x10000000)
#define READER_PROGRAM_END UINT64_C(0x10020000)

#if WORLD_SIMULATED
#define READER_HAS_EL0 0      /* the simulated guest is EL1 */
#define READER_EL2_EXECUTES 1 /* only asked, never done */
struct reader {
	struct vm_space space;
};
#else
#include "el1.h"
#define READER_HAS_EL0 1
#define READER_EL2_EXECUTES 0
struct reader {
	struct el1 el1;
};
#endif

/* An access by EL2 through the Stage-1 table that is loaded; not fetches, unless READER_EL2_EXECUTES. */
void reader_el2(const struct access *access, struct outcome *observed);

/* The same by a reader or a writer of a window (vm_io.h), for who only wants to know whether it faults;
 * @value is what was read. False: it faults. */
bool reader_el2_moves(const struct access *access, uint64_t *value);

/* Makes a guest in a Stage-2 space of its own, which is active from now on. */
void reader_start(struct world *world, struct reader *reader);
struct vm_space *reader_space(struct reader *reader);

/* From now on the guest has its own Stage 1: 39 bits of address from a table of level 1 at @root. */
void reader_stage1_on(struct reader *reader, struct iaddr root);

/*
 * An access by the guest, by EL0 if it is a user's. What EL0 executes lies at @user_program of the
 * guest's own addresses, where Stage 1 shows READER_PROGRAM to it. A word that is fetched consists of
 * two times the same HVC; its number is how it is known, but not if EL0 fetched it.
 */
void reader_guest(struct reader *reader, const struct access *access, uint64_t user_program,
		  struct outcome *observed);

void reader_end(struct world *world, struct reader *reader);

/* The word that makes call number @number, 0 to 0xff excluded, when it is executed. */
static inline uint64_t reader_word(uint64_t number)
{
	uint64_t call = UINT64_C(0xd4000002) | (number & 0xffff) << 5;

	return call << 32 | call;
}
