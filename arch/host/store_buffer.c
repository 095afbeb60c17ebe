/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_buffer.h"
#include "host_memory.h"
#include <stdlib.h>

/* Descriptors are eight bytes apart; multiplying spreads neighbours (Fibonacci hashing). */
static size_t first_slot(const struct store_buffer *buffer, uint64_t address)
{
	return (size_t)(((address >> 3) * UINT64_C(0x9e3779b97f4a7c15)) >> 20) &
	       (buffer->capacity - 1);
}

static struct store_buffer_slot *slot_of(const struct store_buffer *buffer, uint64_t address)
{
	size_t index = first_slot(buffer, address);

	while (buffer->slots[index].epoch == buffer->epoch &&
	       buffer->slots[index].address != address)
		index = (index + 1) & (buffer->capacity - 1);
	return &buffer->slots[index];
}

static void grow(struct store_buffer *buffer)
{
	struct store_buffer old = *buffer;

	buffer->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
	buffer->slots = host_allocate(buffer->capacity * sizeof(*buffer->slots));
	buffer->count = 0;
	buffer->epoch = 1;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].epoch == old.epoch)
			store_buffer_add(buffer, old.slots[i].address, old.slots[i].previous);
	free(old.slots);
}

void store_buffer_add(struct store_buffer *buffer, uint64_t address, uint64_t previous)
{
	if ((buffer->count + 1) * 2 > buffer->capacity)
		grow(buffer);

	struct store_buffer_slot *slot = slot_of(buffer, address);

	if (slot->epoch == buffer->epoch)
		return;
	*slot = (struct store_buffer_slot){ address, previous, buffer->epoch };
	buffer->count++;
}

bool store_buffer_find(const struct store_buffer *buffer, uint64_t address, uint64_t *previous)
{
	if (buffer->count == 0)
		return false;

	const struct store_buffer_slot *slot = slot_of(buffer, address);

	if (slot->epoch != buffer->epoch)
		return false;
	*previous = slot->previous;
	return true;
}

void store_buffer_drain(struct store_buffer *buffer)
{
	buffer->count = 0;
	buffer->epoch++;
}

void store_buffer_release(struct store_buffer *buffer)
{
	free(buffer->slots);
	*buffer = (struct store_buffer){ 0 };
}
