/* SPDX-License-Identifier: BSD-3-Clause */
/* The image's own functions by name. The table is made from the first of the image's two links. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint32_t offset; /* from image_start; ascending */
	uint32_t name;	 /* offset of its first character in symbol_names */
};

extern const struct symbol symbol_table[];
extern const char symbol_names[];
extern const uint64_t symbol_count;

/* Name of the function that holds @address, and the distance from its start; NULL if there is none. */
const char *symbols_find(uint64_t address, uint64_t *distance);

/* Prints @address, with name and distance where there is one, as "0x... (name+0x...)". */
void symbols_print(uint64_t address);

/* Prints who called whom, from the frame record that @frame points to. A record that does not lie
 * in the stack above the last one ends it. */
void symbols_backtrace(uint64_t frame);
