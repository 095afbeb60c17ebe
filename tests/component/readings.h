/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The low-level machine beside a real table and a real MMU: each operation is performed by both, and
 * each access by the MMU must be a transition of the machine (mm/model/low.h).
 *
 * Every step of the machine is checked besides (refine.h): that it keeps the invariant, and that programs
 * see nothing of it that the high-level machine does not do.
 *
 * The machine is never shown the table: what is written there wrongly is seen when it is read. It knows
 * what two words of each page hold, since they are written through the linear map before the page is
 * mapped: the first and the last. Accesses are to those.
 */
#pragma once

#include "reader.h"

#include <refine.h>

#define READINGS_LAST_WORD (PAGE_SIZE - 8)

struct readings {
	struct world *world;
	struct vm_space *space;
	struct reader *reader;	      /* NULL: EL2 reads */
	struct low_state low, before; /* before: the last step */
	struct refinement refinement;
	struct guest_stage1 *stage1; /* NULL: the guest has none */
	uint64_t user_program;
	struct machine_pools pools;
	struct model_arena arena;
	uint64_t number;		      /* of the next word */
	uint64_t taken;			      /* readings */
	uint64_t met[FAULT_ADDRESS_SIZE + 1]; /* of them, by what came of them */
};

/* There is one at a time. */
void readings_start(struct readings *readings, struct world *world, struct vm_space *space,
		    struct reader *reader);

/* Takes @step of the machine alone; a map must succeed. */
void readings_step(struct readings *readings, struct low_step step);

/* Writes the two words of the page at @page that the machine is to know. */
void readings_fill(struct readings *readings, struct paddr page);

/* Maps @pages new pages at @ia, a hole; 512 of them are aligned to 2 MiB. */
void readings_map(struct readings *readings, uint64_t ia, uint64_t pages,
		  struct page_property property);
/* Maps the page that @from leads to at @to, a hole, as well. */
void readings_share(struct readings *readings, uint64_t from, uint64_t to,
		    struct page_property property);
/* Unmaps, does @meanwhile (may be NULL) while nothing is flushed, and flushes. */
void readings_unmap(struct readings *readings, uint64_t ia, uint64_t size,
		    void (*meanwhile)(struct readings *readings, uint64_t ia, uint64_t size));
void readings_protect(struct readings *readings, uint64_t ia, uint64_t size,
		      struct page_property property);

/* Performs @access, and fails the test if what came of it is no transition of the machine. */
void readings_take(struct readings *readings, const struct access *access);
/* NULL, or what is wrong. */
const char *readings_try(struct readings *readings, const struct access *access);

/* Each kind of outcome that a table can cause was met: the readings said something. */
void readings_expect_all_met(const struct readings *readings);

/* Reads, writes and executes at @address, as EL1 (or EL2) and, where there is one, as EL0. */
void readings_take_all(struct readings *readings, uint64_t address);
