/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stores of one CPU that table walkers may not see yet.
 *
 * Invariant: for each address stored to since the last DSB, the value that was there before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_buffer_slot {
	uint64_t address;
	uint64_t previous;
	uint64_t epoch; /* in use if it is the buffer's */
};

struct store_buffer {
	struct store_buffer_slot *slots; /* open addressing, a power of two */
	size_t capacity;
	size_t count;
	uint64_t epoch;
};

/* Notes that @address, which holds @previous, is stored to; a value noted earlier stays. */
void store_buffer_add(struct store_buffer *buffer, uint64_t address, uint64_t previous);

/* True if @address was stored to; @previous is what a walker may still see. */
bool store_buffer_find(const struct store_buffer *buffer, uint64_t address, uint64_t *previous);

/* A DSB: everything is visible. */
void store_buffer_drain(struct store_buffer *buffer);

void store_buffer_release(struct store_buffer *buffer);
