/* SPDX-License-Identifier: BSD-3-Clause */
/* How the ID registers become arch_features(): a pure function, so that CPUs nobody has at hand can
 * be tried too. */
#pragma once

#include <arch/features.h>
#include <stdint.h>

struct id_registers {
	uint64_t midr_el1;
	uint64_t id_aa64isar0_el1;
	uint64_t id_aa64mmfr0_el1;
	uint64_t id_aa64mmfr1_el1;
	uint64_t id_aa64mmfr2_el1;
};

struct arch_features features_decode(const struct id_registers *id);
