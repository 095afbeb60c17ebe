/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"
#include "cpus.h"
#include "log.h"
#include "memory_map.h"
#include "stacks.h"
#include <arch/features.h>
#include <aarch64/registers.h>
#include <inttypes.h>
#include <stdio.h>
#include <strata/table_runs.h>

/* MIDR_EL1: implementer, and the part numbers that implementer gives (Arm's own are listed). */
#define IMPLEMENTER_SOFTWARE 0x00
#define IMPLEMENTER_ARM 0x41

static const char *cpu_name(uint64_t midr)
{
	static const struct {
		uint16_t part;
		const char *name;
	} parts[] = {
		{ 0xd03, "Cortex-A53" },  { 0xd04, "Cortex-A35" },  { 0xd05, "Cortex-A55" },
		{ 0xd07, "Cortex-A57" },  { 0xd08, "Cortex-A72" },  { 0xd09, "Cortex-A73" },
		{ 0xd0a, "Cortex-A75" },  { 0xd0b, "Cortex-A76" },  { 0xd0c, "Neoverse-N1" },
		{ 0xd40, "Neoverse-V1" }, { 0xd41, "Cortex-A78" },  { 0xd46, "Cortex-A510" },
		{ 0xd47, "Cortex-A710" }, { 0xd49, "Neoverse-N2" }, { 0xd4f, "Neoverse-V2" },
	};

	if (FIELD_GET(MIDR_EL1_Implementer, midr) == IMPLEMENTER_SOFTWARE)
		return "a CPU made of software";
	if (FIELD_GET(MIDR_EL1_Implementer, midr) != IMPLEMENTER_ARM)
		return "not by Arm";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].part == FIELD_GET(MIDR_EL1_PartNum, midr))
			return parts[i].name;
	}
	return "by Arm";
}

static const char *yes(bool feature)
{
	return feature ? "yes" : "no";
}

void report_entry(const struct boot_info *info)
{
	const struct arch_features *features = arch_features();

	printf("entry\n");
	printf("  exception level  EL%u\n", info->exception_level);
	printf("  board            %s, CPUs: %u, up: %u\n", info->model, info->cpu_count,
	       cpus_up());
	printf("  CPU              %s r%up%u (MIDR_EL1 0x%08" PRIx64 ")\n",
	       cpu_name(features->midr), (unsigned int)FIELD_GET(MIDR_EL1_Variant, features->midr),
	       (unsigned int)FIELD_GET(MIDR_EL1_Revision, features->midr), features->midr);
	printf("  granules         %s%s%s\n", features->granule_4k ? "4 KiB" : "none of 4 KiB",
	       features->granule_16k ? ", 16 KiB" : "", features->granule_64k ? ", 64 KiB" : "");
	printf("  addresses        PA %u bits, IPA %u bits%s\n", features->pa_bits,
	       features->pa_bits, features->large_address ? " (52 bits seen, 48 used)" : "");
	printf("  VMID             %u bits\n", features->vmid_bits);
	printf("  HAFDBS           Access flag: %s, dirty state: %s\n", yes(features->access_flag),
	       yes(features->dirty_state));
	printf("  BBM              level %u\n", features->bbm_level);
	printf("  TTL              %s\n", yes(features->ttl));
	printf("  range TLBI       %s\n", yes(features->tlb_range));
	printf("  VHE              %s\n", features->vhe ? "yes, not used" : "no");
}

struct size_text {
	char text[24];
};

/* In the largest unit that divides it. */
static struct size_text size_text(uint64_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	struct size_text result;
	size_t unit = 0;

	while (unit < 3 && size != 0 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(result.text, sizeof(result.text), "%" PRIu64 " %s", size, units[unit]);
	return result;
}

static void report_range(const char *kind, struct prange range, const char *name)
{
	printf("  %-9s 0x%012" PRIx64 " .. 0x%012" PRIx64 "  %10s%s%s\n", kind, range.start.value,
	       range.end.value, size_text(prange_size(range)).text, name[0] ? "  " : "", name);
}

/* The list is in the order of precedence; a person reads it by address. NULL begins and ends it. */
static const struct boot_range *next_reserved(const struct boot_info *info,
					      const struct boot_range *last)
{
	const struct boot_range *next = NULL;

	for (size_t i = 0; i < info->reserved_count; i++) {
		const struct boot_range *candidate = &info->reserved[i];
		uint64_t start = candidate->range.start.value;
		bool is_after = !last || start > last->range.start.value ||
				(start == last->range.start.value && candidate > last);

		if (is_after && (!next || start < next->range.start.value))
			next = candidate;
	}
	return next;
}

static void report_reserved(const struct boot_info *info)
{
	const struct boot_range *reserved = NULL;
	char text[64];

	while ((reserved = next_reserved(info, reserved)) != NULL) {
		snprintf(text, sizeof(text), "%s%s", reserved->name,
			 memory_map_has(info, reserved->range) ? "" : " (not mapped)");
		report_range("reserved", reserved->range, text);
	}
}

/* Of CPUs that are up. */
static void report_guards(void)
{
	char text[48];

	for (unsigned int i = 0; i < STACK_GUARDS; i++) {
		unsigned int cpu = stack_guard_cpu(i);

		if (!cpus_is_up(cpu))
			continue;
		snprintf(text, sizeof(text), "--- below CPU %u's %sstack", cpu,
			 stack_guard_is_emergency(i) ? "emergency " : "");
		report_range("guard", stack_guard(i), text);
	}
}

static void report_devices(const struct boot_info *info)
{
	char text[64];

	for (size_t i = 0; i < info->device_count; i++)
		report_range("device", info->devices[i].range, info->devices[i].name);
	for (size_t i = 0; i < info->unused_device_count; i++) {
		snprintf(text, sizeof(text), "%s (not mapped)", info->unused_devices[i].name);
		report_range("device", info->unused_devices[i].range, text);
	}
	if (info->unlisted_device_count > 0)
		printf("  device    and %zu more (not mapped)\n", info->unlisted_device_count);
}

void report_memory_map(const struct boot_info *info)
{
	printf("memory map\n");
	for (size_t i = 0; i < info->memory_count; i++)
		report_range("RAM", info->memory[i], "");
	report_reserved(info);
	for (size_t i = 0; i < info->section_count; i++) {
		const struct boot_section *section = &info->sections[i];
		char text[48];

		snprintf(text, sizeof(text), "%s %s", section->access, section->name);
		report_range("image", section->range, text);
	}
	report_guards();
	report_devices(info);
}

static const char *cache_name(uint8_t cache)
{
	static const char *const names[CACHE_POLICY_COUNT] = {
		[CACHE_WRITEBACK] = "Normal write-back",
		[CACHE_WRITETHROUGH] = "Normal write-through",
		[CACHE_UNCACHED] = "Normal uncached",
		[CACHE_DEVICE] = "Device-nGnRE",
	};

	return cache < CACHE_POLICY_COUNT ? names[cache] : "unknown";
}

static void report_run(const struct table_run *run, void *context)
{
	uint64_t *runs = context;

	printf("  0x%012" PRIx64 " .. 0x%012" PRIx64 " -> 0x%012" PRIx64 "  %5s  %c%c%c  %s\n",
	       run->range.start.value, run->range.end.value, run->output.value,
	       size_text(run->leaf_size).text, run->property.flags & PAGE_READ ? 'r' : '-',
	       run->property.flags & PAGE_WRITE ? 'w' : '-',
	       run->property.flags & PAGE_EXECUTE ? 'x' : '-', cache_name(run->property.cache));
	(*runs)++;
}

void report_el2_space(const struct boot_info *info)
{
	uint64_t runs = 0;

	printf("EL2 Stage 1, live (input, output, leaf size, access, memory type)\n");

	enum mm_status status = table_runs(info->el2_space, report_run, &runs);

	if (status != MM_OK)
		log_error("the table cannot be read: %s", mm_status_name(status));
	printf("  %" PRIu64 " runs; WXN on; guard pages and everything else not mapped\n", runs);
}
