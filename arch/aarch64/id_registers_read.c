/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/field.h>
#include <aarch64/id_registers.h>

#define READ_CASE(crm, op2)                                                                        \
	case (crm)*8 + (op2):                                                                      \
		return register_read(S3_0_C0_C##crm##_##op2)

/* An MRS names its register in the instruction itself. */
uint64_t id_register_read(struct id_register id)
{
	switch (id.crm * 8 + id.op2) {
		READ_CASE(4, 0); /* ID_AA64PFR0_EL1, PFR1 */
		READ_CASE(4, 1);
		READ_CASE(5, 0); /* ID_AA64DFR0_EL1 */
		READ_CASE(6, 0); /* ID_AA64ISAR0_EL1, ISAR1, ISAR2 */
		READ_CASE(6, 1);
		READ_CASE(6, 2);
		READ_CASE(7, 0); /* ID_AA64MMFR0_EL1, MMFR1, MMFR2 */
		READ_CASE(7, 1);
		READ_CASE(7, 2);
	default:
		return 0;
	}
}
