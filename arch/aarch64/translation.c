/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/translation.h>
#include <arch/barrier.h>
#include <arch/observe.h>
#include <stddef.h>

/*
 * Why VTCR_EL2 may be written before VTTBR_EL2 with nothing between: this is EL2, where the EL1&0
 * regime is out of context, and the architecture makes no speculative walk for such a regime (Arm
 * ARM D8.2.3, "out-of-context translation regimes"). The exception is an AT instruction, which some
 * CPUs issue speculatively (Cortex-A57 erratum 1319537, A72 1319367, A76 1165522): the world switch
 * leaves SCTLR_EL1.M and TCR_EL1.EPD0/EPD1 set whenever no guest runs, so that even that walk ends
 * before it reaches Stage 2. The ISB makes the pair visible to the TLBIs and the ERET that follow.
 */
void stage2_load(const struct stage2_context *context)
{
	struct percpu *cpu = percpu_this();

	register_write(vtcr_el2, stage2_control(context->geometry, arch_features()));
	register_write(vttbr_el2, stage2_base(context));
	cpu->stage2 = *context;
	cpu->stage2_is_active = true;
	cpu->counters.stage2_loads++;
	OBSERVE(.kind = OBSERVE_STAGE2_LOAD, .address = cpu->stage2.root,
		.value = cpu->stage2.vmid);
	isb();
}

/* VMID 0 belongs to no space, so that nothing can be cached under it by mistake. */
void stage2_unload(void)
{
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
