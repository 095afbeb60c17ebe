/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtual CPU takes an exception as the architecture says (Arm ARM D1.3, TakeException). */
#include <aarch64/vcpu.h>
#include "harness.h"

#define VECTORS UINT64_C(0x4000800)
#define PC UINT64_C(0x123454)
#define FLAGS UINT64_C(0xa0000000) /* N and C */
#define DIT (UINT64_C(1) << 24)
#define UAO (UINT64_C(1) << 23)
#define PAN (UINT64_C(1) << 22)
#define SS (UINT64_C(1) << 21)
#define IL (UINT64_C(1) << 20)
#define SSBS (UINT64_C(1) << 12)
#define BTYPE (UINT64_C(3) << 10)
#define DAIF (UINT64_C(0xf) << 6)
#define EL0t 0x0
#define EL1t 0x4
#define EL1h 0x5
#define AARCH32_USER 0x10
#define THUMB 0x20

#define SCTLR_SPAN (UINT64_C(1) << 23)
#define SCTLR_DSSBS (UINT64_C(1) << 44)

static struct vcpu vcpu_at(uint64_t pstate)
{
	struct vcpu vcpu;

	vcpu_reset(&vcpu, iaddr(PC), 3);
	vcpu.pstate = pstate;
	vcpu.system.vbar_el1 = VECTORS;
	vcpu.system.far_el1 = 0x77;
	return vcpu;
}

TEST(vcpu_reset_leaves_el1h_masked_at_entry)
{
	struct vcpu vcpu;

	vcpu_reset(&vcpu, iaddr(PC), 3);
	EXPECT_EQUAL(vcpu.pc, PC);
	EXPECT_EQUAL(vcpu.pstate, DAIF | EL1h);
	EXPECT_EQUAL(vcpu.system.sctlr_el1 & 1, 0);
	EXPECT_EQUAL(vcpu.system.vmpidr_el2, UINT64_C(0x80000003));
	for (size_t i = 0; i < COUNT_OF(vcpu.x); i++)
		EXPECT_EQUAL(vcpu.x[i], 0);
}

/* The vector and the exception class depend on where the exception comes from. */
TEST(injection_depends_on_its_source)
{
	static const struct {
		uint64_t mode, offset, data_class, fetch_class;
	} cases[] = {
		{ EL1t, 0x000, 0x25, 0x21 },
		{ EL1h, 0x200, 0x25, 0x21 },
		{ EL0t, 0x400, 0x24, 0x20 },
		{ AARCH32_USER, 0x600, 0x24, 0x20 },
		{ AARCH32_USER | THUMB, 0x600, 0x24, 0x20 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vcpu vcpu = vcpu_at(cases[i].mode | FLAGS);

		vcpu_inject_data_abort(&vcpu, 0xabc, true);
		EXPECT_EQUAL(vcpu.pc, VECTORS + cases[i].offset);
		EXPECT_EQUAL(vcpu.pstate, FLAGS | DAIF | EL1h);
		EXPECT_EQUAL(vcpu.system.esr_el1, cases[i].data_class << 26 | 1u << 25 | 0x50);
		EXPECT_EQUAL(vcpu.system.far_el1, 0xabc);
		EXPECT_EQUAL(vcpu.system.elr_el1, PC);
		EXPECT_EQUAL(vcpu.system.spsr_el1, cases[i].mode | FLAGS);

		vcpu = vcpu_at(cases[i].mode | FLAGS);
		vcpu_inject_data_abort(&vcpu, 0xabc, false);
		EXPECT_EQUAL(vcpu.system.esr_el1, cases[i].data_class << 26 | 1u << 25 | 0x10);

		vcpu = vcpu_at(cases[i].mode | FLAGS);
		vcpu_inject_instruction_abort(&vcpu, 0xdef);
		EXPECT_EQUAL(vcpu.pc, VECTORS + cases[i].offset);
		EXPECT_EQUAL(vcpu.system.esr_el1, cases[i].fetch_class << 26 | 1u << 25 | 0x10);
		EXPECT_EQUAL(vcpu.system.far_el1, 0xdef);

		vcpu = vcpu_at(cases[i].mode | FLAGS);
		vcpu_inject_undefined(&vcpu);
		EXPECT_EQUAL(vcpu.pc, VECTORS + cases[i].offset);
		EXPECT_EQUAL(vcpu.system.esr_el1, 1u << 25);
		EXPECT_EQUAL(vcpu.system.far_el1, 0x77);
	}
}

/* What of PSTATE stays, what is cleared, and what SCTLR_EL1 decides. */
TEST(injection_changes_pstate_as_the_architecture)
{
	struct vcpu vcpu = vcpu_at(FLAGS | DIT | UAO | SS | IL | SSBS | BTYPE | EL1h);

	vcpu.system.sctlr_el1 |= SCTLR_SPAN;
	vcpu_inject_undefined(&vcpu);
	EXPECT_EQUAL(vcpu.pstate, FLAGS | DIT | DAIF | EL1h);

	vcpu = vcpu_at(EL0t);
	vcpu.system.sctlr_el1 |= SCTLR_SPAN | SCTLR_DSSBS;
	vcpu_inject_undefined(&vcpu);
	EXPECT_EQUAL(vcpu.pstate, SSBS | DAIF | EL1h);

	vcpu = vcpu_at(EL0t);
	vcpu.system.sctlr_el1 &= ~SCTLR_SPAN;
	vcpu_inject_undefined(&vcpu);
	EXPECT_EQUAL(vcpu.pstate, PAN | DAIF | EL1h);

	vcpu = vcpu_at(PAN | EL0t);
	vcpu.system.sctlr_el1 |= SCTLR_SPAN;
	vcpu_inject_undefined(&vcpu);
	EXPECT_EQUAL(vcpu.pstate, PAN | DAIF | EL1h);
}

/* The low bits of VBAR_EL1 are RES0, whatever the guest wrote. */
TEST(inject_ignores_low_bits_of_the_vector_base)
{
	struct vcpu vcpu = vcpu_at(EL1h);

	vcpu.system.vbar_el1 = VECTORS | 0x7ff;
	vcpu_inject_undefined(&vcpu);
	EXPECT_EQUAL(vcpu.pc, VECTORS + 0x200);
}

TEST(skipping_clears_single_step_and_branch_type)
{
	struct vcpu vcpu = vcpu_at(FLAGS | SS | BTYPE | EL1h);

	vcpu_skip_instruction(&vcpu);
	EXPECT_EQUAL(vcpu.pc, PC + 4);
	EXPECT_EQUAL(vcpu.pstate, FLAGS | EL1h);
}

/* In an IT block of three, condition EQ: the state moves on with each instruction, and ends. */
TEST(skip_instruction_of_aarch32)
{
	struct vcpu vcpu = vcpu_at(AARCH32_USER | THUMB);
	static const uint64_t states[] = { 0x02, 0x04, 0x08, 0x00 };

	vcpu.instruction_bytes = 2;
	vcpu.pstate |= (states[0] & 3) << 25 | states[0] >> 2 << 10;
	for (size_t i = 1; i < COUNT_OF(states); i++) {
		vcpu_skip_instruction(&vcpu);
		EXPECT_EQUAL(vcpu.pc, PC + 2 * i);
		EXPECT_EQUAL(vcpu.pstate,
			     (states[i] & 3) << 25 | states[i] >> 2 << 10 | AARCH32_USER | THUMB);
	}
	vcpu.instruction_bytes = 4;
	vcpu_skip_instruction(&vcpu);
	EXPECT_EQUAL(vcpu.pc, PC + 2 * 3 + 4);
}
