/* SPDX-License-Identifier: BSD-3-Clause */
/* Page tables that are wrong, each in one way, for the claim that must reject it. */
#pragma once

#include <naive_table.h>

#include <conformance.h>

struct broken_table {
	struct naive_table naive;
	enum conformance_claim breaks;
	unsigned int calls;
	struct mapping remembered; /* the first thing that was mapped */
};

/* Its object is a struct broken_table. */
extern const struct page_table_interface broken_table_interface;
