/* SPDX-License-Identifier: BSD-3-Clause */
/* What a world stands on. Each program gives these. */
#pragma once

#include <arch/address.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stage {
	struct paddr start; /* of memory that nobody else has */
	uint64_t linear_offset;
	bool has_el2;	 /* EL2 can run on a table of the world */
	void *arenas[2]; /* the model's and the discipline's */
	size_t arena_size;
	uint32_t vmid_limit; /* as mm_config has it */
};

/* A machine whose memory nobody uses. The one before is gone. */
bool stage_begin(struct stage *stage);

/* What the machine says of how it was used; NULL: nothing wrong. */
const char *stage_complaint(void);
