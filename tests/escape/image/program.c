/* SPDX-License-Identifier: BSD-3-Clause */
#include "program.h"

#include <stddef.h>

/* Arm ARM C4.1: what is fixed in the encoding, and which bits are drawn. */
struct instruction_kind {
	uint32_t fixed;
	uint32_t random;
};

static const struct instruction_kind kinds[] = {
	{ 0x00000000, 0xffffffff }, /* any word */
	{ 0x00000000, 0xffffffff }, { 0x00000000, 0xffffffff },
	{ 0xd4000002, 0x001fffe0 }, /* HVC #imm16 */
	{ 0xd4000022, 0x00000000 }, /* HVC #1: GUEST_CALL_PROGRESS */
	{ 0xd4000003, 0x001fffe0 }, /* SMC #imm16 */
	{ 0xd4000001, 0x001fffe0 }, /* SVC #imm16 */
	{ 0xd4200000, 0x001fffe0 }, /* BRK #imm16 */
	{ 0xd5100000, 0x000fffff }, /* MSR: any system register, op0 = 2 or 3 */
	{ 0xd5300000, 0x000fffff }, /* MRS */
	{ 0xd5380000, 0x000007ff }, /* MRS of an ID register */
	{ 0xd5180000, 0x0007ffff }, /* MSR of an EL1 register */
	{ 0xd5080000, 0x0007ffff }, /* SYS: TLBI, AT, DC, IC */
	{ 0xd5033000, 0x00000fff }, /* barriers */
	{ 0xd503201f, 0x00000fe0 }, /* hints: WFI, WFE, YIELD and so on */
	{ 0xd503207f, 0x00000000 }, /* WFI */
	{ 0xd61f0000, 0x006003e0 }, /* BR, BLR, RET */
	{ 0xd69f03e0, 0x00000000 }, /* ERET */
	{ 0x54000000, 0x0000007f }, /* B.cond, near */
	{ 0xf9400000, 0x000003ff }, /* LDR (immediate, 64-bit) */
	{ 0xf9000000, 0x000003ff }, /* STR */
	{ 0x38400000, 0xc03fffff }, /* loads and stores, every size and form of index */
	{ 0x28000000, 0xc3ffffff }, /* LDP, STP */
	{ 0x08000000, 0xc0ffffff }, /* exclusives, load-acquire, store-release, compare and swap */
	{ 0x0c000000, 0x70ffffff }, /* SIMD structures */
	{ 0xb8200000, 0x40ffffff }, /* atomics */
	{ 0xd2800000, 0x007fffff }, /* MOVZ */
	{ 0x0e000000, 0xf1ffffff }, /* SIMD and floating point */
};

#define HLT_MASK UINT32_C(0xffe0001f)
#define HLT UINT32_C(0xd4400000)
#define NOP UINT32_C(0xd503201f)

uint32_t program_instruction(struct random *random)
{
	const struct instruction_kind *kind =
		&kinds[random_below(random, sizeof(kinds) / sizeof(kinds[0]))];
	uint32_t word = kind->fixed | ((uint32_t)random_next(random) & kind->random);

	return (word & HLT_MASK) == HLT ? NOP : word;
}

uint64_t program_value(struct random *random, const struct program_places *places)
{
	uint64_t choice = random_below(random, 8);

	if (choice == 0)
		return random_next(random);
	if (choice == 1)
		return random_below(random, 4096);
	if (choice == 2) /* any address that Stage 2 may have to look at */
		return random_next(random) >> 16;

	struct irange area = places->areas[random_below(random, places->count)];
	uint64_t offset = random_below(random, irange_size(area) + 2 * PAGE_SIZE);
	return area.start.value + offset - (choice == 3 ? PAGE_SIZE : 0);
}

void program_registers(struct random *random, const struct program_places *places,
		       struct vcpu *vcpu)
{
	struct vcpu_system_registers *system = &vcpu->system;
	uint64_t *const drawn[] = {
		&system->vbar_el1,    &system->sp_el0,	  &system->sp_el1,
		&system->elr_el1,     &system->tpidr_el0, &system->tpidr_el1,
		&system->tpidrro_el0, &system->far_el1,	  &system->contextidr_el1,
		&system->ttbr0_el1,   &system->ttbr1_el1, &system->mair_el1,
	};

	for (size_t i = 0; i < sizeof(vcpu->x) / sizeof(vcpu->x[0]); i++)
		vcpu->x[i] = program_value(random, places);
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++)
		*drawn[i] = program_value(random, places);
	for (size_t i = 0; i < sizeof(vcpu->vector.v) / sizeof(vcpu->vector.v[0]); i++)
		vcpu->vector.v[i][random_below(random, 16)] = (uint8_t)random_next(random);
	system->vbar_el1 &= ~UINT64_C(0x7ff);
	system->cpacr_el1 = random_next(random) & UINT64_C(3) << 20; /* FPEN */
}
