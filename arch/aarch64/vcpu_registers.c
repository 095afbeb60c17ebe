/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/trap_controls.h>
#include <aarch64/translation.h>
#include <aarch64/vcpu_host.h>

/* What a guest sees as DISR_EL1, where there is FEAT_RAS (then its error records trap). */
#define REGISTER_VDISR_EL2 S3_4_C12_C1_1

static void synchronise(void)
{
	__asm__ volatile("isb" : : : "memory");
}

/*
 * A CPU may drop cached translations when a control of translation is written, even with what it
 * held already. So the controls are written only to change them; after an exit that nobody else's
 * run followed there is nothing to do.
 */
static bool regime_is_loaded(const struct vcpu_system_registers *system, uint64_t hcr)
{
	return register_read(hcr_el2) == hcr && register_read(sctlr_el1) == system->sctlr_el1 &&
	       register_read(tcr_el1) == system->tcr_el1 &&
	       register_read(ttbr0_el1) == system->ttbr0_el1 &&
	       register_read(ttbr1_el1) == system->ttbr1_el1 &&
	       register_read(mair_el1) == system->mair_el1 &&
	       register_read(amair_el1) == system->amair_el1 &&
	       register_read(contextidr_el1) == system->contextidr_el1;
}

static void load_regime(struct vcpu *vcpu)
{
	const struct vcpu_system_registers *system = &vcpu->system;
	const uint64_t hcr = vcpu_hypervisor_configuration(vcpu);

	if (regime_is_loaded(system, hcr) && vcpu_tlb_is_its_own(vcpu, hcr & HCR_EL2_DC))
		return;

	el1_regime_close();
	register_write(ttbr0_el1, system->ttbr0_el1);
	register_write(ttbr1_el1, system->ttbr1_el1);
	register_write(mair_el1, system->mair_el1);
	register_write(amair_el1, system->amair_el1);
	register_write(contextidr_el1, system->contextidr_el1);
	vcpu_tlb_claim(vcpu, hcr & HCR_EL2_DC);
	synchronise();
	register_write(tcr_el1, system->tcr_el1);
	register_write(sctlr_el1, system->sctlr_el1);
	register_write(hcr_el2, hcr);
}

void vcpu_registers_load(struct vcpu *vcpu)
{
	const struct vcpu_system_registers *system = &vcpu->system;

	load_regime(vcpu);

	register_write(cpacr_el1, system->cpacr_el1);
	register_write(vbar_el1, system->vbar_el1);
	register_write(esr_el1, system->esr_el1);
	register_write(far_el1, system->far_el1);
	register_write(afsr0_el1, system->afsr0_el1);
	register_write(afsr1_el1, system->afsr1_el1);
	register_write(par_el1, system->par_el1);
	register_write(elr_el1, system->elr_el1);
	register_write(spsr_el1, system->spsr_el1);
	register_write(sp_el0, system->sp_el0);
	register_write(sp_el1, system->sp_el1);
	register_write(tpidr_el0, system->tpidr_el0);
	register_write(tpidrro_el0, system->tpidrro_el0);
	register_write(tpidr_el1, system->tpidr_el1);
	register_write(csselr_el1, system->csselr_el1);
	register_write(cntkctl_el1, system->cntkctl_el1);
	register_write(cntvoff_el2, system->cntvoff_el2);
	register_write(cntv_cval_el0, system->cntv_cval_el0);
	register_write(cntv_ctl_el0, system->cntv_ctl_el0);
	register_write(vmpidr_el2, system->vmpidr_el2);
	register_write(vpidr_el2, system->vpidr_el2);
	if (percpu_this()->guest_hcr & HCR_EL2_TERR)
		register_write(REGISTER_VDISR_EL2, 0);
}

void vcpu_registers_save(struct vcpu *vcpu)
{
	struct vcpu_system_registers *system = &vcpu->system;

	system->sctlr_el1 = register_read(sctlr_el1);
	system->cpacr_el1 = register_read(cpacr_el1);
	system->ttbr0_el1 = register_read(ttbr0_el1);
	system->ttbr1_el1 = register_read(ttbr1_el1);
	system->tcr_el1 = register_read(tcr_el1);
	system->mair_el1 = register_read(mair_el1);
	system->amair_el1 = register_read(amair_el1);
	system->vbar_el1 = register_read(vbar_el1);
	system->esr_el1 = register_read(esr_el1);
	system->far_el1 = register_read(far_el1);
	system->afsr0_el1 = register_read(afsr0_el1);
	system->afsr1_el1 = register_read(afsr1_el1);
	system->par_el1 = register_read(par_el1);
	system->elr_el1 = register_read(elr_el1);
	system->spsr_el1 = register_read(spsr_el1);
	system->sp_el0 = register_read(sp_el0);
	system->sp_el1 = register_read(sp_el1);
	system->tpidr_el0 = register_read(tpidr_el0);
	system->tpidrro_el0 = register_read(tpidrro_el0);
	system->tpidr_el1 = register_read(tpidr_el1);
	system->contextidr_el1 = register_read(contextidr_el1);
	system->csselr_el1 = register_read(csselr_el1);
	system->cntkctl_el1 = register_read(cntkctl_el1);
	system->cntv_cval_el0 = register_read(cntv_cval_el0);
	system->cntv_ctl_el0 = register_read(cntv_ctl_el0);

	/* Its timer must not interrupt EL2. */
	register_write(cntv_ctl_el0, 0);
}
