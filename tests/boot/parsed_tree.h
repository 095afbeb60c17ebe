/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up makes of a tree: for tests, one tree at a time. */
#pragma once

#include "tree.h"

#include <device_tree.h>

extern struct boot_info info;
extern struct boot_error error;

/* False: the tree was refused, and error says why. */
bool parse(const struct tree_plan *plan);

/* Fails the test if the tree is refused. */
void expect_parsed(const struct tree_plan *plan);

/* Fails it if range @index of RAM is another one. */
void expect_ram(size_t index, uint64_t start, uint64_t end);
