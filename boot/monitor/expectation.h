/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the architecture says must happen when the probe makes an access (Arm ARM D8.2, D8.13,
 * "Stage 2 faults"; D19.2, "ESR_EL2", "FAR_EL2", "HPFAR_EL2"), computed from what was mapped for it
 * and never from the tables or from the exit.
 */
#pragma once

#include <aarch64/vcpu.h>
#include <arch/translation.h>
#include <stddef.h>

#define EXPECTATION_PAGES_MAX 16

/* What the space holds: the monitor's own list. */
struct expectation_map {
	struct translation_geometry geometry;
	struct iaddr pages[EXPECTATION_PAGES_MAX];
	size_t count;
};

struct expectation {
	bool permission; /* a permission fault, else a translation fault */
	int level;
	uint64_t esr;	    /* ESR_EL2 */
	uint64_t far;	    /* FAR_EL2 */
	uint64_t hpfar;	    /* HPFAR_EL2 */
	bool hpfar_defined; /* a permission fault leaves it UNKNOWN */
	uint64_t esr_el1;   /* of the synchronous external abort that the guest then takes */
};

/* The abort of @access to @address, which must not take place, by the probe's own instructions with
 * its Stage 1 off. */
struct expectation expect(const struct expectation_map *map, enum stage2_access access,
			  struct iaddr address);

/* @page is mapped from now on, if it was not before. */
void expect_mapped(struct expectation_map *map, struct iaddr page);
