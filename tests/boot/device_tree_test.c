/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up reads from a device tree. */
#include "parsed_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)

static void everything_is_read(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	expect_parsed(&plan);
	assert_string_equal(info.model, "a board made for tests");
	assert_string_equal(info.command_line, "log=debug exit=semihosting");
	assert_int_equal(info.memory_count, 1);
	expect_ram(0, GIB, 2 * GIB);
	assert_int_equal(info.reserved_count, 0);
	assert_int_equal(info.initrd.start.value, plan.initrd_start);
	assert_int_equal(info.initrd.end.value, plan.initrd_end);
	assert_int_equal(info.uart.value, PLAN_UART);
	assert_int_equal(info.gic, BOOT_GIC_V3);
	assert_int_equal(info.gic_regions[1].start.value, 0x080a0000);
	assert_int_equal(info.gic_regions[1].end.value, 0x09000000);
	assert_int_equal(info.device_count, 3);
	assert_string_equal(info.devices[0].name, "pl011@9000000");
	assert_int_equal(info.psci, BOOT_PSCI_SMC);
	assert_int_equal(info.cpu_count, 4);
}

static void what_is_optional_may_be_missing(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.has_chosen = false;
	plan.gic_compatible = NULL;
	plan.psci_method = NULL;
	plan.cpus = 0;
	expect_parsed(&plan);
	assert_string_equal(info.command_line, "");
	assert_true(prange_is_empty(info.initrd));
	assert_int_equal(info.uart.value, PLAN_UART);
	assert_int_equal(info.gic, BOOT_GIC_NONE);
	assert_int_equal(info.psci, BOOT_PSCI_NONE);
	assert_int_equal(info.cpu_count, 0);
}

static void initrd_of_one_cell(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.initrd_cells = 1;
	expect_parsed(&plan);
	assert_int_equal(info.initrd.start.value, plan.initrd_start);
	assert_int_equal(info.initrd.end.value, plan.initrd_end);
}

static void controllers_of_version_2(void **state)
{
	static const char *const names[] = { "arm,cortex-a15-gic", "arm,gic-400" };
	struct tree_plan plan = tree_plan();

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		plan.gic_compatible = names[i];
		expect_parsed(&plan);
		assert_int_equal(info.gic, BOOT_GIC_V2);
	}
	plan.psci_method = "hvc";
	expect_parsed(&plan);
	assert_int_equal(info.psci, BOOT_PSCI_HVC);
}

/* Which console is taken: stdout-path, an alias with options, or the first PL011 that is enabled. */
static void console_is_chosen(void **state)
{
	static const struct {
		const char *path, *alias;
		bool disabled;
		uint64_t uart;
	} cases[] = {
		{ "/pl011@9040000", NULL, false, PLAN_SECOND_UART },
		{ "/pl011@9040000:115200", NULL, false, PLAN_SECOND_UART },
		{ "serial0:115200n8", "/pl011@9040000", false, PLAN_SECOND_UART },
		{ "serial0", "serial0", false, PLAN_UART }, /* an alias of itself */
		{ "serial1", "/pl011@9040000", false, PLAN_UART },
		{ "/psci", NULL, false, PLAN_UART },
		{ "", NULL, false, PLAN_UART },
		{ NULL, NULL, false, PLAN_UART },
		{ NULL, NULL, true, PLAN_SECOND_UART },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree_plan plan = tree_plan();

		plan.second_uart = true;
		plan.stdout_path = cases[i].path;
		plan.alias = cases[i].alias;
		plan.uart_disabled = cases[i].disabled;
		expect_parsed(&plan);
		assert_int_equal(info.uart.value, cases[i].uart);
	}
}

/* Whatever has an address and is not memory; those used are not said again. */
static void unused_devices_are_listed(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.reserved_count = 1;
	plan.reserved[0] =
		(struct plan_reserved){ "a@50000000", { 0x50000000, 0x1000 }, true, false };
	expect_parsed(&plan);
	assert_int_equal(info.unused_device_count, 0);

	plan.second_uart = true;
	plan.timers = 2;
	expect_parsed(&plan);
	assert_int_equal(info.device_count, 3);
	assert_int_equal(info.unused_device_count, 3);
	assert_string_equal(info.unused_devices[0].name, "pl011@9040000");
	assert_string_equal(info.unused_devices[1].name, "timer@9fffe00");
	assert_string_equal(info.unused_devices[2].name, "timer@a000000");
	assert_int_equal(info.unused_devices[2].range.start.value, PLAN_TIMERS);
	assert_int_equal(info.unused_devices[2].range.end.value, PLAN_TIMERS + PLAN_TIMER_SIZE);

	plan.uart_on_bus = true;
	plan.bus_without_ranges = true; /* no address that the CPU has */
	expect_parsed(&plan);
	assert_int_equal(info.unused_device_count, 3);
}

static void too_many_unused_devices_are_counted(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.timers = BOOT_RANGES_MAX;
	expect_parsed(&plan);
	assert_int_equal(info.unused_device_count, BOOT_RANGES_MAX);
	assert_int_equal(info.unlisted_device_count, 0);
	plan.timers = BOOT_RANGES_MAX + 7;
	expect_parsed(&plan);
	assert_int_equal(info.unused_device_count, BOOT_RANGES_MAX);
	assert_int_equal(info.unlisted_device_count, 7);
}

static void bus_addresses_are_translated(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.has_uart = false;
	plan.uart_on_bus = true;
	expect_parsed(&plan);
	assert_int_equal(info.uart.value, PLAN_BUS_UART);
	assert_int_equal(info.devices[0].range.start.value, PLAN_BUS_UART);
	assert_int_equal(info.devices[0].range.end.value, PLAN_BUS_UART + PAGE_SIZE);
}

static void text_without_an_end_is_no_text(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.bootargs_unterminated = true;
	expect_parsed(&plan);
	assert_string_equal(info.command_line, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(what_is_optional_may_be_missing),
		cmocka_unit_test(initrd_of_one_cell),
		cmocka_unit_test(controllers_of_version_2),
		cmocka_unit_test(console_is_chosen),
		cmocka_unit_test(unused_devices_are_listed),
		cmocka_unit_test(too_many_unused_devices_are_counted),
		cmocka_unit_test(bus_addresses_are_translated),
		cmocka_unit_test(text_without_an_end_is_no_text),
	};

	return cmocka_run_group_tests_name("device tree", tests, NULL, NULL);
}
