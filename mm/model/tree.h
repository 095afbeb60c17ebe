/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Balanced trees of <sys/tree.h>, with the functions of a tree local to one file. (The header's own
 * RB_GENERATE_STATIC relies on __unused, which not every C library defines.)
 */
#pragma once

#include <sys/tree.h>

#define TREE_GENERATE(name, type, field, compare)                                                  \
	RB_GENERATE_INTERNAL(name, type, field, compare, static __attribute__((unused)))
