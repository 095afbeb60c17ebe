/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/registers.h>
#include <aarch64/translation.h>

uint64_t physical_size_encoding(uint8_t pa_bits)
{
	switch (pa_bits) {
	case 32:
		return 0;
	case 36:
		return 1;
	case 40:
		return 2;
	case 42:
		return 3;
	case 44:
		return 4;
	default:
		return 5; /* 48 */
	}
}

/*
 * Arm ARM D19.2.171, "VTCR_EL2". HA and HD: the Access flag and dirty state are the hardware's as well.
 * With the 4 KiB granule SL0 counts from level 2 down: 0 starts at level 2, 1 at 1, 2 at 0.
 */
uint64_t stage2_control(const struct stage2_context *context, const struct arch_features *features)
{
	const struct translation_geometry geometry = context->geometry;

	return FIELD_PUT(VTCR_EL2_T0SZ, 64 - geometry.ia_bits) |
	       FIELD_PUT(VTCR_EL2_SL0, 2 - geometry.root_level) |
	       FIELD_PUT(VTCR_EL2_IRGN0, TCR_RGN_WRITE_BACK_ALLOCATE) |
	       FIELD_PUT(VTCR_EL2_ORGN0, TCR_RGN_WRITE_BACK_ALLOCATE) |
	       FIELD_PUT(VTCR_EL2_SH0, TCR_SH_INNER_SHAREABLE) |
	       FIELD_PUT(VTCR_EL2_TG0, TCR_TG0_4K) |
	       FIELD_PUT(VTCR_EL2_PS, physical_size_encoding(geometry.pa_bits)) |
	       FIELD_PUT(VTCR_EL2_VS, features->vmid_bits == 16) |
	       FIELD_PUT(VTCR_EL2_HA, context->hardware_flags) |
	       FIELD_PUT(VTCR_EL2_HD, context->hardware_flags) | FIELD_PUT(VTCR_EL2_RES1, 1);
}

/* CnP stays 0: nothing promises that all CPUs hold the same table under one VMID at one time. */
uint64_t stage2_base(const struct stage2_context *context)
{
	return FIELD_PUT(VTTBR_EL2_BADDR, context->root.value) |
	       FIELD_PUT(VTTBR_EL2_VMID, context->vmid);
}
