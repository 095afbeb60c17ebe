/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_tree_cpus.h"
#include "device_tree_devices.h"
#include "memory_map.h"
#include <libfdt.h>
#include <string.h>

/* Function numbers of Arm DEN0022, from version 0.2 on. Before, each tree had its own. */
#define PSCI_CPU_ON UINT32_C(0xc4000003)
#define PSCI_SYSTEM_OFF UINT32_C(0x84000008)

static enum boot_psci psci_conduit(const char *method)
{
	if (strcmp(method, "smc") == 0)
		return BOOT_PSCI_SMC;
	return strcmp(method, "hvc") == 0 ? BOOT_PSCI_HVC : BOOT_PSCI_UNKNOWN;
}

void device_tree_psci(const void *blob, struct boot_info *info)
{
	static const struct {
		const char *compatible;
		bool has_own_numbers;
	} versions[] = {
		{ "arm,psci-1.0", false },
		{ "arm,psci-0.2", false },
		{ "arm,psci", true },
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		int node = fdt_node_offset_by_compatible(blob, -1, versions[i].compatible);
		const char *method = node < 0 ? NULL : device_tree_string(blob, node, "method");

		if (!method)
			continue;
		info->psci = psci_conduit(method);
		if (!versions[i].has_own_numbers) {
			info->psci_cpu_on = PSCI_CPU_ON;
			info->psci_system_off = PSCI_SYSTEM_OFF;
			return;
		}

		int length;
		const void *number = fdt_getprop(blob, node, "cpu_on", &length);

		if (number && length == sizeof(fdt32_t))
			info->psci_cpu_on = fdt32_ld(number);
		return;
	}
}

/* A number of one or two cells. */
static bool cells(const void *value, int length, uint64_t *out)
{
	if (value && length == sizeof(fdt32_t))
		*out = fdt32_ld(value);
	else if (value && length == sizeof(fdt64_t))
		*out = fdt64_ld(value);
	else
		return false;
	return true;
}

/* "reg" is the CPU's number: as many cells as /cpus says, of which later ones are its threads. */
static bool affinity_of(const void *blob, int cpus, int node, uint64_t *out)
{
	int width = fdt_address_cells(blob, cpus) * (int)sizeof(fdt32_t);
	int length;
	const void *reg = fdt_getprop(blob, node, "reg", &length);

	return reg && length >= width && cells(reg, width, out) && (*out & ~BOOT_CPU_AFFINITY) == 0;
}

static const void *method_list(const void *blob, int cpus, int node, int *length)
{
	const void *list = fdt_getprop(blob, node, "enable-method", length);

	return list ? list : fdt_getprop(blob, cpus, "enable-method", length);
}

static const char *psci_problem(const struct boot_info *info)
{
	if (info->psci == BOOT_PSCI_NONE)
		return "there is no usable PSCI node";
	if (info->psci == BOOT_PSCI_UNKNOWN)
		return "the method of PSCI is neither smc nor hvc";
	return info->psci_cpu_on == 0 ? "PSCI has no CPU_ON" : NULL;
}

static const char *spin_table_problem(const void *blob, int node, struct boot_cpu *cpu)
{
	int length;
	const void *value = fdt_getprop(blob, node, "cpu-release-addr", &length);
	uint64_t address;

	if (!cells(value, length, &address))
		return "it has no cpu-release-addr that is an address";
	/* All of the word is stored at once. */
	if (address % sizeof(uint64_t) != 0 || address >= UINT64_C(1) << ADDRESS_BITS_MAX)
		return "its cpu-release-addr is no address of a doubleword";
	cpu->release = paddr(address);
	return NULL;
}

static const char *method_problem(const void *blob, int cpus, int node,
				  const struct boot_info *info, struct boot_cpu *cpu)
{
	int length;
	const char *list = method_list(blob, cpus, node, &length);

	if (!list || length <= 0 || list[length - 1] != '\0')
		return "it has no enable-method";
	if (fdt_stringlist_contains(list, length, "psci")) {
		cpu->method = BOOT_CPU_PSCI;
		return psci_problem(info);
	}
	if (!fdt_stringlist_contains(list, length, "spin-table"))
		return "its enable-method is neither psci nor spin-table";
	cpu->method = BOOT_CPU_SPIN_TABLE;
	return spin_table_problem(blob, node, cpu);
}

static bool is_taken(const struct boot_info *info, unsigned int count, uint64_t affinity)
{
	for (unsigned int i = 0; i < count; i++) {
		if (info->cpus[i].affinity == affinity)
			return true;
	}
	return false;
}

/* "disabled" is a CPU that waits to be started; "fail" is one that must not be. */
static bool has_failed(const void *blob, int node)
{
	const char *status = device_tree_string(blob, node, "status");

	return status && (strncmp(status, "fail", 4) == 0 || strcmp(status, "reserved") == 0);
}

static struct boot_cpu read_cpu(const void *blob, int cpus, int node, const struct boot_info *info,
				unsigned int count)
{
	struct boot_cpu cpu = {
		.name = fdt_get_name(blob, node, NULL),
		.affinity = BOOT_CPU_AFFINITY_NONE,
	};
	uint64_t affinity;

	if (!affinity_of(blob, cpus, node, &affinity)) {
		cpu.problem = "its reg is not the affinity of an MPIDR_EL1";
	} else if (is_taken(info, count, affinity)) {
		cpu.problem = "another CPU has its reg";
	} else {
		cpu.affinity = affinity;
		cpu.problem = method_problem(blob, cpus, node, info, &cpu);
		if (has_failed(blob, node))
			cpu.problem = "its status says so";
	}
	return cpu;
}

static bool reserve_release(struct boot_info *info, const struct boot_cpu *cpu,
			    struct boot_error *error)
{
	const struct prange word =
		prange(cpu->release, paddr(cpu->release.value + sizeof(uint64_t)));

	if (cpu->problem || cpu->method != BOOT_CPU_SPIN_TABLE)
		return true;
	for (size_t i = 0; i < info->reserved_count; i++) {
		if (prange_contains(info->reserved[i].range, word))
			return true;
	}
	return memory_map_reserve(info, word, "spin table", PAGE_RESERVED, error);
}

bool device_tree_cpus(const void *blob, struct boot_info *info, struct boot_error *error)
{
	int cpus = fdt_path_offset(blob, "/cpus");
	int node;

	if (cpus < 0)
		return true;
	fdt_for_each_subnode(node, blob, cpus)
	{
		const char *type = device_tree_string(blob, node, "device_type");
		unsigned int count = info->cpu_count;

		if (!type || strcmp(type, "cpu") != 0)
			continue;
		info->cpu_count++;
		if (count >= BOOT_CPUS_MAX)
			continue;
		info->cpus[count] = read_cpu(blob, cpus, node, info, count);
		if (!reserve_release(info, &info->cpus[count], error))
			return false;
	}
	return true;
}
