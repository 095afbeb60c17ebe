/* SPDX-License-Identifier: BSD-3-Clause */
/* Into a guest and out of it: what the guest sees, what comes back, and what stays ours. */
#include <aarch64/exception.h>
#include <aarch64/registers.h>
#include "el1.h"
#include "harness.h"

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
	const uint64_t host_fpcr = register_read(fpcr);

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
	EXPECT_EQUAL(register_read(fpcr), host_fpcr);
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

static void expect_shown(const struct vcpu *vcpu, const struct vcpu_system_registers *system)
{
	const uint64_t expected[] = {
		system->cpacr_el1,   system->ttbr0_el1,	     system->ttbr1_el1,
		system->tcr_el1,     system->mair_el1,	     system->vbar_el1,
		system->esr_el1,     system->far_el1,	     system->par_el1,
		system->elr_el1,     system->spsr_el1,	     system->sp_el0,
		system->sp_el1,	     system->tpidr_el0,	     system->tpidrro_el0,
		system->tpidr_el1,   system->contextidr_el1, system->csselr_el1,
		system->cntkctl_el1, system->cntv_cval_el0,  system->vmpidr_el2,
		system->vpidr_el2,   system->sctlr_el1,	     UINT64_C(1) << 2,
	};

	for (size_t i = 0; i < COUNT_OF(expected); i++)
		if (vcpu->x[i] != expected[i])
			FAIL("the guest read 0x%llx as register %zu, not 0x%llx",
			     (unsigned long long)vcpu->x[i], i, (unsigned long long)expected[i]);
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

TEST(probe_read_survives_an_abort)
{
	static const uint64_t word = PATTERN;
	const struct irange window = world_el2_window(world);
	uint64_t value = 1;

	EXPECT_TRUE(probe_read(&word, &value));
	EXPECT_EQUAL(value, PATTERN);
	value = 1;
	EXPECT_FALSE(probe_read((const void *)(uintptr_t)window.start.value, &value));
	EXPECT_FALSE(probe_read((const void *)(uintptr_t)(UINT64_C(1) << 60), &value));
	EXPECT_EQUAL(value, 1);
}
