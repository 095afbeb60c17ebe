/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up reads of the CPUs, and that what is wrong with one concerns it alone. */
#include "parsed_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void cpus_that_firmware_starts(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	expect_parsed(&plan);
	assert_int_equal(info.psci_cpu_on, 0xc4000003);
	assert_int_equal(info.psci_system_off, 0x84000008);
	assert_int_equal(info.cpu_count, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(info.cpus[i].affinity, i);
		assert_int_equal(info.cpus[i].method, BOOT_CPU_PSCI);
		assert_null(info.cpus[i].problem);
	}
	assert_string_equal(info.cpus[3].name, "cpu@3");
}

static void cpus_that_wait_in_memory(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.cpu_method = NULL;
	plan.common_method = "spin-table";
	plan.cpu_cells = 2;
	plan.odd_cpu = UINT64_C(0x8100010203);
	for (plan.release_cells = 1; plan.release_cells <= 2; plan.release_cells++) {
		expect_parsed(&plan);
		assert_int_equal(info.cpus[1].affinity, plan.odd_cpu);
		assert_int_equal(info.cpus[1].method, BOOT_CPU_SPIN_TABLE);
		assert_int_equal(info.cpus[1].release.value, PLAN_RELEASE);
		assert_null(info.cpus[1].problem);
		assert_string_equal(info.cpus[2].problem,
				    "it has no cpu-release-addr that is an address");

		/* Nobody else may have that page. */
		assert_int_equal(info.reserved_count, 1);
		assert_int_equal(info.reserved[0].range.start.value, PLAN_RELEASE & ~0xfff);
		assert_int_equal(info.reservations[0].usage, PAGE_RESERVED);
	}
	plan.reserved[0] = (struct plan_reserved){ .name = "firmware",
						   .range = { PLAN_RELEASE & ~0xffff, 0x10000 } };
	plan.reserved_count = 1;
	plan.release_cells = 2;
	expect_parsed(&plan);
	assert_int_equal(info.reserved_count, 1);
}

/* What is wrong with one CPU is said of that one. */
static void cpus_that_cannot_be_started(void **state)
{
	static const struct {
		uint64_t number, release;
		unsigned int cells;
		const char *method, *status, *psci, *problem;
	} cases[] = {
		{ 1, 0, 1, "psci", "disabled", "smc", NULL },
		{ 1, 0, 1, "psci", "fail", "smc", "its status says so" },
		{ 1, 0, 1, "psci", "reserved", "smc", "its status says so" },
		{ 1, 0, 1, "psci", NULL, "hvc", NULL },
		{ 1, 0, 1, "psci", NULL, NULL, "there is no usable PSCI node" },
		{ 1, 0, 1, "psci", NULL, "magic", "the method of PSCI is neither smc nor hvc" },
		{ 1, 0, 1, NULL, NULL, "smc", "it has no enable-method" },
		{ 1, 0, 1, "psc", NULL, "smc", "its enable-method is neither psci nor spin-table" },
		{ 0, 0, 1, "psci", NULL, "smc", "another CPU has its reg" },
		{ 0x1000000, 0, 1, "psci", NULL, "smc",
		  "its reg is not the affinity of an MPIDR_EL1" },
		{ UINT64_C(1) << 40, 0, 2, "psci", NULL, "smc",
		  "its reg is not the affinity of an MPIDR_EL1" },
		{ UINT64_MAX, 0, 2, "psci", NULL, "smc",
		  "its reg is not the affinity of an MPIDR_EL1" },
		{ 1, 0, 3, "psci", NULL, "smc", "its reg is not the affinity of an MPIDR_EL1" },
		{ 1, PLAN_RELEASE + 4, 1, "spin-table", NULL, "smc",
		  "its cpu-release-addr is no address of a doubleword" },
		{ 1, UINT64_C(1) << 48, 1, "spin-table", NULL, "smc",
		  "its cpu-release-addr is no address of a doubleword" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree_plan plan = tree_plan();

		plan.odd_cpu = cases[i].number;
		plan.release = cases[i].release;
		plan.cpu_cells = cases[i].cells;
		plan.cpu_method = cases[i].method;
		plan.odd_status = cases[i].status;
		plan.psci_method = cases[i].psci;
		expect_parsed(&plan);
		assert_int_equal(info.cpu_count, 4);
		if (cases[i].problem == NULL) {
			assert_null(info.cpus[1].problem);
			continue;
		}
		assert_non_null(info.cpus[1].problem);
		assert_string_equal(info.cpus[1].problem, cases[i].problem);
		assert_int_equal(info.reserved_count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_that_firmware_starts),
		cmocka_unit_test(cpus_that_wait_in_memory),
		cmocka_unit_test(cpus_that_cannot_be_started),
	};

	return cmocka_run_group_tests_name("device tree, CPUs", tests, NULL, NULL);
}
