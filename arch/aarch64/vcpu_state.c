/* SPDX-License-Identifier: BSD-3-Clause */
/* How the architecture changes the state of a CPU: reset, and taking an exception. Pure. */
#include <aarch64/registers.h>
#include <aarch64/vcpu.h>
#include <arch/features.h>

#define VECTOR_CURRENT_SP0 0x000
#define VECTOR_CURRENT_SPx 0x200
#define VECTOR_LOWER_AARCH64 0x400
#define VECTOR_LOWER_AARCH32 0x600

void vcpu_reset(struct vcpu *vcpu, struct iaddr entry, unsigned int affinity)
{
	*vcpu = (struct vcpu){
		.pc = entry.value,
		.pstate = FIELD_PUT(SPSR_ELx_DAIF, SPSR_DAIF_ALL) | SPSR_M_EL1h,
		.system =
			{
				.sctlr_el1 = SCTLR_EL1_RES1,
				.vpidr_el2 = arch_features()->midr,
				.vmpidr_el2 = FIELD_PUT(MPIDR_EL1_RES1, 1) |
					      FIELD_PUT(MPIDR_EL1_Aff0, affinity),
			},
	};
}

static bool is_aarch32(const struct vcpu *vcpu)
{
	return vcpu->pstate & SPSR_M_AARCH32_BIT;
}

static bool is_at_el1(const struct vcpu *vcpu)
{
	return !is_aarch32(vcpu) && FIELD_GET(SPSR_ELx_M_EL, vcpu->pstate) == 1;
}

/*
 * An instruction of an IT block advances ITSTATE with it (Arm ARM G1.9.4, "ITAdvance"): the
 * condition in the upper three bits stays until the mask below them runs out.
 */
static uint64_t it_advance(uint64_t pstate)
{
	uint64_t state =
		FIELD_GET(SPSR_ELx_IT_HIGH, pstate) << 2 | FIELD_GET(SPSR_ELx_IT_LOW, pstate);

	if ((state & 0x7) == 0)
		state = 0;
	else
		state = (state & 0xe0) | ((state << 1) & 0x1f);
	pstate = FIELD_REPLACE(SPSR_ELx_IT_HIGH, pstate, state >> 2);
	return FIELD_REPLACE(SPSR_ELx_IT_LOW, pstate, state);
}

void vcpu_skip_instruction(struct vcpu *vcpu)
{
	if (is_aarch32(vcpu)) {
		vcpu->pc += vcpu->instruction_bytes;
		vcpu->pstate = it_advance(vcpu->pstate);
	} else {
		vcpu->pc += 4;
		vcpu->pstate &= ~FIELD_MASK(SPSR_ELx_BTYPE);
	}
	vcpu->pstate &= ~FIELD_MASK(SPSR_ELx_SS);
}

static uint64_t vector_offset(const struct vcpu *vcpu)
{
	if (is_aarch32(vcpu))
		return VECTOR_LOWER_AARCH32;
	if (!is_at_el1(vcpu))
		return VECTOR_LOWER_AARCH64;
	return FIELD_GET(SPSR_ELx_M_SP, vcpu->pstate) ? VECTOR_CURRENT_SPx : VECTOR_CURRENT_SP0;
}

/*
 * PSTATE after the exception: the flags and DIT stay, PAN is set unless SCTLR_EL1.SPAN says that it
 * stays, SSBS comes from SCTLR_EL1.DSSBS, all other bits are cleared and DAIF set. SCTLR_EL1 bits
 * of features that the CPU does not have read as what does nothing here (SPAN as 1, DSSBS as 0).
 */
static uint64_t pstate_at_el1(const struct vcpu *vcpu)
{
	const uint64_t sctlr = vcpu->system.sctlr_el1;
	const uint64_t kept =
		FIELD_MASK(SPSR_ELx_NZCV) | FIELD_MASK(SPSR_ELx_PAN) | FIELD_MASK(SPSR_ELx_DIT);
	uint64_t pstate = (vcpu->pstate & kept) | FIELD_PUT(SPSR_ELx_DAIF, SPSR_DAIF_ALL) |
			  FIELD_PUT(SPSR_ELx_SSBS, FIELD_GET(SCTLR_EL1_DSSBS, sctlr)) | SPSR_M_EL1h;

	if (!FIELD_GET(SCTLR_EL1_SPAN, sctlr))
		pstate |= FIELD_MASK(SPSR_ELx_PAN);
	return pstate;
}

static void take_exception(struct vcpu *vcpu, uint64_t exception_class, uint64_t iss)
{
	const uint64_t base = vcpu->system.vbar_el1 & FIELD_MASK(VBAR_EL1_ADDRESS);
	const uint64_t vector = base + vector_offset(vcpu);
	const uint64_t pstate = pstate_at_el1(vcpu);

	vcpu->system.esr_el1 = FIELD_PUT(ESR_ELx_EC, exception_class) | FIELD_PUT(ESR_ELx_IL, 1) |
			       FIELD_PUT(ESR_ELx_ISS, iss);
	vcpu->system.elr_el1 = vcpu->pc;
	vcpu->system.spsr_el1 = vcpu->pstate;
	vcpu->pc = vector;
	vcpu->pstate = pstate;
}

void vcpu_inject_data_abort(struct vcpu *vcpu, uint64_t far, bool write)
{
	vcpu->system.far_el1 = far;
	take_exception(vcpu, is_at_el1(vcpu) ? ESR_EC_DATA_ABORT_SAME : ESR_EC_DATA_ABORT_LOWER,
		       FIELD_PUT(ESR_ISS_ABORT_FSC, FSC_SYNCHRONOUS_EXTERNAL) |
			       FIELD_PUT(ESR_ISS_ABORT_WnR, write));
}

void vcpu_inject_instruction_abort(struct vcpu *vcpu, uint64_t far)
{
	vcpu->system.far_el1 = far;
	take_exception(vcpu,
		       is_at_el1(vcpu) ? ESR_EC_INSTRUCTION_ABORT_SAME
				       : ESR_EC_INSTRUCTION_ABORT_LOWER,
		       FIELD_PUT(ESR_ISS_ABORT_FSC, FSC_SYNCHRONOUS_EXTERNAL));
}

void vcpu_inject_undefined(struct vcpu *vcpu)
{
	take_exception(vcpu, ESR_EC_UNKNOWN, 0);
}
