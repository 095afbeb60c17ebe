/* SPDX-License-Identifier: BSD-3-Clause */
/* Into a guest and out of it: what the guest sees, what comes back, and what stays ours. */
#include <aarch64/exception.h>
#include <aarch64/registers.h>
#include "el1.h"
#include "harness.h"

/* FPCR, which Clang knows by name only where the compiler itself may use FP. */
#define REGISTER_FPCR S3_3_C4_C4_0

#define CPACR_FP_ON (UINT64_C(3) << 20)
#define PATTERN UINT64_C(0x1122334455667700)

TEST(guest_general_registers_go_in_and_come_back)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_add_one));
	for (unsigned int i = 0; i < 31; i++)
		el1.vcpu.x[i] = PATTERN * (i + 1);
	for (unsigned int run = 1; run <= 3; run++) {
		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
		for (unsigned int i = 0; i < 31; i++)
			EXPECT_EQUAL(el1.vcpu.x[i], PATTERN * (i + 1) + run * (i + 1));
	}
	el1_end(world, &el1);
}

TEST(guest_vector_registers_go_in_and_come_back)
{
	struct el1 el1;
	const uint64_t host_fpcr = register_read(REGISTER_FPCR);

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_invert_vectors));
	el1.vcpu.system.cpacr_el1 = CPACR_FP_ON;
	el1.vcpu.vector.fpcr = UINT64_C(1) << 22;
	el1.vcpu.vector.fpsr = 1;
	for (unsigned int i = 0; i < 32; i++)
		for (unsigned int byte = 0; byte < 16; byte++)
			el1.vcpu.vector.v[i][byte] = (uint8_t)(i * 16 + byte);

	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	for (unsigned int i = 0; i < 32; i++)
		for (unsigned int byte = 0; byte < 16; byte++)
			EXPECT_EQUAL(el1.vcpu.vector.v[i][byte], (uint8_t) ~(i * 16 + byte));
	EXPECT_EQUAL(el1.vcpu.x[0], UINT64_C(1) << 22);
	EXPECT_EQUAL(el1.vcpu.x[1], 1);
	EXPECT_EQUAL(el1.vcpu.vector.fpcr, UINT64_C(3) << 22);
	EXPECT_EQUAL(el1.vcpu.vector.fpsr, 0x1f);
	EXPECT_EQUAL(register_read(REGISTER_FPCR), host_fpcr);
	el1_end(world, &el1);
}

static struct vcpu_system_registers distinct_registers(void)
{
	return (struct vcpu_system_registers){
		.sctlr_el1 = SCTLR_EL1_RES1,
		.cpacr_el1 = CPACR_FP_ON,
		.ttbr0_el1 = 0x40001000,
		.ttbr1_el1 = 0x40002000,
		.tcr_el1 = 0x3519,
		.mair_el1 = 0x44ff,
		.vbar_el1 = EL1_VECTORS,
		.esr_el1 = 0x1234,
		.far_el1 = 0x5678,
		.par_el1 = 0x1,
		.elr_el1 = 0x9abc,
		.spsr_el1 = 0x3c5,
		.sp_el0 = 0xdef0,
		.sp_el1 = 0x12340,
		.tpidr_el0 = 0x10,
		.tpidrro_el0 = 0x20,
		.tpidr_el1 = 0x30,
		.contextidr_el1 = 0x40,
		.csselr_el1 = 0x2,
		.cntkctl_el1 = 0x3,
		.cntv_cval_el0 = 0x123456789,
		.cntv_ctl_el0 = 0x2,
		.vmpidr_el2 = 0x80000005,
		.vpidr_el2 = 0x410fd999,
	};
}

static void expect_list(const uint64_t *is, const uint64_t *expected, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is[i] != expected[i])
			FAIL("register %zu is 0x%llx, not 0x%llx", i, (unsigned long long)is[i],
			     (unsigned long long)expected[i]);
}

static void expect_shown(const struct vcpu *vcpu, const struct vcpu_system_registers *system)
{
	uint64_t expected[24];

	el1_registers_to_list(system, expected);
	expected[20] = system->vmpidr_el2;
	expected[21] = system->vpidr_el2;
	expected[22] = system->sctlr_el1;
	expected[23] = UINT64_C(1) << 2; /* CurrentEL: 1 */
	expect_list(vcpu->x, expected, COUNT_OF(expected));
}

/* What the guest writes is in its structure after the exit, and another's run changes none of it. */
TEST(guest_writes_of_system_registers_come_back)
{
	const struct vcpu_system_registers distinct = distinct_registers();
	uint64_t expected[20], is[20];
	struct vcpu_exit exit;
	struct vcpu other;
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_write_registers));
	el1_registers_to_list(&distinct, el1.vcpu.x);
	el1_registers_to_list(&distinct, expected);
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	el1_registers_to_list(&el1.vcpu.system, is);
	expect_list(is, expected, COUNT_OF(is));

	el1_program(&el1, EL1_PROGRAM_OF(el1_show_registers));
	vcpu_reset(&other, iaddr(EL1_PROGRAM), 1);
	vcpu_run(&other, &exit);
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	expect_list(el1.vcpu.x, expected, COUNT_OF(expected));
	el1_end(world, &el1);
}

/* The guest's clock is ours less its offset. */
TEST(guest_counts_from_its_own_zero)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_count));
	const uint64_t start = register_read(cntpct_el0);

	el1.vcpu.system.cntvoff_el2 = start;
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	EXPECT_TRUE(el1.vcpu.x[0] <= register_read(cntpct_el0) - start);
	el1_end(world, &el1);
}

/* Two virtual CPUs by turns: each reads its own registers, and nothing of the other's. */
TEST(guest_system_registers_are_its_own)
{
	struct el1 el1;
	struct vcpu other;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_show_registers));
	vcpu_reset(&other, iaddr(EL1_PROGRAM), 1);
	const struct vcpu_system_registers reset = other.system;
	const struct vcpu_system_registers distinct = distinct_registers();

	el1.vcpu.system = distinct;
	for (unsigned int turn = 0; turn < 3; turn++) {
		struct vcpu_exit exit;

		el1.vcpu.pc = EL1_PROGRAM;
		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
		expect_shown(&el1.vcpu, &distinct);

		other.pc = EL1_PROGRAM;
		vcpu_run(&other, &exit);
		EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_HYPERCALL);
		expect_shown(&other, &reset);
	}
	el1_end(world, &el1);
}

TEST(guest_leaves_our_registers_alone)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_show_registers));
	el1.vcpu.system = distinct_registers();
	el1.vcpu.system.cntv_ctl_el0 = 1; /* its timer runs, unmasked, and is long due */
	el1.vcpu.system.cntv_cval_el0 = 0;
	register_write(tpidr_el0, PATTERN);
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);

	EXPECT_EQUAL(register_read(tpidr_el0), PATTERN);
	EXPECT_EQUAL(register_read(cntv_ctl_el0) & 1, 0);
	EXPECT_EQUAL(el1.vcpu.system.cntv_ctl_el0, 5); /* ISTATUS: it fired */
	el1_end(world, &el1);
}

/* AAPCS64: the lower halves of v8 to v15 belong to whoever called vcpu_run. */
TEST(guest_leaves_our_vector_registers_alone)
{
	struct el1 el1;
	uint64_t is[8] = { 0 };

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_invert_vectors));
	el1.vcpu.system.cpacr_el1 = CPACR_FP_ON;
	__asm__ volatile(".arch_extension fp\n\t"
			 "fmov d8, %0\n\tfmov d9, %0\n\tfmov d10, %0\n\tfmov d11, %0\n\t"
			 "fmov d12, %0\n\tfmov d13, %0\n\tfmov d14, %0\n\tfmov d15, %0"
			 :
			 : "r"(PATTERN));
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	__asm__ volatile(".arch_extension fp\n\t"
			 "stp d8, d9, [%0]\n\tstp d10, d11, [%0, #16]\n\t"
			 "stp d12, d13, [%0, #32]\n\tstp d14, d15, [%0, #48]"
			 :
			 : "r"(is)
			 : "memory");
	for (size_t i = 0; i < COUNT_OF(is); i++)
		EXPECT_EQUAL(is[i], PATTERN);
	el1_end(world, &el1);
}

/* While its Stage 1 is off a guest's memory is Normal write-back: as AT finds it after a run. */
TEST(guest_without_stage1_has_write_back_memory)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_load));
	el1.vcpu.x[0] = EL1_DATA;
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	__asm__ volatile("at s12e1r, %0\n\tisb" : : "r"(EL1_DATA) : "memory");
	const uint64_t par = register_read(par_el1);

	EXPECT_EQUAL(par & 1, 0);
	EXPECT_EQUAL(par & UINT64_C(0xfffffffff000), el1.data.value);
	EXPECT_EQUAL(par >> 56, 0xff);
	el1_end(world, &el1);
}

/* Where EL0 may be AArch32, a guest that goes there is served all the same. */
TEST(guest_may_go_to_aarch32)
{
	const uint64_t el0 = register_read(id_aa64pfr0_el1) & 0xf;
	struct el1 el1;

	if (el0 != 2)
		return;
	el1_start(world, &el1, EL1_PROGRAM_OF(el1_thumb_wait));
	el1.vcpu.pstate = 0x30;		       /* User mode, T32 */
	el1.vcpu.system.sctlr_el1 |= 1u << 16; /* nTWI */
	struct vcpu_exit exit = el1_run(&el1);

	EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_WAIT);
	vcpu_skip_instruction(&el1.vcpu);
	EXPECT_EQUAL(el1.vcpu.pc, EL1_PROGRAM + 2);
	/* The system call goes to EL1, at the vector for AArch32 below it. */
	EXPECT_EQUAL(el1_run_to_call(&el1), EL1_VECTOR_CALL + 12);
	el1_end(world, &el1);
}

/* A guest sees new memory at an address that it used before, at once and each time. */
TEST(guest_sees_a_replaced_page)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_load));
	el1.vcpu.x[0] = EL1_DATA;
	world_write(el1.data, 0);
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	EXPECT_EQUAL(el1.vcpu.x[1], 0);

	for (uint64_t round = 1; round < 5; round++) {
		frame_t frame = world_frame(world);
		struct cursor cursor;

		world_write(frame.paddr, round);
		EXPECT_OK(cursor_open(&el1.space,
				      irange(iaddr(EL1_DATA), iaddr(EL1_DATA + PAGE_SIZE)),
				      CURSOR_MUTABLE, &cursor));
		EXPECT_OK(
			cursor_replace(&cursor, &frame,
				       page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK)));
		cursor_close(&cursor);
		EXPECT_EQUAL(el1_run_to_call(&el1), 0);
		EXPECT_EQUAL(el1.vcpu.x[1], round);
	}
	el1_end(world, &el1);
}

TEST(guest_abort_is_reported_and_injected)
{
	struct el1 el1;
	struct stage2_abort abort;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_store));
	el1.vcpu.x[0] = EL1_UNMAPPED + 0x128;
	struct vcpu_exit exit = el1_run(&el1);

	EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_STAGE2_ABORT);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.ipa.value, EL1_UNMAPPED + 0x128);
	EXPECT_EQUAL(abort.access, STAGE2_WRITE);
	EXPECT_EQUAL(abort.fault, STAGE2_FAULT_TRANSLATION);
	EXPECT_EQUAL(el1.vcpu.pc, EL1_PROGRAM);

	vcpu_inject_data_abort(&el1.vcpu, abort.va, true);
	EXPECT_EQUAL(el1_run_to_call(&el1), EL1_VECTOR_CALL + 4);
	EXPECT_EQUAL(el1.vcpu.system.esr_el1, 0x25u << 26 | 1u << 25 | 0x50);
	EXPECT_EQUAL(el1.vcpu.system.far_el1, EL1_UNMAPPED + 0x128);
	EXPECT_EQUAL(el1.vcpu.system.elr_el1, EL1_PROGRAM);

	/* Served instead, the same store is tried again and succeeds. */
	const struct paddr page = el1_map(world, &el1, EL1_UNMAPPED, PAGE_READ | PAGE_WRITE);

	el1.vcpu.pc = EL1_PROGRAM;
	el1.vcpu.x[1] = PATTERN;
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	EXPECT_EQUAL(world_read(paddr(page.value + 0x128)), PATTERN);
	el1_end(world, &el1);
}

/* Mode bits that no guest may have become EL1h: the guest runs, at EL1. */
TEST(guest_never_runs_at_el2)
{
	struct el1 el1;

	el1_start(world, &el1, EL1_PROGRAM_OF(el1_show_registers));
	el1.vcpu.pstate = (el1.vcpu.pstate & ~UINT64_C(0x1f)) | 0x9; /* EL2h */
	EXPECT_EQUAL(el1_run_to_call(&el1), 0);
	EXPECT_EQUAL(el1.vcpu.x[23], UINT64_C(1) << 2);
	el1_end(world, &el1);
}
