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

/* Whether a CPU with @features can do all that one with @used can: what the subsystem chooses by. */
bool features_suffice(const struct arch_features *features, const struct arch_features *used);

/* Whether this CPU can do all that arch_features() says. */
bool features_suffice_here(void);
