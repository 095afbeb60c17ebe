/* SPDX-License-Identifier: BSD-3-Clause */
/* A space in both states, the model's and the table's in memory, as a person reads them. */
#pragma once

#include <model.h>
#include <store.h>

void tables_print(const struct live_space *space);
