/* SPDX-License-Identifier: BSD-3-Clause */
/* Random programs for EL1, and random registers to run them with. */
#pragma once

#include <aarch64/vcpu.h>
#include "monitor/random.h"

/* One instruction: any word at all, or one of the kinds that reach the hypervisor, with random
 * fields. Never HLT: to an emulator with semihosting that is a request to the host. */
uint32_t program_instruction(struct random *random);

/* Where a guest's random addresses may point with a fair chance of being its own. */
struct program_places {
	struct irange areas[4];
	unsigned int count;
};

/* Any value, a small one, or an address in or near one of @places. */
uint64_t program_value(struct random *random, const struct program_places *places);

/* All general and vector registers, and the system registers that EL1 could have written. */
void program_registers(struct random *random, const struct program_places *places,
		       struct vcpu *vcpu);
