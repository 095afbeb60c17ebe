/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that may not be there: loads and stores by EL2 at addresses that nobody vouches for.
 *
 * Invariant: a load or store here that the MMU or the memory aborts ends the call and nothing else.
 * What was done up to that byte is reported exactly; no byte past it was stored.
 *
 * user_ functions take an input address of EL2's own Stage 1, in whatever table this CPU has loaded:
 * a window that somebody else fills and empties. memory_ functions take the hypervisor's own
 * pointers, into Normal memory that is mapped while they run; an abort there, of broken memory for
 * instance, is caught alike. Ranges do not wrap.
 *
 * Copies go upwards. Where the two ranges overlap, or where somebody else stores into the source
 * meanwhile, the bytes copied are some that were there, and after a fault bytes may be loaded once
 * more; nothing else depends on them. Values of user_load, user_store and
 * user_compare_exchange are accessed once, whole (Arm ARM B2.2.1, "Requirements for single-copy
 * atomicity"), at addresses aligned to their size of 1, 2, 4 or 8 bytes; they order nothing.
 */
#pragma once

#include <arch/address.h>
#include <stddef.h>

/* Copy @size bytes and return how many were copied, counted from the first. */
size_t user_copy_in(void *to, struct iaddr from, size_t size);
size_t user_copy_out(struct iaddr to, const void *from, size_t size);
size_t user_copy_across(struct iaddr to, struct iaddr from, size_t size);
size_t memory_copy(void *to, const void *from, size_t size);

/* Store @size zeroes and return how many were stored. */
size_t user_zero(struct iaddr to, size_t size);
size_t memory_zero(void *to, size_t size);

/* False, and @value untouched, if the load faults. What is shorter than @value is zero-extended. */
bool user_load(struct iaddr from, unsigned int size, uint64_t *value);

/* False if the store faults. Bits of @value that do not fit are ignored. */
bool user_store(struct iaddr to, unsigned int size, uint64_t value);

enum exchange_result {
	EXCHANGE_DONE,	    /* compared, and stored if equal */
	EXCHANGE_FAULT,	    /* the load, or the store that was due, was aborted */
	EXCHANGE_CONTENDED, /* others kept the store from happening; nothing was stored */
};

/*
 * Stores @desired if @expected, zero-extended, is there. Unless it faults or is contended, @previous
 * is what was there, zero-extended. How often it tries is bounded: a guest cannot keep it here.
 */
enum exchange_result user_compare_exchange(struct iaddr at, unsigned int size, uint64_t expected,
					   uint64_t desired, uint64_t *previous);
enum exchange_result memory_compare_exchange(void *at, unsigned int size, uint64_t expected,
					     uint64_t desired, uint64_t *previous);
