/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/trap_controls.h>
#include <aarch64/translation.h>
#include <arch/barrier.h>
#include <arch/canary.h>
#include <arch/observe.h>
#include <stddef.h>

#define EL1_WALKS_OFF (FIELD_MASK(TCR_EL1_EPD0) | FIELD_MASK(TCR_EL1_EPD1))

/*
 * At EL2 the EL1&0 regime is out of context, and the architecture makes no speculative walk for
 * such a regime. The exception is an AT instruction, which some CPUs issue speculatively
 * (Cortex-A57 erratum 1319537, A72 1319367, A76 1165522): with Stage 1 on and its walks disabled
 * even that ends before it reaches Stage 2, so that registers of two contexts never meet in one
 * walk.
 */
void el1_regime_close(void)
{
	register_write(hcr_el2, register_read(hcr_el2) & ~HCR_EL2_DC);
	register_write(sctlr_el1, register_read(sctlr_el1) | FIELD_MASK(SCTLR_EL1_M));
	register_write(tcr_el1, register_read(tcr_el1) | EL1_WALKS_OFF);
	__asm__ volatile("isb" : : : "memory");
}

/*
 * VTCR_EL2 and VTTBR_EL2 of two contexts together mean nothing, hence el1_regime_close. The ISB
 * makes the pair visible to the TLBIs and the ERET that follow.
 */
void stage2_load(const struct stage2_context *context)
{
	struct percpu *cpu = percpu_this();

	el1_regime_close();
	register_write(vtcr_el2, stage2_control(context, arch_features()));
	register_write(vttbr_el2, stage2_base(context));
	cpu->stage2 = *context;
	cpu->stage2_is_active = true;
	cpu->counters.stage2_loads++;
	OBSERVE(.kind = OBSERVE_STAGE2_LOAD, .address = cpu->stage2.root,
		.value = cpu->stage2.vmid);
	if (!CANARY(isb_missing))
		isb();
}

/* VMID 0 belongs to no space, so that nothing can be cached under it by mistake. */
void stage2_unload(void)
{
	el1_regime_close();
	register_write(vttbr_el2, 0);
	percpu_this()->stage2_is_active = false;
	OBSERVE(.kind = OBSERVE_STAGE2_UNLOAD);
	isb();
}

const struct stage2_context *stage2_active(void)
{
	const struct percpu *cpu = percpu_this();

	return cpu->stage2_is_active ? &cpu->stage2 : NULL;
}

/* TCR_EL2 is start-up's: the geometry is the one it holds. */
void el2_stage1_load(struct paddr root, struct translation_geometry geometry)
{
	(void)geometry;
	register_write(ttbr0_el2, FIELD_PUT(TTBR0_EL2_BADDR, root.value));
	OBSERVE(.kind = OBSERVE_STAGE1_LOAD, .address = root);
	isb();
}

bool el2_stage1_is(struct paddr root)
{
	/* Bit 0 is CnP. */
	return page_align_down(FIELD_GET(TTBR0_EL2_BADDR, register_read(ttbr0_el2))) == root.value;
}
