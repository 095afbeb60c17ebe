/* SPDX-License-Identifier: BSD-3-Clause */
/* How many CPUs state is kept for; the Meson option max_cpus. */
#pragma once

#ifndef STRATA_MAX_CPUS
#define STRATA_MAX_CPUS 8
#endif
