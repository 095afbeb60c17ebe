/* SPDX-License-Identifier: BSD-3-Clause */
/* What a trapped access to a system register does, by its syndrome alone. */
#include <aarch64/vcpu.h>
#include "harness.h"

#define PC UINT64_C(0x4000)
#define VALUE UINT64_C(0x123456789)
#define EL0t 0x0
#define EL1h 0x5
#define READ 1
#define WRITE 0

/* ISS of EC 0x18 (Arm ARM D19.2.37): Op0, Op2, Op1, CRn, Rt, CRm, direction. */
static uint64_t iss(unsigned int op0, unsigned int op1, unsigned int crn, unsigned int crm,
		    unsigned int op2, unsigned int rt, unsigned int direction)
{
	return (uint64_t)op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 |
	       direction;
}

static struct vcpu emulated(uint64_t pstate, uint64_t syndrome)
{
	const struct vcpu_exit exit = { .syndrome = UINT64_C(0x62000000) | syndrome };
	struct vcpu vcpu;

	vcpu_reset(&vcpu, iaddr(PC), 0);
	vcpu.pstate = pstate;
	for (unsigned int i = 0; i < 31; i++)
		vcpu.x[i] = VALUE + i;
	vcpu_emulate_system_register(&vcpu, &exit);
	return vcpu;
}

static bool is_undefined(const struct vcpu *vcpu)
{
	return vcpu->system.esr_el1 == UINT64_C(0x2000000) && vcpu->system.elr_el1 == PC;
}

static bool is_done(const struct vcpu *vcpu)
{
	return vcpu->pc == PC + 4 && vcpu->system.esr_el1 == 0;
}

TEST(emulated_write_takes_the_right_register)
{
	struct vcpu vcpu = emulated(EL1h, iss(3, 0, 2, 0, 0, 17, WRITE)); /* TTBR0_EL1 */

	EXPECT_TRUE(is_done(&vcpu));
	EXPECT_EQUAL(vcpu.system.ttbr0_el1, VALUE + 17);
	vcpu = emulated(EL1h, iss(3, 0, 2, 0, 1, 31, WRITE)); /* TTBR1_EL1, XZR */
	EXPECT_TRUE(is_done(&vcpu));
	EXPECT_EQUAL(vcpu.system.ttbr1_el1, 0);
}

/* Each register that HCR_EL2.TVM traps is written, and only it. */
TEST(emulated_write_changes_one_register)
{
	static const struct {
		unsigned int crn, crm, op2;
		size_t offset;
	} cases[] = {
		{ 1, 0, 0, offsetof(struct vcpu_system_registers, sctlr_el1) },
		{ 2, 0, 0, offsetof(struct vcpu_system_registers, ttbr0_el1) },
		{ 2, 0, 1, offsetof(struct vcpu_system_registers, ttbr1_el1) },
		{ 2, 0, 2, offsetof(struct vcpu_system_registers, tcr_el1) },
		{ 5, 1, 0, offsetof(struct vcpu_system_registers, afsr0_el1) },
		{ 5, 1, 1, offsetof(struct vcpu_system_registers, afsr1_el1) },
		{ 5, 2, 0, offsetof(struct vcpu_system_registers, esr_el1) },
		{ 6, 0, 0, offsetof(struct vcpu_system_registers, far_el1) },
		{ 10, 2, 0, offsetof(struct vcpu_system_registers, mair_el1) },
		{ 10, 3, 0, offsetof(struct vcpu_system_registers, amair_el1) },
		{ 13, 0, 1, offsetof(struct vcpu_system_registers, contextidr_el1) },
	};
	struct vcpu reset;

	vcpu_reset(&reset, iaddr(PC), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct vcpu vcpu = emulated(
			EL1h, iss(3, 0, cases[i].crn, cases[i].crm, cases[i].op2, 5, WRITE));
		const uint64_t *is = (const uint64_t *)&vcpu.system;
		const uint64_t *was = (const uint64_t *)&reset.system;

		EXPECT_EQUAL(vcpu.pc, PC + 4);
		for (size_t word = 0; word < sizeof(vcpu.system) / sizeof(*is); word++)
			EXPECT_EQUAL(is[word],
				     word * sizeof(*is) == cases[i].offset ? VALUE + 5 : was[word]);
	}
}

TEST(emulated_read_of_what_says_nothing)
{
	struct vcpu vcpu = emulated(EL1h, iss(3, 0, 1, 0, 1, 7, READ)); /* ACTLR_EL1 */

	EXPECT_TRUE(is_done(&vcpu));
	EXPECT_EQUAL(vcpu.x[7], 0);
	vcpu = emulated(EL1h, iss(3, 0, 1, 0, 1, 31, READ));
	EXPECT_TRUE(is_done(&vcpu));
	for (unsigned int i = 0; i < 31; i++)
		EXPECT_EQUAL(vcpu.x[i], VALUE + i);
}

/* Nothing of EL1 exists for EL0, and what can only be read cannot be written. */
TEST(emulated_access_that_is_undefined)
{
	static const struct {
		uint64_t pstate;
		unsigned int op0, op1, crn, crm, op2, direction;
	} cases[] = {
		{ EL0t, 3, 0, 0, 4, 0, READ },	/* ID_AA64PFR0_EL1 */
		{ 0x10, 3, 0, 0, 4, 0, READ },	/* and from AArch32 */
		{ EL0t, 3, 0, 1, 0, 0, WRITE }, /* SCTLR_EL1 */
		{ EL0t, 2, 0, 0, 2, 2, READ },	/* MDSCR_EL1 */
		{ EL1h, 3, 0, 0, 4, 0, WRITE }, /* ID_AA64PFR0_EL1 */
		{ EL1h, 3, 0, 0, 0, 6, WRITE }, /* REVIDR_EL1 */
		{ EL1h, 3, 0, 2, 0, 0, READ },	/* TTBR0_EL1: reads do not trap */
		{ EL1h, 1, 0, 7, 6, 2, READ },	/* DC ISW has no result */
		{ EL1h, 3, 3, 9, 12, 0, READ }, /* PMCR_EL0 */
		{ EL1h, 2, 1, 0, 6, 0, READ },	/* a trace register */
		{ EL1h, 3, 4, 1, 1, 0, READ },	/* HCR_EL2 */
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct vcpu vcpu = emulated(
			cases[i].pstate, iss(cases[i].op0, cases[i].op1, cases[i].crn, cases[i].crm,
					     cases[i].op2, 5, cases[i].direction));

		EXPECT_TRUE(is_undefined(&vcpu));
		EXPECT_EQUAL(vcpu.x[5], VALUE + 5);
		EXPECT_EQUAL(vcpu.system.sctlr_el1 & 1, 0);
	}
}
