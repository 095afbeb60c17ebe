/* SPDX-License-Identifier: BSD-3-Clause */
/* The ID registers as a guest reads them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* An ID register is S3_0_C0_C<crm>_<op2>, with CRm from 1 to 7. */
struct id_register {
	uint8_t crm;
	uint8_t op2;
};

/*
 * What the guest is told where the CPU says @value: fields of features that it may use, and zero,
 * which means absent, for all others, those that are not invented yet among them. Registers without
 * such a field, and those of AArch32, read as zero. Pure.
 */
uint64_t id_register_for_guest(struct id_register id, uint64_t value);

/* The register of this CPU; 0 for one that no guest is told anything of. */
uint64_t id_register_read(struct id_register id);
