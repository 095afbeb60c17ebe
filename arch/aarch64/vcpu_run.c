/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/vcpu_host.h>
#include <aarch64/vcpu_offsets.h>
#include <stddef.h>

_Static_assert(offsetof(struct vcpu, x) == VCPU_X, "as switch.S knows it");
_Static_assert(offsetof(struct vcpu, pc) == VCPU_PC, "as switch.S knows it");
_Static_assert(offsetof(struct vcpu, pstate) == VCPU_PC + 8, "as switch.S knows it");
_Static_assert(offsetof(struct vcpu, vector.v) == VCPU_V, "as switch.S knows it");
_Static_assert(offsetof(struct vcpu, vector.fpcr) == VCPU_FPCR, "as switch.S knows it");
_Static_assert(offsetof(struct vcpu, vector.fpsr) == VCPU_FPCR + 8, "as switch.S knows it");
_Static_assert((int)VCPU_EXIT_SYNCHRONOUS == VCPU_REASON_SYNCHRONOUS, "as vectors.S knows it");
_Static_assert((int)VCPU_EXIT_IRQ == VCPU_REASON_IRQ, "as vectors.S knows it");
_Static_assert((int)VCPU_EXIT_FIQ == VCPU_REASON_FIQ, "as vectors.S knows it");
_Static_assert((int)VCPU_EXIT_SERROR == VCPU_REASON_SERROR, "as vectors.S knows it");

/*
 * A guest that replaces its tables on another CPU at that very moment makes the walk fail once; one
 * that forgot to invalidate its TLB would make it fail for ever.
 */
#define RESOLVE_ATTEMPTS 8

uint64_t address_translate_stage1(uint64_t va);

bool vcpu_resolve_ipa(struct vcpu_exit *exit)
{
	const uint64_t par = address_translate_stage1(exit->far);

	if (FIELD_GET(PAR_EL1_F, par))
		return false;
	exit->hpfar = FIELD_PUT(HPFAR_EL2_FIPA, FIELD_GET(PAR_EL1_PA, par));
	return true;
}

/*
 * HPFAR_EL2 holds the IPA of translation, access flag and address size faults, and of permission
 * faults of a Stage-1 walk; of other permission faults it may hold anything (Arm ARM D19.2.56).
 */
static bool hpfar_is_unknown(const struct vcpu_exit *exit)
{
	const uint64_t class = FIELD_GET(ESR_ELx_EC, exit->syndrome);
	const uint64_t status = FIELD_GET(ESR_ISS_ABORT_FSC, exit->syndrome);

	return exit->reason == VCPU_EXIT_SYNCHRONOUS &&
	       (class == ESR_EC_DATA_ABORT_LOWER || class == ESR_EC_INSTRUCTION_ABORT_LOWER) &&
	       FIELD_GET(FSC_KIND, status) == FSC_KIND_PERMISSION &&
	       !FIELD_GET(ESR_ISS_ABORT_S1PTW, exit->syndrome);
}

/* An illegal return would leave PSTATE.IL set at EL2: an error of the caller, not of the guest. */
static uint64_t guest_pstate(uint64_t pstate)
{
	switch (FIELD_GET(SPSR_ELx_M, pstate)) {
	case SPSR_M_EL0t:
	case SPSR_M_EL1t:
	case SPSR_M_EL1h:
	case SPSR_M_AARCH32_USER:
		return pstate;
	default:
		return FIELD_REPLACE(SPSR_ELx_M, pstate, SPSR_M_EL1h);
	}
}

/* Enters and leaves the guest once; false if it must simply run again. */
static bool run_once(struct vcpu *vcpu, struct vcpu_exit *exit)
{
	struct percpu *cpu = percpu_this();

	vcpu->pstate = guest_pstate(vcpu->pstate);
	cpu->host_tpidr_el0 = register_read(tpidr_el0);
	cpu->vcpu = vcpu;
	vcpu_registers_load(vcpu);

	const enum vcpu_exit_reason reason = vcpu_enter(vcpu);

	*exit = (struct vcpu_exit){
		.reason = reason,
		.syndrome = register_read(esr_el2),
		.far = register_read(far_el2),
		.hpfar = register_read(hpfar_el2),
	};
	vcpu->instruction_bytes = FIELD_GET(ESR_ELx_IL, exit->syndrome) ? 4 : 2;
	vcpu_registers_save(vcpu);
	cpu->vcpu = NULL;
	register_write(tpidr_el0, cpu->host_tpidr_el0);

	return !hpfar_is_unknown(exit) || vcpu_resolve_ipa(exit);
}

void vcpu_run(struct vcpu *vcpu, struct vcpu_exit *exit)
{
	for (unsigned int attempt = 0; attempt < RESOLVE_ATTEMPTS; attempt++)
		if (run_once(vcpu, exit))
			return;
	exit->ipa_unknown = true;
}
