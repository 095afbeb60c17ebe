/* SPDX-License-Identifier: BSD-3-Clause */
/* Syndromes as CPUs report them, and what is read out of them (Arm ARM D19.2.37). */
#include <aarch64/vcpu.h>
#include "harness.h"

#define DATA_ABORT 0x24u
#define FETCH_ABORT 0x20u

static struct vcpu_exit abort_exit(uint64_t class, uint64_t iss, uint64_t far, uint64_t hpfar)
{
	return (struct vcpu_exit){
		.reason = VCPU_EXIT_SYNCHRONOUS,
		.syndrome = class << 26 | UINT64_C(1) << 25 | iss,
		.far = far,
		.hpfar = hpfar,
	};
}

TEST(exit_class_of_each_syndrome)
{
	static const struct {
		uint64_t syndrome;
		enum vcpu_exit_class class;
	} cases[] = {
		{ 0x93c2804f, VCPU_CLASS_STAGE2_ABORT }, /* store, permission, level 3 */
		{ 0x82000007, VCPU_CLASS_STAGE2_ABORT }, /* fetch, translation, level 3 */
		{ 0x5a000001, VCPU_CLASS_HYPERCALL },	 /* HVC #1 */
		{ 0x5e000000, VCPU_CLASS_MONITOR_CALL }, /* SMC #0 */
		{ 0x07e00000, VCPU_CLASS_WAIT },	 /* WFI */
		{ 0x07e00001, VCPU_CLASS_WAIT },	 /* WFE */
		{ 0x62300001, VCPU_CLASS_SYSTEM_REGISTER },
		{ 0x92000010, VCPU_CLASS_GUEST_FAULT }, /* external abort */
		{ 0x92000030, VCPU_CLASS_GUEST_FAULT }, /* TLB conflict */
		{ 0x92000021, VCPU_CLASS_GUEST_FAULT }, /* alignment */
		{ 0x82000014, VCPU_CLASS_GUEST_FAULT }, /* external abort on a walk */
		{ 0x02000000, VCPU_CLASS_OTHER },	/* unknown */
		{ 0x1e000000, VCPU_CLASS_OTHER },	/* SVE, SIMD, FP */
		{ 0x26000000, VCPU_CLASS_OTHER },	/* pointer authentication */
		{ 0x66000000, VCPU_CLASS_OTHER },	/* SVE */
		{ 0x0e000000, VCPU_CLASS_OTHER },	/* AArch32 MCR */
		{ 0x96000045, VCPU_CLASS_OTHER },	/* EL2's own data abort: never a guest's */
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vcpu_exit exit = { .reason = VCPU_EXIT_SYNCHRONOUS,
					  .syndrome = cases[i].syndrome };

		EXPECT_EQUAL(vcpu_exit_class(&exit), cases[i].class);
		/* The syndrome of an interrupt is whatever was there before. */
		exit.reason = VCPU_EXIT_IRQ;
		EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_OTHER);
	}
}

TEST(exit_immediate_is_16_bits)
{
	const struct vcpu_exit exit = { .syndrome = 0x5a00ffff };

	EXPECT_EQUAL(vcpu_exit_immediate(&exit), 0xffff);
}

TEST(abort_address_is_exact_to_the_byte)
{
	struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x07, 0xffff000012345678, 0x100010);
	struct stage2_abort abort;

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.ipa.value, 0x10001678);
	EXPECT_TRUE(abort.va_valid);
	EXPECT_EQUAL(abort.va, 0xffff000012345678);
	EXPECT_FALSE(abort.table_walk);
}

/* FAR is the address whose translation needed the walk; where in its page the descriptor lies is
 * not known. */
TEST(abort_of_a_table_walk_names_the_page)
{
	struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x87, 0x12345678, 0x100010);
	struct stage2_abort abort;

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.ipa.value, 0x10001000);
	EXPECT_TRUE(abort.table_walk);
	EXPECT_EQUAL(abort.access, STAGE2_READ);

	/* A store whose walk faults reads the table, as does a fetch. */
	exit = abort_exit(DATA_ABORT, 0xc7, 0x12345678, 0x100010);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_READ);
	exit = abort_exit(FETCH_ABORT, 0x86, 0x12345678, 0x100010);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_READ);
	EXPECT_EQUAL(abort.level, 2);

	/* Hardware that may read the table and not update it. */
	exit = abort_exit(DATA_ABORT, 0x8f, 0x12345678, 0x100010);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_WRITE);
}

TEST(abort_says_what_was_tried)
{
	struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x4f, 0, 0);
	struct stage2_abort abort;

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_WRITE);
	exit = abort_exit(DATA_ABORT, 0x0f, 0, 0);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_READ);
	exit = abort_exit(FETCH_ABORT, 0x0f, 0, 0);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access, STAGE2_EXECUTE);
}

TEST(abort_fault_and_level_of_each_status)
{
	static const enum stage2_fault faults[] = { STAGE2_FAULT_ADDRESS_SIZE,
						    STAGE2_FAULT_TRANSLATION,
						    STAGE2_FAULT_ACCESS_FLAG,
						    STAGE2_FAULT_PERMISSION };

	for (uint64_t status = 0; status < 64; status++) {
		const struct vcpu_exit exit = abort_exit(DATA_ABORT, status, 0x42, 0x10);
		struct stage2_abort abort;

		EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
		if (status < 16) {
			EXPECT_EQUAL(abort.fault, faults[status / 4]);
			EXPECT_EQUAL((uint64_t)abort.level, status % 4);
			EXPECT_EQUAL(abort.ipa.value, 0x1042);
		} else {
			EXPECT_EQUAL(abort.fault, STAGE2_FAULT_OTHER);
			EXPECT_EQUAL((uint64_t)abort.level, (uint64_t)-1);
			EXPECT_EQUAL(abort.ipa.value, 0);
		}
	}
}

/* What a device would be told: ISS as QEMU gives it for LDR W2 and LDRSB. */
TEST(abort_describes_the_instruction)
{
	struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x1828007, 0, 0); /* SAS 2, SRT 2, SF */
	struct stage2_abort abort;

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_TRUE(abort.instruction_described);
	EXPECT_EQUAL(abort.access_bytes, 4);
	EXPECT_EQUAL(abort.access_register, 2);
	EXPECT_FALSE(abort.access_sign_extends);

	exit = abort_exit(DATA_ABORT, 0x13f0007, 0, 0); /* SAS 0, SSE, SRT 31 */
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.access_bytes, 1);
	EXPECT_EQUAL(abort.access_register, 31);
	EXPECT_TRUE(abort.access_sign_extends);

	exit = abort_exit(DATA_ABORT, 0xc28007, 0, 0); /* ISV clear: LDP, for instance */
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_FALSE(abort.instruction_described);

	/* Bit 24 of a fetch abort is reserved and describes nothing. */
	exit = abort_exit(FETCH_ABORT, 0x1000007, 0, 0);
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_FALSE(abort.instruction_described);
}

TEST(abort_without_a_known_ipa_is_nobodys_to_serve)
{
	struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x0f, 0x1234, 0xdead0);
	struct stage2_abort abort;

	exit.ipa_unknown = true;
	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL(abort.fault, STAGE2_FAULT_OTHER);
	EXPECT_EQUAL(abort.ipa.value, 0);
	EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_GUEST_FAULT);
}

/* FnV: an external abort may leave FAR unknown. */
TEST(abort_without_far_has_no_va)
{
	const struct vcpu_exit exit = abort_exit(DATA_ABORT, 0x410, 0x1234, 0);
	struct stage2_abort abort;

	EXPECT_TRUE(stage2_abort_decode(&exit, &abort));
	EXPECT_FALSE(abort.va_valid);
	EXPECT_EQUAL(abort.va, 0);
}

TEST(abort_decode_refuses_what_is_none)
{
	struct vcpu_exit exit = abort_exit(0x16, 0, 0, 0);
	struct stage2_abort abort = { .level = 42 };

	EXPECT_FALSE(stage2_abort_decode(&exit, &abort));
	exit = abort_exit(DATA_ABORT, 0x07, 0, 0);
	exit.reason = VCPU_EXIT_SERROR;
	EXPECT_FALSE(stage2_abort_decode(&exit, &abort));
	EXPECT_EQUAL((uint64_t)abort.level, 42);
}
