/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device trees for tests: a plan, which a test spoils in one place, and the blob made from it with
 * libfdt's sequential writer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_RANGES 80
#define TREE_BYTES 32768

struct plan_range {
	uint64_t start;
	uint64_t size;
};

struct plan_reserved {
	const char *name;
	struct plan_range range;
	bool unmapped; /* "no-map" */
	bool disabled;
};

struct tree_plan {
	uint32_t address_cells; /* of the root; values are written as if both were 2 */
	uint32_t size_cells;

	struct plan_range memory[PLAN_RANGES]; /* a node each */
	size_t memory_count;
	bool memory_disabled;
	size_t memory_reg_cut; /* bytes left out at the end of each memory node's "reg" */

	struct plan_range memreserve[PLAN_RANGES];
	size_t memreserve_count;
	struct plan_reserved reserved[PLAN_RANGES];
	size_t reserved_count;

	bool has_chosen;
	const char *bootargs; /* NULL: none */
	bool bootargs_unterminated;
	const char *stdout_path;   /* NULL: none */
	const char *alias;	   /* what "serial0" stands for; NULL: none */
	unsigned int initrd_cells; /* of either property; 0: no initrd */
	bool initrd_without_end;
	uint64_t initrd_start;
	uint64_t initrd_end;

	bool has_uart;
	uint64_t uart;
	bool uart_disabled; /* the first of two */
	bool second_uart;
	const char *uart_compatible;
	bool uart_on_bus; /* behind "soc", which moves 0x7e000000 to 0xfe000000 */
	bool bus_without_ranges;
	uint32_t bus_size;     /* how much of it the bus passes on */
	size_t bus_ranges_cut; /* bytes left out at the end of its "ranges" */

	const char *gic_compatible; /* NULL: none */
	unsigned int timers;	    /* devices that nobody uses, from PLAN_TIMERS down */
	const char *psci_method;    /* NULL: none */
	unsigned int cpus;
	unsigned int cpu_cells;	    /* of their numbers: 1 or 2 */
	uint64_t odd_cpu;	    /* the second one's number; the others have 0, 2, 3, ... */
	const char *odd_status;	    /* the second one's; NULL: none */
	const char *cpu_method;	    /* NULL: none */
	const char *common_method;  /* of all that have none; NULL: none */
	unsigned int release_cells; /* of what the second one waits at; 0: nothing */
	uint64_t release;
};

#define PLAN_UART 0x09000000u
#define PLAN_SECOND_UART 0x09040000u
#define PLAN_TIMERS 0x0a000000u
#define PLAN_TIMER_SIZE 0x200u
#define PLAN_BUS_UART 0xfe201000u /* as the CPU sees it */
#define PLAN_MEMORY UINT64_C(0x40000000)
#define PLAN_RELEASE (PLAN_MEMORY + 0x3000008)
#define PLAN_MEMORY_SIZE UINT64_C(0x40000000)

/* A board that has everything and is in order. */
struct tree_plan tree_plan(void);

/* Writes the tree to @blob, aligned to 8, of TREE_BYTES bytes; returns its size. */
size_t tree_make(const struct tree_plan *plan, void *blob);
