/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Differences between what happened and what the model says: counted, and the first ones told.
 *
 * Text is made only when there is a difference to tell.
 */
#pragma once

#include "mappings.h"
#include "page_table_spec.h"

#include <stdint.h>

/* How many are told; later ones are only counted, so that one defect cannot flood a console. */
#define DIFFERENCES_TOLD 20

/* What is being checked: it begins every line. */
struct subject {
	const char *operation; /* "cursor_map" */
	unsigned int space;    /* number of the space, in the order they were made; 0: none */
};

/* Begins at zero. @complain may be NULL. */
void differences_start(void (*complain)(const char *text));
uint64_t differences_count(void);

/* Says more about the last difference, if that was told; it is not one itself. */
__attribute__((format(printf, 1, 2))) void difference_explain(const char *format, ...);

/* One difference at @address, in printf's words. */
__attribute__((format(printf, 3, 4))) void difference(struct subject subject, struct iaddr address,
						      const char *format, ...);

/* "0x40000000 rwxa write-back counted", or "nothing" for NULL, for the words of a difference. */
struct mapping_text {
	char text[64];
};

struct mapping_text mapping_text(const struct mapping *mapping);

/* "MM_OK or MM_NO_MEMORY" */
struct statuses_text {
	char text[160];
};

struct statuses_text statuses_text(status_set statuses);
