/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up reads from a device tree, and which trees it refuses. */
#include "tree.h"

#include <device_tree.h>
#include <memory_map.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static _Alignas(8) uint8_t blob[TREE_BYTES];
static struct boot_info info;
static struct boot_error error;

static bool parse(const struct tree_plan *plan)
{
	memset(&error, 0, sizeof(error));
	return device_tree_parse(blob, tree_make(plan, blob), &info, &error);
}

static void expect_parsed(const struct tree_plan *plan)
{
	if (!parse(plan))
		fail_msg("refused: %s", error.text);
}

static void expect_ram(size_t index, uint64_t start, uint64_t end)
{
	assert_true(index < info.memory_count);
	assert_int_equal(info.memory[index].start.value, start);
	assert_int_equal(info.memory[index].end.value, end);
}

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

static void memory_is_sorted_and_joined(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memory_count = 5;
	plan.memory[0] = (struct plan_range){ 8 * GIB, GIB };
	plan.memory[1] = (struct plan_range){ 2 * GIB, GIB };
	plan.memory[2] = (struct plan_range){ 5 * GIB, 0 };
	plan.memory[3] = (struct plan_range){ GIB, GIB };
	plan.memory[4] = (struct plan_range){ 3 * GIB, MIB };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(0, GIB, 3 * GIB + MIB);
	expect_ram(1, 8 * GIB, 9 * GIB);
}

static void memory_above_48_bits_is_left_out(void **state)
{
	const uint64_t limit = UINT64_C(1) << 48;
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memory_count = 3;
	plan.memory[1] = (struct plan_range){ limit - MIB, 2 * MIB };
	plan.memory[2] = (struct plan_range){ limit + GIB, GIB };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(1, limit - MIB, limit);
}

static void reserved_ranges_are_rounded_outwards(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.memreserve_count = 1;
	plan.memreserve[0] = (struct plan_range){ GIB + 100, 1 };
	plan.reserved_count = 3;
	plan.reserved[0] = (struct plan_reserved){ "a@1", { GIB + 0x2fff, 2 }, false, false };
	plan.reserved[1] = (struct plan_reserved){ "b@2", { GIB + 0x9000, 0 }, false, false };
	plan.reserved[2] = (struct plan_reserved){ "c@3", { GIB + 0xa000, 1 }, true, true };
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 1);
	assert_int_equal(info.reserved_count, 2);
	assert_int_equal(info.reserved[0].range.start.value, GIB);
	assert_int_equal(info.reserved[0].range.end.value, GIB + 0x1000);
	assert_string_equal(info.reserved[1].name, "a@1");
	assert_int_equal(info.reserved[1].range.start.value, GIB + 0x2000);
	assert_int_equal(info.reserved[1].range.end.value, GIB + 0x4000);
	assert_int_equal(info.reservations[1].range.end.value, GIB + 0x4000);
	assert_int_equal(info.reservations[1].usage, PAGE_RESERVED);
}

static void unmapped_ranges_split_memory(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.reserved_count = 3;
	plan.reserved[0] = (struct plan_reserved){ "edge@1", { GIB - MIB, MIB + 1 }, true, false };
	plan.reserved[1] = (struct plan_reserved){ "hole@2", { GIB + MIB, MIB }, true, false };
	plan.reserved[2] = (struct plan_reserved){ "end@3", { 2 * GIB - 1, 1 }, true, false };
	plan.initrd_start = GIB + 4 * MIB;
	plan.initrd_end = GIB + 5 * MIB;
	expect_parsed(&plan);
	assert_int_equal(info.memory_count, 2);
	expect_ram(0, GIB + PAGE_SIZE, GIB + MIB);
	expect_ram(1, GIB + 2 * MIB, 2 * GIB - PAGE_SIZE);
	assert_int_equal(info.reserved_count, 3);
}

static char long_arguments[BOOT_COMMAND_LINE_MAX + 1];

static void no_memory(struct tree_plan *plan)
{
	plan->memory_count = 0;
}

static void disabled_memory(struct tree_plan *plan)
{
	plan->memory_disabled = true;
}

static void empty_memory(struct tree_plan *plan)
{
	plan->memory[0].size = 0;
}

static void memory_too_high(struct tree_plan *plan)
{
	plan->memory[0].start = UINT64_C(1) << 48;
}

static void overlapping_memory(struct tree_plan *plan)
{
	plan->memory[plan->memory_count++] = (struct plan_range){ 2 * GIB - PAGE_SIZE, GIB };
}

static void memory_twice(struct tree_plan *plan)
{
	plan->memory[1] = plan->memory[0];
	plan->memory_count = 2;
}

static void memory_inside_memory(struct tree_plan *plan)
{
	plan->memory[plan->memory_count++] = (struct plan_range){ GIB + MIB, MIB };
}

static void memory_around_memory(struct tree_plan *plan)
{
	plan->memory[plan->memory_count++] = (struct plan_range){ 0, 4 * GIB };
}

static void unaligned_memory_start(struct tree_plan *plan)
{
	plan->memory[0].start += 0x800;
	plan->memory[0].size -= 0x800;
}

static void unaligned_memory_size(struct tree_plan *plan)
{
	plan->memory[0].size -= 1;
}

static void wrapping_memory(struct tree_plan *plan)
{
	plan->memory[0].size = UINT64_MAX - 0xfff;
}

static void cut_memory_reg(struct tree_plan *plan)
{
	plan->memory_reg_cut = 4;
}

static void many_memories(struct tree_plan *plan)
{
	plan->memory_count = BOOT_RANGES_MAX + 1;
	for (size_t i = 0; i < plan->memory_count; i++)
		plan->memory[i] = (struct plan_range){ (1 + 2 * i) * MIB, MIB };
}

static void many_holes(struct tree_plan *plan)
{
	plan->reserved_count = BOOT_RANGES_MAX;
	for (size_t i = 0; i < plan->reserved_count; i++) {
		plan->reserved[i] = (struct plan_reserved){
			"hole", { GIB + (1 + 2 * i) * MIB, MIB }, true, false
		};
	}
}

static void many_reserved(struct tree_plan *plan)
{
	plan->memreserve_count = BOOT_RANGES_MAX + 1;
	for (size_t i = 0; i < plan->memreserve_count; i++)
		plan->memreserve[i] = (struct plan_range){ GIB + i * MIB, 1 };
}

static void wrapping_reserved(struct tree_plan *plan)
{
	plan->memreserve_count = 1;
	plan->memreserve[0] = (struct plan_range){ UINT64_MAX - 5, 100 };
}

static void reserved_to_the_end(struct tree_plan *plan)
{
	plan->memreserve_count = 1;
	plan->memreserve[0] = (struct plan_range){ UINT64_MAX - 5, 5 };
}

static void half_an_initrd(struct tree_plan *plan)
{
	plan->initrd_without_end = true;
}

static void reversed_initrd(struct tree_plan *plan)
{
	plan->initrd_end = plan->initrd_start - 1;
}

static void wide_initrd(struct tree_plan *plan)
{
	plan->initrd_cells = 3;
}

static void long_bootargs(struct tree_plan *plan)
{
	memset(long_arguments, 'x', BOOT_COMMAND_LINE_MAX);
	plan->bootargs = long_arguments;
}

static void no_console(struct tree_plan *plan)
{
	plan->has_uart = false;
}

static void disabled_console(struct tree_plan *plan)
{
	plan->uart_disabled = true;
	plan->stdout_path = NULL;
}

static void other_console(struct tree_plan *plan)
{
	plan->uart_compatible = "ns16550a";
}

static void console_out_of_reach(struct tree_plan *plan)
{
	plan->has_uart = false;
	plan->uart_on_bus = true;
	plan->bus_without_ranges = true;
}

static void console_past_the_bus(struct tree_plan *plan)
{
	plan->has_uart = false;
	plan->uart_on_bus = true;
	plan->bus_size = 0x201100; /* it ends inside the registers */
}

static void console_behind_the_bus(struct tree_plan *plan)
{
	plan->has_uart = false;
	plan->uart_on_bus = true;
	plan->bus_size = 0x1000;
}

static void cut_bus_ranges(struct tree_plan *plan)
{
	plan->has_uart = false;
	plan->uart_on_bus = true;
	plan->bus_ranges_cut = 2; /* zeroes, and padding follows that reads the same */
}

static void console_too_high(struct tree_plan *plan)
{
	plan->uart = UINT64_C(1) << 48;
}

static void wide_sizes(struct tree_plan *plan)
{
	plan->address_cells = 1;
	plan->size_cells = 3;
}

static void wide_addresses(struct tree_plan *plan)
{
	plan->address_cells = 3;
	plan->size_cells = 1;
}

static const struct {
	const char *name;
	void (*spoil)(struct tree_plan *plan);
	const char *reason;
} refusals[] = {
	{ "no memory", no_memory, "no memory" },
	{ "memory is disabled", disabled_memory, "no memory" },
	{ "memory is empty", empty_memory, "no memory" },
	{ "memory is above 2^48", memory_too_high, "no memory" },
	{ "memory overlaps at an edge", overlapping_memory, "overlaps" },
	{ "memory is given twice", memory_twice, "overlaps" },
	{ "memory inside memory", memory_inside_memory, "overlaps" },
	{ "memory around memory", memory_around_memory, "overlaps" },
	{ "memory starts inside a page", unaligned_memory_start, "not aligned" },
	{ "memory ends inside a page", unaligned_memory_size, "not aligned" },
	{ "memory wraps around", wrapping_memory, "wraps around" },
	{ "memory's reg is cut", cut_memory_reg, "malformed reg" },
	{ "too many memories", many_memories, "more than 64 ranges" },
	{ "too many holes in memory", many_holes, "more than 64 ranges" },
	{ "too many reserved ranges", many_reserved, "more than 64 reserved" },
	{ "a reserved range wraps around", wrapping_reserved, "wraps around" },
	{ "a reserved range ends at the last page", reserved_to_the_end, "wraps around" },
	{ "initrd without end", half_an_initrd, "initrd" },
	{ "initrd ends before its start", reversed_initrd, "initrd" },
	{ "initrd of three cells", wide_initrd, "initrd" },
	{ "bootargs are too long", long_bootargs, "bootargs" },
	{ "no console", no_console, "no PL011" },
	{ "a disabled console", disabled_console, "no PL011" },
	{ "another console", other_console, "no PL011" },
	{ "a console that the bus ends in", console_past_the_bus, "no usable address" },
	{ "a console behind the bus", console_behind_the_bus, "no usable address" },
	{ "a bus with a range that is cut", cut_bus_ranges, "no usable address" },
	{ "a console above 2^48", console_too_high, "no usable address" },
	{ "sizes of three cells", wide_sizes, "malformed reg" },
	{ "addresses of three cells", wide_addresses, "malformed reg" },
	{ "a console that no bus leads to", console_out_of_reach, "no usable address" },
};

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct tree_plan plan = tree_plan();

		refusals[i].spoil(&plan);
		if (parse(&plan))
			fail_msg("%s: was accepted", refusals[i].name);
		if (strstr(error.text, refusals[i].reason) == NULL)
			fail_msg("%s: refused because '%s'", refusals[i].name, error.text);
	}
}

static void text_without_an_end_is_no_text(void **state)
{
	struct tree_plan plan = tree_plan();

	(void)state;
	plan.bootargs_unterminated = true;
	expect_parsed(&plan);
	assert_string_equal(info.command_line, "");
}

/* A machine can be told how to end even by a tree that is refused. */
static void refusal_knows_how_to_end(void **state)
{
	struct tree_plan plan = tree_plan();
	char value[16];

	(void)state;
	plan.memory_count = 0;
	assert_false(parse(&plan));
	assert_true(boot_option(&info, "exit", value, sizeof(value)));
	assert_string_equal(value, "semihosting");
	assert_int_equal(info.psci, BOOT_PSCI_SMC);
}

static void options_are_words(void **state)
{
	static const struct {
		const char *line;
		const char *value; /* of "log", NULL: none */
	} cases[] = {
		{ "log=debug", "debug" },
		{ "a=b log=info c", "info" },
		{ "  log=warning\n", "warning" },
		{ "log", NULL },
		{ "log=", "" },
		{ "xlog=debug", NULL },
		{ "logs=debug", NULL },
		{ "", NULL },
		{ "log=sixteen_letters_", NULL },
		{ "log=fifteen_letters", "fifteen_letters" },
		{ "log=one log=two", "one" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char value[16] = "untouched";

		snprintf(info.command_line, sizeof(info.command_line), "%s", cases[i].line);
		if (boot_option(&info, "log", value, sizeof(value)) != (cases[i].value != NULL))
			fail_msg("'%s'", cases[i].line);
		assert_string_equal(value, cases[i].value ? cases[i].value : "untouched");
	}
}

static void options_are_numbers(void **state)
{
	static const struct {
		const char *line;
		uint64_t value; /* of "seed", 7: none */
	} cases[] = {
		{ "seed=1", 1 },
		{ "a=b seed=40000 c", 40000 },
		{ "seed=18446744073709551615", UINT64_MAX },
		{ "seed=", 0 },
		{ "seed=x", 0 },
		{ "seed=12x", 12 },
		{ "seed=100000000000000000000001", 7 },
		{ "xseed=1", 7 },
		{ "", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(info.command_line, sizeof(info.command_line), "%s", cases[i].line);
		assert_int_equal(boot_number(&info, "seed", 7), cases[i].value);
	}
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
		cmocka_unit_test(memory_is_sorted_and_joined),
		cmocka_unit_test(memory_above_48_bits_is_left_out),
		cmocka_unit_test(reserved_ranges_are_rounded_outwards),
		cmocka_unit_test(unmapped_ranges_split_memory),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(text_without_an_end_is_no_text),
		cmocka_unit_test(refusal_knows_how_to_end),
		cmocka_unit_test(options_are_words),
		cmocka_unit_test(options_are_numbers),
	};

	return cmocka_run_group_tests_name("device tree", tests, NULL, NULL);
}
