/* SPDX-License-Identifier: BSD-3-Clause */
/* What EL1 may do by itself and what comes to EL2: every trap control, with the reason for each. */
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/trap_controls.h>
#include <aarch64/vcpu_host.h>

/*
 * HCR_EL2 of every guest.
 *
 * VM, RW: Stage 2 is on, EL1 is AArch64.
 * SWIO: invalidation by set and way cleans as well, should it ever run.
 * IMO, FMO, AMO: physical interrupts and SErrors come to EL2, whatever the guest masks.
 * FB, BSU: the guest's local TLB and instruction cache maintenance and its barriers reach the Inner
 *	Shareable domain, so that it may move to another CPU between two of its instructions.
 * TWI, TWE: an idle guest gives the CPU back.
 * TID1, TID3: ID registers are emulated, so that the features hidden here stay hidden.
 * TSC: SMC is a call of the hypervisor; firmware is not the guest's to talk to.
 * TIDCP, TACR: implementation-defined registers, which could change how the CPU behaves for EL2.
 * TSW: maintenance by set and way works on one CPU's caches, not on the guest's memory.
 * TLOR: LORegions are state that nobody would save.
 *
 * Zero, on purpose: TGE, E2H, NV (the guest is EL1, and EL2 is this), HCD (HVC works), TRVM, TTLB,
 * TPU, TPCP (its own translation and caches by address are its business and pass Stage 2), PTW,
 * FWB (Stage-2 attributes combine), API, APK, ATA, EnSCXT, AMVOFFEN (pointer authentication, MTE,
 * SCXTNUM and AMU trap), VI, VF, VSE (no virtual interrupt is pending).
 */
#define HCR_EL2_GUEST                                                                              \
	(HCR_EL2_VM | HCR_EL2_RW | HCR_EL2_SWIO | HCR_EL2_IMO | HCR_EL2_FMO | HCR_EL2_AMO |        \
	 HCR_EL2_FB | HCR_EL2_BSU_INNER_SHAREABLE | HCR_EL2_TWI | HCR_EL2_TWE | HCR_EL2_TID1 |     \
	 HCR_EL2_TID3 | HCR_EL2_TSC | HCR_EL2_TIDCP | HCR_EL2_TACR | HCR_EL2_TSW)

/* FEAT_RAS: error records trap, and external aborts of the guest's accesses come to EL2. */
#define HCR_EL2_GUEST_RAS (HCR_EL2_TERR | HCR_EL2_TEA)

/* DC makes a guest's memory Normal write-back while its Stage 1 is off; TVM shows when it turns it
 * on. */
#define HCR_EL2_GUEST_STAGE1_OFF (HCR_EL2_DC | HCR_EL2_TVM)

static bool has_field(uint64_t id, uint64_t absent)
{
	return id != 0 && id != absent;
}

/*
 * A bit that this CPU does not have reads as zero: what is kept is what the register says, so that
 * the world switch can tell by reading it that nothing has changed.
 */
static void init_configuration(void)
{
	uint64_t hcr = HCR_EL2_GUEST;

	if (FIELD_GET(ID_AA64PFR0_EL1_RAS, register_read(id_aa64pfr0_el1)))
		hcr |= HCR_EL2_GUEST_RAS;
	if (FIELD_GET(ID_AA64MMFR1_EL1_LO, register_read(id_aa64mmfr1_el1)))
		hcr |= HCR_EL2_TLOR;
	register_write(hcr_el2, hcr);
	percpu_this()->guest_hcr = register_read(hcr_el2);
}

uint64_t vcpu_hypervisor_configuration(const struct vcpu *vcpu)
{
	const uint64_t hcr = percpu_this()->guest_hcr;

	if (FIELD_GET(SCTLR_EL1_M, vcpu->system.sctlr_el1))
		return hcr;
	return hcr | HCR_EL2_GUEST_STAGE1_OFF;
}

/*
 * FP and SIMD are open (TFP = 0): the world switch saves them. SVE, SME, AMU and trace registers
 * trap. TSM is RES1 where SME is absent.
 */
static void init_coprocessor_traps(void)
{
	register_write(cptr_el2,
		       CPTR_EL2_RES1 | CPTR_EL2_TZ | CPTR_EL2_TSM | CPTR_EL2_TTA | CPTR_EL2_TAM);
	register_write(hstr_el2, 0);
}

/*
 * Debug, PMU, profiling and trace registers trap. HPMN is the number of counters, the one value
 * that is legal on every CPU and reserves none; whether EL2 counts for itself (HPME) stays as
 * start-up decided. TDE = 0: a guest's BRK is its own exception. E2PB and E2TB = 0: the buffers of
 * profiling and trace are EL2's.
 */
static void init_debug_traps(void)
{
	const uint64_t dfr0 = register_read(id_aa64dfr0_el1);
	uint64_t mdcr = MDCR_EL2_TDA | MDCR_EL2_TDOSA | MDCR_EL2_TDRA;

	/* PMUVer 0xf is a PMU of another architecture. */
	if (has_field(FIELD_GET(ID_AA64DFR0_EL1_PMUVer, dfr0), 0xf))
		mdcr |= MDCR_EL2_TPM | MDCR_EL2_TPMCR | (register_read(mdcr_el2) & MDCR_EL2_HPME) |
			FIELD_PUT(MDCR_EL2_HPMN, FIELD_GET(PMCR_EL0_N, register_read(pmcr_el0)));
	if (FIELD_GET(ID_AA64DFR0_EL1_PMSVer, dfr0))
		mdcr |= MDCR_EL2_TPMS;
	if (FIELD_GET(ID_AA64DFR0_EL1_TraceFilt, dfr0))
		mdcr |= MDCR_EL2_TTRF;
	register_write(mdcr_el2, mdcr);
	register_write(mdscr_el1, 0);
}

/* The virtual timer and both counters are the guest's; the physical timer traps. */
static void init_timer_traps(void)
{
	register_write(cnthctl_el2, CNTHCTL_EL2_EL1PCTEN);
}

/*
 * Fine-grained traps and HCRX_EL2 all zero: the traps among them that are active when a bit is 0
 * ("n" bits, HCRX enables) are those of features that the guest is not told of.
 */
static void init_fine_grained_traps(void)
{
	const uint64_t fgt = FIELD_GET(ID_AA64MMFR0_EL1_FGT, register_read(id_aa64mmfr0_el1));

	if (fgt >= 1) {
		register_write(REGISTER_HFGRTR_EL2, 0);
		register_write(REGISTER_HFGWTR_EL2, 0);
		register_write(REGISTER_HFGITR_EL2, 0);
		register_write(REGISTER_HDFGRTR_EL2, 0);
		register_write(REGISTER_HDFGWTR_EL2, 0);
		if (FIELD_GET(ID_AA64PFR0_EL1_AMU, register_read(id_aa64pfr0_el1)))
			register_write(REGISTER_HAFGRTR_EL2, 0);
	}
	if (fgt >= 2) {
		register_write(REGISTER_HFGRTR2_EL2, 0);
		register_write(REGISTER_HFGWTR2_EL2, 0);
		register_write(REGISTER_HFGITR2_EL2, 0);
		register_write(REGISTER_HDFGRTR2_EL2, 0);
		register_write(REGISTER_HDFGWTR2_EL2, 0);
	}
	if (FIELD_GET(ID_AA64MMFR1_EL1_HCX, register_read(id_aa64mmfr1_el1)))
		register_write(REGISTER_HCRX_EL2, 0);
}

/* The GIC's system registers trap: ICC_SRE_EL1 because Enable is 0, the others by ICH_HCR_EL2. */
static void init_interrupt_traps(void)
{
	if (!FIELD_GET(ID_AA64PFR0_EL1_GIC, register_read(id_aa64pfr0_el1)))
		return;

	register_write(REGISTER_ICC_SRE_EL2, ICC_SRE_EL2_SRE | ICC_SRE_EL2_DFB | ICC_SRE_EL2_DIB);
	__asm__ volatile("isb" : : : "memory");
	/* EL3 may keep the system registers to itself; then they are undefined for EL1 too. */
	if (register_read(REGISTER_ICC_SRE_EL2) & ICC_SRE_EL2_SRE) {
		register_write(REGISTER_ICH_VMCR_EL2, 0);
		register_write(REGISTER_ICH_HCR_EL2,
			       ICH_HCR_EL2_TC | ICH_HCR_EL2_TALL0 | ICH_HCR_EL2_TALL1);
	}
}

void vcpu_host_init(void)
{
	const uint64_t pfr0 = register_read(id_aa64pfr0_el1);

	init_configuration();
	init_coprocessor_traps();
	init_debug_traps();
	init_timer_traps();
	init_fine_grained_traps();
	init_interrupt_traps();
	if (FIELD_GET(ID_AA64PFR0_EL1_MPAM, pfr0))
		register_write(REGISTER_MPAM2_EL2, MPAM2_EL2_TRAPMPAM0EL1 | MPAM2_EL2_TRAPMPAM1EL1);
	__asm__ volatile("isb" : : : "memory");
}
