/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes of all CPUs at once. */
#pragma once

#include <boot_info.h>

/* What each CPU has in its control registers, against the boot CPU's, and what it has of its own; 0 or 1. */
int cpus_probe(const struct boot_info *info);

/* Many rounds of work for all: none is lost, none is done twice, and each sees what was stored before. */
int cpus_rounds(const struct boot_info *info);

/* Each prints lines, all at once. */
int cpus_lines(const struct boot_info *info);

/* All but the boot CPU find a broken invariant at once. */
int cpus_panic(const struct boot_info *info);

/* CPUs of a spin table, in its order, of which some come late: each arrives, and changes nothing. */
int cpus_late(const struct boot_info *info);

/* The last CPU uses up its stack. */
int cpus_overflow(const struct boot_info *info);
