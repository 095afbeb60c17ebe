/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads and stores of EL2 that may fault, through the simulated MMU, a page at a time. */
#include <arch/user_copy.h>
#include "machine_internal.h"
#include <stdlib.h>
#include <string.h>

/* What an access at @ia uses: the host's pointer, NULL where there is no memory (a device, to which
 * stores do nothing and of which loads read as ones). False if it faults. */
static bool locate(struct iaddr ia, enum machine_access access, uint8_t **out)
{
	struct machine_translation used;
	struct machine_fault fault;

	if (!machine_el2_translate(ia, access, &used, &fault))
		return false;
	*out = machine_is_memory(used.output)
		       ? (uint8_t *)(uintptr_t)(used.output.value + machine_linear_offset())
		       : NULL;
	return true;
}

/* How many of @size bytes at @ia lie in its page. */
static size_t in_page(struct iaddr ia, size_t size)
{
	size_t left = PAGE_SIZE - (ia.value & (PAGE_SIZE - 1));

	return size < left ? size : left;
}

static void move(uint8_t *to, const uint8_t *from, size_t size)
{
	if (to == NULL)
		return;
	if (from == NULL)
		memset(to, 0xff, size);
	else
		memmove(to, from, size);
}

size_t user_copy_in(void *to, struct iaddr from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct iaddr at = iaddr(from.value + done);
		size_t part = in_page(at, size - done);
		uint8_t *source;

		if (!locate(at, MACHINE_READ, &source))
			break;
		move((uint8_t *)to + done, source, part);
		done += part;
	}
	return done;
}

size_t user_copy_out(struct iaddr to, const void *from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct iaddr at = iaddr(to.value + done);
		size_t part = in_page(at, size - done);
		uint8_t *target;

		if (!locate(at, MACHINE_WRITE, &target))
			break;
		move(target, (const uint8_t *)from + done, part);
		done += part;
	}
	return done;
}

size_t user_copy_across(struct iaddr to, struct iaddr from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		struct iaddr load = iaddr(from.value + done);
		struct iaddr store = iaddr(to.value + done);
		size_t part = in_page(store, in_page(load, size - done));
		uint8_t *source, *target;

		if (!locate(load, MACHINE_READ, &source) || !locate(store, MACHINE_WRITE, &target))
			break;
		move(target, source, part);
		done += part;
	}
	return done;
}

size_t memory_copy(void *to, const void *from, size_t size)
{
	memmove(to, from, size);
	return size;
}

size_t user_zero(struct iaddr to, size_t size)
{
	static const uint8_t zeroes[PAGE_SIZE];
	size_t done = 0;

	while (done < size) {
		size_t part = in_page(iaddr(to.value + done), size - done);
		size_t copied = user_copy_out(iaddr(to.value + done), zeroes, part);

		done += copied;
		if (copied < part)
			break;
	}
	return done;
}

size_t memory_zero(void *to, size_t size)
{
	memset(to, 0, size);
	return size;
}

bool user_load(struct iaddr from, unsigned int size, uint64_t *value)
{
	uint8_t *source;

	if (!locate(from, MACHINE_READ, &source))
		return false;
	if (source == NULL)
		*value = UINT64_MAX >> (64 - 8 * size);
	else if (size == 1)
		*value = __atomic_load_n(source, __ATOMIC_RELAXED);
	else if (size == 2)
		*value = __atomic_load_n((uint16_t *)(void *)source, __ATOMIC_RELAXED);
	else if (size == 4)
		*value = __atomic_load_n((uint32_t *)(void *)source, __ATOMIC_RELAXED);
	else
		*value = __atomic_load_n((uint64_t *)(void *)source, __ATOMIC_RELAXED);
	return true;
}

bool user_store(struct iaddr to, unsigned int size, uint64_t value)
{
	uint8_t *target;

	if (!locate(to, MACHINE_WRITE, &target))
		return false;
	if (target == NULL)
		return true;
	if (size == 1)
		__atomic_store_n(target, (uint8_t)value, __ATOMIC_RELAXED);
	else if (size == 2)
		__atomic_store_n((uint16_t *)(void *)target, (uint16_t)value, __ATOMIC_RELAXED);
	else if (size == 4)
		__atomic_store_n((uint32_t *)(void *)target, (uint32_t)value, __ATOMIC_RELAXED);
	else
		__atomic_store_n((uint64_t *)(void *)target, value, __ATOMIC_RELAXED);
	return true;
}

#define EXCHANGE(type, at, expected, desired, previous)                                            \
	do {                                                                                       \
		type old = (type)(expected);                                                       \
                                                                                                   \
		__atomic_compare_exchange_n((type *)(at), &old, (type)(desired), false,            \
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);                   \
		*(previous) = old;                                                                 \
	} while (0)

enum exchange_result memory_compare_exchange(void *at, unsigned int size, uint64_t expected,
					     uint64_t desired, uint64_t *previous)
{
	if (size == 1)
		EXCHANGE(uint8_t, at, expected, desired, previous);
	else if (size == 2)
		EXCHANGE(uint16_t, at, expected, desired, previous);
	else if (size == 4)
		EXCHANGE(uint32_t, at, expected, desired, previous);
	else
		EXCHANGE(uint64_t, at, expected, desired, previous);
	return EXCHANGE_DONE;
}

/* As on a CPU: only a store that is due needs the right to store. */
enum exchange_result user_compare_exchange(struct iaddr at, unsigned int size, uint64_t expected,
					   uint64_t desired, uint64_t *previous)
{
	uint8_t *target;
	uint64_t value;

	if (!user_load(at, size, &value))
		return EXCHANGE_FAULT;
	if (value != expected) {
		*previous = value;
		return EXCHANGE_DONE;
	}
	/* An exclusive store to a device is aborted. */
	if (!locate(at, MACHINE_WRITE, &target) || target == NULL)
		return EXCHANGE_FAULT;
	return memory_compare_exchange(target, size, expected, desired, previous);
}
