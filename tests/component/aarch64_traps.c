/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest may not touch. Each register is tried by its encoding, on whatever CPU this is:
 * trapped or undefined, the guest must not be able to tell the difference.
 */
#include <aarch64/id_registers.h>
#include "el1.h"
#include "harness.h"

/* MRS and MSR (register), op0 2 or 3, and SYS, op0 1 (Arm ARM C6.2). */
#define REGISTER(op0, op1, crn, crm, op2)                                                          \
	((uint32_t)(op0) << 19 | (uint32_t)(op1) << 16 | (uint32_t)(crn) << 12 |                   \
	 (uint32_t)(crm) << 8 | (uint32_t)(op2) << 5)
#define MRS(reg, rt) (0xd5200000u | (reg) | (rt))
#define MSR(reg, rt) (0xd5000000u | (reg) | (rt))

#define WFI 0xd503207fu
#define SMC 0xd4000003u
#define SYNCHRONOUS_SPx (EL1_VECTOR_CALL + 4)
#define ESR_UNKNOWN (UINT64_C(1) << 25)
#define CPACR_ALL_ON (UINT64_C(3) << 16 | UINT64_C(3) << 20 | UINT64_C(3) << 24)
#define MARK UINT64_C(0x1234567890abcdef)

struct attempt {
	const char *name;
	uint32_t reg;
};

/* Runs one instruction with x0 = MARK; what follows it is hypercall 0. */
static unsigned int try(struct el1 *el1, uint32_t instruction)
{
	const uint32_t words[] = { instruction, EL1_CALL(0) };

	el1_program(el1, words, COUNT_OF(words));
	el1->vcpu.pstate = 0x3c5;
	el1->vcpu.x[0] = MARK;
	el1->vcpu.system.esr_el1 = 0;
	return el1_run_to_call(el1);
}

static void expect_undefined(struct el1 *el1, const char *name, uint32_t instruction)
{
	const unsigned int call = try(el1, instruction);

	if (call != SYNCHRONOUS_SPx || el1->vcpu.system.esr_el1 != ESR_UNKNOWN ||
	    el1->vcpu.system.elr_el1 != EL1_PROGRAM || el1->vcpu.x[0] != MARK)
		FAIL("%s: call 0x%x, ESR_EL1 0x%llx, x0 0x%llx", name, call,
		     (unsigned long long)el1->vcpu.system.esr_el1,
		     (unsigned long long)el1->vcpu.x[0]);
}

TEST(guest_registers_that_are_undefined)
{
	static const struct attempt attempts[] = {
		{ "PMCR_EL0", REGISTER(3, 3, 9, 12, 0) },
		{ "PMCCNTR_EL0", REGISTER(3, 3, 9, 13, 0) },
		{ "PMEVCNTR0_EL0", REGISTER(3, 3, 14, 8, 0) },
		{ "PMUSERENR_EL0", REGISTER(3, 3, 9, 14, 0) },
		{ "PMSCR_EL1", REGISTER(3, 0, 9, 9, 0) },
		{ "TRFCR_EL1", REGISTER(3, 0, 1, 2, 1) },
		{ "TRBLIMITR_EL1", REGISTER(3, 0, 9, 11, 0) },
		{ "CNTP_CTL_EL0", REGISTER(3, 3, 14, 2, 1) },
		{ "CNTP_CVAL_EL0", REGISTER(3, 3, 14, 2, 2) },
		{ "ICC_PMR_EL1", REGISTER(3, 0, 4, 6, 0) },
		{ "ICC_CTLR_EL1", REGISTER(3, 0, 12, 12, 4) },
		{ "ICC_IGRPEN0_EL1", REGISTER(3, 0, 12, 12, 6) },
		{ "ICC_IGRPEN1_EL1", REGISTER(3, 0, 12, 12, 7) },
		{ "ZCR_EL1", REGISTER(3, 0, 1, 2, 0) },
		{ "SMCR_EL1", REGISTER(3, 0, 1, 2, 6) },
		{ "SVCR", REGISTER(3, 3, 4, 2, 2) },
		{ "TPIDR2_EL0", REGISTER(3, 3, 13, 0, 5) },
		{ "SMPRI_EL1", REGISTER(3, 0, 1, 2, 4) },
		{ "APIAKeyLo_EL1", REGISTER(3, 0, 2, 1, 0) },
		{ "APGAKeyHi_EL1", REGISTER(3, 0, 2, 3, 1) },
		{ "GCR_EL1", REGISTER(3, 0, 1, 0, 6) },
		{ "RGSR_EL1", REGISTER(3, 0, 1, 0, 5) },
		{ "TFSR_EL1", REGISTER(3, 0, 5, 6, 0) },
		{ "LORC_EL1", REGISTER(3, 0, 10, 4, 3) },
		{ "LORSA_EL1", REGISTER(3, 0, 10, 4, 0) },
		{ "ERRIDR_EL1", REGISTER(3, 0, 5, 3, 0) },
		{ "ERRSELR_EL1", REGISTER(3, 0, 5, 3, 1) },
		{ "SCXTNUM_EL1", REGISTER(3, 0, 13, 0, 7) },
		{ "SCXTNUM_EL0", REGISTER(3, 3, 13, 0, 7) },
		{ "AMCR_EL0", REGISTER(3, 3, 13, 2, 0) },
		{ "AMEVCNTR00_EL0", REGISTER(3, 3, 13, 4, 0) },
		{ "MPAM1_EL1", REGISTER(3, 0, 10, 5, 0) },
		{ "TCR2_EL1", REGISTER(3, 0, 2, 0, 3) },
		{ "SCTLR2_EL1", REGISTER(3, 0, 1, 0, 3) },
		{ "PIR_EL1", REGISTER(3, 0, 10, 2, 3) },
		{ "POR_EL1", REGISTER(3, 0, 10, 2, 4) },
		{ "ACCDATA_EL1", REGISTER(3, 0, 13, 0, 5) },
		{ "GCSPR_EL1", REGISTER(3, 0, 2, 5, 1) },
		{ "TRCAUXCTLR", REGISTER(2, 1, 0, 6, 0) },
		{ "implementation defined", REGISTER(3, 0, 15, 2, 0) },
		{ "L2CTLR_EL1", REGISTER(3, 1, 11, 0, 2) },
		{ "CPUACTLR_EL1", REGISTER(3, 1, 15, 2, 0) },
		{ "CPUECTLR_EL1", REGISTER(3, 1, 15, 2, 1) },
		{ "implementation defined by EL0", REGISTER(3, 3, 11, 0, 0) },
		{ "HCR_EL2", REGISTER(3, 4, 1, 1, 0) },
		{ "VTTBR_EL2", REGISTER(3, 4, 2, 1, 0) },
		{ "SP_EL2", REGISTER(3, 6, 4, 1, 0) },
		{ "SCR_EL3", REGISTER(3, 6, 1, 1, 0) },
	};
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	/* Its own CPACR_EL1 would trap SVE and SME, with their syndromes, before anything else. */
	el1.vcpu.system.cpacr_el1 = CPACR_ALL_ON;
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		expect_undefined(&el1, attempts[i].name, MRS(attempts[i].reg, 0));
		expect_undefined(&el1, attempts[i].name, MSR(attempts[i].reg, 0));
	}
	el1_end(world, &el1);
}

/* Whether this CPU lets EL2 see the instruction before it does anything. */
static bool traps(struct el1 *el1, uint32_t instruction)
{
	el1_program(el1, &instruction, 1);
	const struct vcpu_exit exit = el1_run(el1);

	return vcpu_exit_class(&exit) == VCPU_CLASS_SYSTEM_REGISTER;
}

/* They exist in every Armv8 CPU: read as zero, ignore what is written. */
TEST(guest_registers_that_say_nothing)
{
	static const struct attempt attempts[] = {
		{ "ACTLR_EL1", REGISTER(3, 0, 1, 0, 1) },
		{ "MDSCR_EL1", REGISTER(2, 0, 0, 2, 2) },
		{ "OSDLR_EL1", REGISTER(2, 0, 1, 3, 4) },
		{ "DBGBVR0_EL1", REGISTER(2, 0, 0, 0, 4) },
		{ "DBGWCR1_EL1", REGISTER(2, 0, 0, 1, 7) },
	};
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		EXPECT_EQUAL(try(&el1, MSR(attempts[i].reg, 0)), 0);
		EXPECT_EQUAL(try(&el1, MRS(attempts[i].reg, 0)), 0);
		EXPECT_EQUAL(el1.vcpu.x[0], 0);
	}
	EXPECT_TRUE(traps(&el1, MRS(attempts[0].reg, 0)));
	/* REVIDR_EL1 and AIDR_EL1 can only be read. */
	EXPECT_TRUE(traps(&el1, MRS(REGISTER(3, 0, 0, 0, 6), 0)));
	EXPECT_EQUAL(try(&el1, MRS(REGISTER(3, 0, 0, 0, 6), 0)), 0);
	EXPECT_EQUAL(el1.vcpu.x[0], 0);
	EXPECT_EQUAL(try(&el1, MRS(REGISTER(3, 1, 0, 0, 7), 0)), 0);
	EXPECT_EQUAL(el1.vcpu.x[0], 0);
	el1_end(world, &el1);
}

/* Every ID register, those of AArch32 and the reserved ones among them, reads as it is masked. */
TEST(guest_id_registers_are_masked)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	for (uint8_t crm = 1; crm < 8; crm++) {
		for (uint8_t op2 = 0; op2 < 8; op2++) {
			const struct id_register id = { crm, op2 };

			EXPECT_EQUAL(try(&el1, MRS(REGISTER(3, 0, 0, crm, op2), 0)), 0);
			EXPECT_EQUAL(el1.vcpu.x[0],
				     id_register_for_guest(id, id_register_read(id)));
		}
	}
	/* XZR as the target is no register. */
	EXPECT_EQUAL(try(&el1, MRS(REGISTER(3, 0, 0, 7, 0), 31)), 0);
	EXPECT_EQUAL(el1.vcpu.x[0], MARK);
	expect_undefined(&el1, "a write of ID_AA64PFR0_EL1", MSR(REGISTER(3, 0, 0, 4, 0), 0));
	el1_end(world, &el1);
}

/* While its Stage 1 is off a guest's writes of what controls it are trapped, and must arrive. */
TEST(guest_stage1_controls_are_written)
{
	static const struct attempt attempts[] = {
		{ "TTBR0_EL1", REGISTER(3, 0, 2, 0, 0) },
		{ "TTBR1_EL1", REGISTER(3, 0, 2, 0, 1) },
		{ "TCR_EL1", REGISTER(3, 0, 2, 0, 2) },
		{ "ESR_EL1", REGISTER(3, 0, 5, 2, 0) },
		{ "FAR_EL1", REGISTER(3, 0, 6, 0, 0) },
		{ "MAIR_EL1", REGISTER(3, 0, 10, 2, 0) },
		{ "CONTEXTIDR_EL1", REGISTER(3, 0, 13, 0, 1) },
	};
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		const uint32_t words[] = { MSR(attempts[i].reg, 0), MRS(attempts[i].reg, 1),
					   EL1_CALL(0) };

		el1_program(&el1, words, COUNT_OF(words));
		el1.vcpu.x[0] = 0x12345000 + i;
		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
		EXPECT_EQUAL(el1.vcpu.x[1], 0x12345000 + i);
	}
	el1_end(world, &el1);
}

/* DC ISW, CSW, CISW: done, as far as the guest can tell. */
TEST(guest_maintenance_by_set_and_way_does_nothing)
{
	static const uint8_t crm[] = { 6, 10, 14 };
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	for (size_t i = 0; i < COUNT_OF(crm); i++)
		EXPECT_EQUAL(try(&el1, MSR(REGISTER(1, 0, 7, crm[i], 2), 31)), 0);
	EXPECT_TRUE(traps(&el1, MSR(REGISTER(1, 0, 7, crm[0], 2), 31)));
	el1_end(world, &el1);
}

TEST(guest_waits_and_monitor_calls_come_here)
{
	static const struct {
		uint32_t instruction;
		enum vcpu_exit_class class;
	} cases[] = {
		{ WFI, VCPU_CLASS_WAIT },
		{ SMC | 42u << 5, VCPU_CLASS_MONITOR_CALL },
	};
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_vectors));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const uint32_t words[] = { cases[i].instruction, EL1_CALL(0) };

		el1_program(&el1, words, COUNT_OF(words));
		struct vcpu_exit exit = el1_run(&el1);

		EXPECT_EQUAL(vcpu_exit_class(&exit), cases[i].class);
		if (cases[i].class == VCPU_CLASS_MONITOR_CALL)
			EXPECT_EQUAL(vcpu_exit_immediate(&exit), 42);
		/* The program counter is at the instruction; skipped, the guest goes on behind it. */
		EXPECT_EQUAL(el1.vcpu.pc, EL1_PROGRAM);
		vcpu_skip_instruction(&el1.vcpu);
		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	}
	el1_end(world, &el1);
}
