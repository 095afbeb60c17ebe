/* SPDX-License-Identifier: BSD-3-Clause */
#include "tree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree_plan tree_plan(void)
{
	return (struct tree_plan){
		.address_cells = 2,
		.size_cells = 2,
		.memory = { { PLAN_MEMORY, PLAN_MEMORY_SIZE } },
		.memory_count = 1,
		.has_chosen = true,
		.bootargs = "log=debug exit=semihosting",
		.stdout_path = "serial0:115200n8",
		.alias = "/pl011@9000000",
		.initrd_cells = 2,
		.initrd_start = PLAN_MEMORY + 0x8000000,
		.initrd_end = PLAN_MEMORY + 0x8000000 + 12345,
		.has_uart = true,
		.uart = PLAN_UART,
		.bus_size = 0x1800000,
		.uart_compatible = "arm,pl011",
		.gic_compatible = "arm,gic-v3",
		.psci_method = "smc",
		.cpu_cells = 1,
		.odd_cpu = 1,
		.cpu_method = "psci",
		.release_cells = 2,
		.release = PLAN_RELEASE,
		.cpus = 4,
	};
}

static void must(int status)
{
	if (status != 0) {
		fprintf(stderr, "libfdt: %s\n", fdt_strerror(status));
		abort();
	}
}

/* @value as @cells big-endian cells; what does not fit is cut off. */
static void put_cells(uint8_t *out, uint64_t value, unsigned int cells)
{
	for (unsigned int i = 0; i < cells * 4; i++)
		out[i] = i + 8 < cells * 4 ? 0 : (uint8_t)(value >> 8 * (cells * 4 - 1 - i));
}

static void reg(void *blob, const struct plan_range *ranges, size_t count, size_t cut)
{
	uint8_t bytes[16 * 4];

	for (size_t i = 0; i < count; i++) {
		put_cells(bytes + 16 * i, ranges[i].start, 2);
		put_cells(bytes + 16 * i + 8, ranges[i].size, 2);
	}
	must(fdt_property(blob, "reg", bytes, (int)(16 * count - cut)));
}

static void cells(void *blob, uint32_t address, uint32_t size)
{
	must(fdt_property_u32(blob, "#address-cells", address));
	must(fdt_property_u32(blob, "#size-cells", size));
}

static void number(void *blob, const char *name, uint64_t value, unsigned int count)
{
	uint8_t bytes[16];

	put_cells(bytes, value, count);
	must(fdt_property(blob, name, bytes, (int)count * 4));
}

static void chosen(const struct tree_plan *plan, void *blob)
{
	must(fdt_begin_node(blob, "chosen"));
	if (plan->bootargs)
		must(fdt_property(blob, "bootargs", plan->bootargs,
				  (int)strlen(plan->bootargs) + !plan->bootargs_unterminated));
	if (plan->stdout_path)
		must(fdt_property_string(blob, "stdout-path", plan->stdout_path));
	if (plan->initrd_cells) {
		number(blob, "linux,initrd-start", plan->initrd_start, plan->initrd_cells);
		if (!plan->initrd_without_end)
			number(blob, "linux,initrd-end", plan->initrd_end, plan->initrd_cells);
	}
	must(fdt_end_node(blob));
	if (plan->alias) {
		must(fdt_begin_node(blob, "aliases"));
		must(fdt_property_string(blob, "serial0", plan->alias));
		must(fdt_end_node(blob));
	}
}

static void memory(const struct tree_plan *plan, void *blob)
{
	char name[32];

	for (size_t i = 0; i < plan->memory_count; i++) {
		/* Two nodes of one name would be another mistake than those looked for here. */
		snprintf(name, sizeof(name), "memory@%zx", i);
		must(fdt_begin_node(blob, name));
		must(fdt_property_string(blob, "device_type", "memory"));
		reg(blob, &plan->memory[i], 1, plan->memory_reg_cut);
		if (plan->memory_disabled)
			must(fdt_property_string(blob, "status", "disabled"));
		must(fdt_end_node(blob));
	}
}

static void reserved(const struct tree_plan *plan, void *blob)
{
	if (plan->reserved_count == 0)
		return;
	must(fdt_begin_node(blob, "reserved-memory"));
	cells(blob, 2, 2);
	must(fdt_property(blob, "ranges", NULL, 0));
	for (size_t i = 0; i < plan->reserved_count; i++) {
		must(fdt_begin_node(blob, plan->reserved[i].name));
		reg(blob, &plan->reserved[i].range, 1, 0);
		if (plan->reserved[i].unmapped)
			must(fdt_property(blob, "no-map", NULL, 0));
		if (plan->reserved[i].disabled)
			must(fdt_property_string(blob, "status", "disabled"));
		must(fdt_end_node(blob));
	}
	must(fdt_end_node(blob));
}

static void uart(const struct tree_plan *plan, void *blob)
{
	const struct plan_range first = { plan->uart, 0x1000 };
	static const struct plan_range second = { PLAN_SECOND_UART, 0x1000 };
	uint8_t bytes[16];

	if (plan->uart_on_bus) {
		must(fdt_begin_node(blob, "soc"));
		cells(blob, 1, 1);
		put_cells(bytes, 0x7e000000, 1);
		put_cells(bytes + 4, 0xfe000000, 2);
		put_cells(bytes + 12, plan->bus_size, 1);
		if (!plan->bus_without_ranges)
			must(fdt_property(blob, "ranges", bytes, 16 - (int)plan->bus_ranges_cut));
		must(fdt_begin_node(blob, "serial@7e201000"));
		must(fdt_property_string(blob, "compatible", plan->uart_compatible));
		put_cells(bytes, 0x7e201000, 1);
		put_cells(bytes + 4, 0x200, 1);
		must(fdt_property(blob, "reg", bytes, 8));
		must(fdt_end_node(blob));
		must(fdt_end_node(blob));
	}
	if (plan->has_uart) {
		must(fdt_begin_node(blob, "pl011@9000000"));
		must(fdt_property_string(blob, "compatible", plan->uart_compatible));
		reg(blob, &first, 1, 0);
		if (plan->uart_disabled)
			must(fdt_property_string(blob, "status", "disabled"));
		must(fdt_end_node(blob));
	}
	if (plan->second_uart) {
		must(fdt_begin_node(blob, "pl011@9040000"));
		must(fdt_property_string(blob, "compatible", "arm,pl011"));
		reg(blob, &second, 1, 0);
		must(fdt_end_node(blob));
	}
}

static void others(const struct tree_plan *plan, void *blob)
{
	static const struct plan_range gic[2] = { { 0x08000000, 0x10000 },
						  { 0x080a0000, 0xf60000 } };

	if (plan->gic_compatible) {
		must(fdt_begin_node(blob, "intc@8000000"));
		must(fdt_property_string(blob, "compatible", plan->gic_compatible));
		reg(blob, gic, 2, 0);
		must(fdt_end_node(blob));
	}
	for (unsigned int i = 0; i < plan->timers; i++) {
		const struct plan_range timer = { PLAN_TIMERS - i * PLAN_TIMER_SIZE,
						  PLAN_TIMER_SIZE };
		char name[32];

		snprintf(name, sizeof(name), "timer@%" PRIx64, timer.start);
		must(fdt_begin_node(blob, name));
		reg(blob, &timer, 1, 0);
		must(fdt_end_node(blob));
	}
	if (plan->psci_method) {
		must(fdt_begin_node(blob, "psci"));
		must(fdt_property_string(blob, "compatible", "arm,psci-1.0"));
		must(fdt_property_string(blob, "method", plan->psci_method));
		must(fdt_end_node(blob));
	}
	must(fdt_begin_node(blob, "cpus"));
	cells(blob, plan->cpu_cells, 0);
	if (plan->common_method)
		must(fdt_property_string(blob, "enable-method", plan->common_method));
	for (unsigned int i = 0; i < plan->cpus; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu@%x", i);
		must(fdt_begin_node(blob, name));
		must(fdt_property_string(blob, "device_type", "cpu"));
		number(blob, "reg", i == 1 ? plan->odd_cpu : i, plan->cpu_cells);
		if (plan->cpu_method)
			must(fdt_property_string(blob, "enable-method", plan->cpu_method));
		if (i == 1 && plan->odd_status)
			must(fdt_property_string(blob, "status", plan->odd_status));
		if (i == 1 && plan->release_cells)
			number(blob, "cpu-release-addr", plan->release, plan->release_cells);
		must(fdt_end_node(blob));
	}
	must(fdt_end_node(blob));
}

size_t tree_make(const struct tree_plan *plan, void *blob)
{
	must(fdt_create(blob, TREE_BYTES));
	for (size_t i = 0; i < plan->memreserve_count; i++)
		must(fdt_add_reservemap_entry(blob, plan->memreserve[i].start,
					      plan->memreserve[i].size));
	must(fdt_finish_reservemap(blob));
	must(fdt_begin_node(blob, ""));
	cells(blob, plan->address_cells, plan->size_cells);
	must(fdt_property_string(blob, "model", "a board made for tests"));
	if (plan->has_chosen)
		chosen(plan, blob);
	memory(plan, blob);
	reserved(plan, blob);
	uart(plan, blob);
	others(plan, blob);
	must(fdt_end_node(blob));
	must(fdt_finish(blob));
	return fdt_totalsize(blob);
}
