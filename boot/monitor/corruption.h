/* SPDX-License-Identifier: BSD-3-Clause */
/* A defect of canary builds: memory that changes by itself, behind the back of every interface. */
#pragma once

#include <strata/vm_space.h>

/* Flips write access in the first leaf of @space's table, if there is one. No space is active, before
 * and afterwards. */
void corrupt_leaf(struct vm_space *space);
