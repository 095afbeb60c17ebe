/* SPDX-License-Identifier: BSD-3-Clause */
/* System-register accesses that were trapped (Arm ARM D19.2.37, "ISS encoding for an exception from
 * MSR, MRS, or System instruction execution"). */
#include <aarch64/id_registers.h>
#include <aarch64/registers.h>
#include <aarch64/vcpu.h>
#include <stddef.h>

/* Rt = 31 is XZR. */
#define ZERO_REGISTER 31

#define ENCODING(op0, op1, crn, crm, op2)                                                          \
	((uint32_t)(op0) << 16 | (uint32_t)(op1) << 12 | (uint32_t)(crn) << 8 |                    \
	 (uint32_t)(crm) << 4 | (uint32_t)(op2))

enum encoding {
	ENCODING_REVIDR_EL1 = ENCODING(3, 0, 0, 0, 6),
	ENCODING_AIDR_EL1 = ENCODING(3, 1, 0, 0, 7),
	ENCODING_SCTLR_EL1 = ENCODING(3, 0, 1, 0, 0),
	ENCODING_ACTLR_EL1 = ENCODING(3, 0, 1, 0, 1),
	ENCODING_TTBR0_EL1 = ENCODING(3, 0, 2, 0, 0),
	ENCODING_TTBR1_EL1 = ENCODING(3, 0, 2, 0, 1),
	ENCODING_TCR_EL1 = ENCODING(3, 0, 2, 0, 2),
	ENCODING_AFSR0_EL1 = ENCODING(3, 0, 5, 1, 0),
	ENCODING_AFSR1_EL1 = ENCODING(3, 0, 5, 1, 1),
	ENCODING_ESR_EL1 = ENCODING(3, 0, 5, 2, 0),
	ENCODING_FAR_EL1 = ENCODING(3, 0, 6, 0, 0),
	ENCODING_MAIR_EL1 = ENCODING(3, 0, 10, 2, 0),
	ENCODING_AMAIR_EL1 = ENCODING(3, 0, 10, 3, 0),
	ENCODING_CONTEXTIDR_EL1 = ENCODING(3, 0, 13, 0, 1),
	ENCODING_DC_ISW = ENCODING(1, 0, 7, 6, 2),
	ENCODING_DC_CSW = ENCODING(1, 0, 7, 10, 2),
	ENCODING_DC_CISW = ENCODING(1, 0, 7, 14, 2),
};

struct access {
	uint8_t op0, op1, crn, crm, op2;
	uint8_t rt;
	bool is_read;
	enum encoding encoding;
};

static struct access access_decode(uint64_t iss)
{
	struct access access = {
		.op0 = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_Op0, iss),
		.op1 = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_Op1, iss),
		.crn = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_CRn, iss),
		.crm = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_CRm, iss),
		.op2 = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_Op2, iss),
		.rt = (uint8_t)FIELD_GET(ESR_ISS_SYSTEM_Rt, iss),
		.is_read = FIELD_GET(ESR_ISS_SYSTEM_Direction, iss),
	};

	access.encoding =
		(enum encoding)ENCODING(access.op0, access.op1, access.crn, access.crm, access.op2);
	return access;
}

/* ID_*: trapped by HCR_EL2.TID3. */
static bool is_id_register(const struct access *access)
{
	return access->op0 == 3 && access->op1 == 0 && access->crn == 0 && access->crm >= 1 &&
	       access->crm <= 7;
}

/* Breakpoints, watchpoints, MDSCR_EL1, OS Lock: trapped by MDCR_EL2.TDA and TDOSA. */
static bool is_debug_register(const struct access *access)
{
	return access->op0 == 2 && access->op1 == 0;
}

/* Read as zero, ignore writes: they exist in every Armv8 CPU and mean nothing to this one. */
static bool is_ignored(const struct access *access)
{
	switch (access->encoding) {
	case ENCODING_REVIDR_EL1:
	case ENCODING_AIDR_EL1:
		return access->is_read;
	case ENCODING_ACTLR_EL1:
		return true;
	case ENCODING_DC_ISW:
	case ENCODING_DC_CSW:
	case ENCODING_DC_CISW:
		return !access->is_read;
	default:
		return is_debug_register(access);
	}
}

/* The registers whose writes HCR_EL2.TVM traps while the guest's Stage 1 is off. */
static uint64_t *stage1_register(struct vcpu_system_registers *system, enum encoding encoding)
{
	switch (encoding) {
	case ENCODING_SCTLR_EL1:
		return &system->sctlr_el1;
	case ENCODING_TTBR0_EL1:
		return &system->ttbr0_el1;
	case ENCODING_TTBR1_EL1:
		return &system->ttbr1_el1;
	case ENCODING_TCR_EL1:
		return &system->tcr_el1;
	case ENCODING_AFSR0_EL1:
		return &system->afsr0_el1;
	case ENCODING_AFSR1_EL1:
		return &system->afsr1_el1;
	case ENCODING_ESR_EL1:
		return &system->esr_el1;
	case ENCODING_FAR_EL1:
		return &system->far_el1;
	case ENCODING_MAIR_EL1:
		return &system->mair_el1;
	case ENCODING_AMAIR_EL1:
		return &system->amair_el1;
	case ENCODING_CONTEXTIDR_EL1:
		return &system->contextidr_el1;
	default:
		return NULL;
	}
}

/* Registers of EL1: an access from EL0 is undefined before it is anything else. */
static bool is_from_el0(const struct vcpu *vcpu)
{
	return FIELD_GET(SPSR_ELx_M, vcpu->pstate) == SPSR_M_EL0t ||
	       (vcpu->pstate & SPSR_M_AARCH32_BIT);
}

static uint64_t source_value(const struct vcpu *vcpu, const struct access *access)
{
	return access->rt == ZERO_REGISTER ? 0 : vcpu->x[access->rt];
}

static void complete_read(struct vcpu *vcpu, const struct access *access, uint64_t value)
{
	if (access->rt != ZERO_REGISTER)
		vcpu->x[access->rt] = value;
	vcpu_skip_instruction(vcpu);
}

void vcpu_emulate_system_register(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	const struct access access = access_decode(exit->syndrome);
	uint64_t *const stage1 = stage1_register(&vcpu->system, access.encoding);

	if (is_from_el0(vcpu)) {
		vcpu_inject_undefined(vcpu);
	} else if (is_id_register(&access) && access.is_read) {
		const struct id_register id = { access.crm, access.op2 };

		complete_read(vcpu, &access, id_register_for_guest(id, id_register_read(id)));
	} else if (stage1 != NULL && !access.is_read) {
		*stage1 = source_value(vcpu, &access);
		vcpu_skip_instruction(vcpu);
	} else if (is_ignored(&access)) {
		if (access.is_read)
			complete_read(vcpu, &access, 0);
		else
			vcpu_skip_instruction(vcpu);
	} else {
		vcpu_inject_undefined(vcpu);
	}
}
