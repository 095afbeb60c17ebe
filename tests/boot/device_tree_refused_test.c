/* SPDX-License-Identifier: BSD-3-Clause */
/* Which device trees start-up refuses. */
#include "parsed_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(refusal_knows_how_to_end),
	};

	return cmocka_run_group_tests_name("refused device trees", tests, NULL, NULL);
}
