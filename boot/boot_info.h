/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What start-up found and built, handed to whatever the image is for.
 *
 * When image_main runs: EL2 Stage 1 is the engine's own table (W^X, guard pages, WXN), caches are
 * on, mm_init is done, the console works, exceptions print a dump and end the run. The other CPUs are
 * up, in the same state, and wait for work (cpus.h).
 */
#pragma once

#include <arch/address.h>
#include <strata/mm.h>
#include <strata/vm_space.h>
#include <stdbool.h>
#include <stddef.h>

#define BOOT_RANGES_MAX                                                                            \
	64 /* limit of each list below; a tree with more is refused, but for devices not used */
#define BOOT_COMMAND_LINE_MAX 512

struct kvirt_space;

struct boot_range {
	struct prange range;
	const char *name; /* what it is: the node's name, a section, "initrd", ... */
};

struct boot_section {
	struct prange range;
	const char *name;   /* "text", "rodata", "data", "stack", ... */
	const char *access; /* "r-x", "r--", "rw-" */
};

enum boot_gic {
	BOOT_GIC_NONE,
	BOOT_GIC_V2, /* gic_regions: distributor, CPU interface */
	BOOT_GIC_V3, /* gic_regions: distributor, redistributors */
};

/* How firmware is called (Arm DEN0022). */
enum boot_psci {
	BOOT_PSCI_NONE,
	BOOT_PSCI_UNKNOWN, /* in a way that is neither of these */
	BOOT_PSCI_SMC,
	BOOT_PSCI_HVC,
};

/* Aff0 to Aff3 of MPIDR_EL1, in their places; what no CPU's are. */
#define BOOT_CPU_AFFINITY UINT64_C(0xff00ffffff)
#define BOOT_CPU_AFFINITY_NONE UINT64_MAX
#define BOOT_CPUS_MAX 64

enum boot_cpu_method {
	BOOT_CPU_UNKNOWN,
	BOOT_CPU_PSCI,	     /* firmware starts it */
	BOOT_CPU_SPIN_TABLE, /* it waits for an address in memory */
};

struct boot_cpu {
	const char *name; /* of its node */
	uint64_t affinity;
	enum boot_cpu_method method;
	struct paddr release; /* BOOT_CPU_SPIN_TABLE: of the word that it looks at */
	const char *problem;  /* why it cannot be started; NULL: it can */
};

struct boot_info {
	unsigned int exception_level; /* at entry; 2 */
	struct paddr device_tree;
	uint64_t device_tree_size;
	char model[64]; /* of the board, from the tree's root */

	struct prange memory[BOOT_RANGES_MAX]; /* as mm_config wants it */
	size_t memory_count;
	struct boot_range reserved[BOOT_RANGES_MAX]; /* reserved-memory, memreserve, tree, image */
	struct mm_reservation reservations[BOOT_RANGES_MAX]; /* the same, for mm_init */
	size_t reserved_count;
	struct boot_section sections[16]; /* of the image */
	size_t section_count;
	struct boot_range devices[BOOT_RANGES_MAX]; /* that EL2 uses: UART, GIC; whole pages */
	size_t device_count;
	struct boot_range unused_devices[BOOT_RANGES_MAX]; /* all others, by address, not rounded */
	size_t unused_device_count;
	size_t unlisted_device_count; /* for which there was no room */

	struct prange initrd; /* byte range from /chosen, its pages PAGE_RESERVED; empty if none */
	struct prange
		model_pool; /* PAGE_HYPERVISOR memory for the model; empty in release builds */
	char command_line[BOOT_COMMAND_LINE_MAX]; /* /chosen bootargs */

	struct paddr uart;
	enum boot_gic gic;
	struct prange gic_regions[2];
	enum boot_psci psci;
	uint32_t psci_cpu_on;		     /* function numbers; 0: not offered */
	uint32_t psci_system_off;	     /* the same */
	unsigned int cpu_count;		     /* in the tree, the boot CPU among them */
	struct boot_cpu cpus[BOOT_CPUS_MAX]; /* the first of them */

	struct vm_space *el2_space;			/* EL2's own Stage 1, live */
	struct kvirt_space *kvirt;			/* addresses of it for the image */
	struct irange uart_registers, gic_registers[2]; /* where uart and gic_regions are mapped */
};

/*
 * Called once mm_init is done, before the first space is made: EL2's own. For an image that watches
 * every space from its beginning; one that has no such function does nothing here.
 */
void image_prepare(const struct boot_info *info);

/* The image's purpose: the monitor in the product, a test runner in test images. Returns the exit
 * code of the machine. */
int image_main(const struct boot_info *info);

/* The value of "key=value" in the command line, copied to @value; false if there is none or it does
 * not fit in @size bytes. */
bool boot_option(const struct boot_info *info, const char *key, char *value, size_t size);

/* The decimal number that the value of "key=value" begins with, 0 without a digit; @otherwise if there is
 * no such option, or one of more than 23 characters. */
uint64_t boot_number(const struct boot_info *info, const char *key, uint64_t otherwise);
