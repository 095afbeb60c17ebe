/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The working guest: CRC-32 of a file that it first scatters over its own memory.
 *
 * Page i of the file, repeated until the working area is full, goes to slot (i * stride) mod slots.
 * The stride shares no factor with the number of slots, so each slot gets exactly one page. Then
 * every repetition is summed out of the slots, and all sums must be equal. In the middle of every
 * 16th page the guest calls the monitor, which may do with that page what it likes.
 *
 * Several virtual CPUs do it together: each copies its share of the words of every page, and each sums
 * all of the first repetition; the other ones are dealt out. While they are at the same pages they wait
 * for each other every 32 pages, so that they come to new ones at one time, and they call in turn: a page
 * goes away under all of them. A translation that one of them keeps loses words or reads old ones.
 */
#include <stdatomic.h>
#include "guest_call.h"

#define PAGE_BYTES 4096
#define HALF_PAGE (PAGE_BYTES / 2)
#define PAGE_WORDS (PAGE_BYTES / sizeof(uint64_t))

#define CRC32_POLYNOMIAL 0xedb88320u /* IEEE 802.3, bits reversed */
#define CRC32_SLICES 8		     /* bytes summed per step */

struct scatter {
	const uint8_t *input;
	uint64_t size;	     /* of the file, bytes */
	uint64_t file_pages; /* the last may be partial */
	uint8_t *work;
	uint64_t slots; /* pages of the working area */
	uint64_t stride;
	uint64_t self, together; /* this virtual CPU, from 0, of so many */
	uint64_t meetings;	 /* that it came to */
};

#define MEETING_PAGES 32 /* between two */
#define MEETING_SPINS 256

/* Of all virtual CPUs at all meetings. */
static _Atomic uint64_t arrived;

/* Returns when all virtual CPUs are here; acquire and release: what they did before is seen then. */
static void meet(struct scatter *scatter)
{
	const uint64_t all = ++scatter->meetings * scatter->together;

	if (scatter->together == 1)
		return;
	atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel);
	for (unsigned int i = 1; atomic_load_explicit(&arrived, memory_order_acquire) < all; i++) {
		if (i % MEETING_SPINS == 0)
			__asm__ volatile("wfe");
	}
}

static uint32_t crc32_table[CRC32_SLICES][256];

static void crc32_make_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t remainder = byte;

		for (int bit = 0; bit < 8; bit++)
			remainder = (remainder >> 1) ^ (remainder & 1 ? CRC32_POLYNOMIAL : 0);
		crc32_table[0][byte] = remainder;
	}
	for (int slice = 1; slice < CRC32_SLICES; slice++) {
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint32_t shorter = crc32_table[slice - 1][byte];

			crc32_table[slice][byte] = (shorter >> 8) ^ crc32_table[0][shorter & 0xff];
		}
	}
}

/* Sums @size bytes on from @state; @bytes is 8-byte aligned. */
static uint32_t crc32_add(uint32_t state, const uint8_t *bytes, uint64_t size)
{
	for (; size >= CRC32_SLICES; size -= CRC32_SLICES, bytes += CRC32_SLICES) {
		uint64_t word = *(const volatile uint64_t *)bytes ^ state;

		state = crc32_table[7][word & 0xff] ^ crc32_table[6][(word >> 8) & 0xff] ^
			crc32_table[5][(word >> 16) & 0xff] ^ crc32_table[4][(word >> 24) & 0xff] ^
			crc32_table[3][(word >> 32) & 0xff] ^ crc32_table[2][(word >> 40) & 0xff] ^
			crc32_table[1][(word >> 48) & 0xff] ^ crc32_table[0][word >> 56];
	}
	for (; size > 0; size--, bytes++)
		state = (state >> 8) ^ crc32_table[0][(state ^ *bytes) & 0xff];
	return state;
}

static uint8_t *scatter_slot(const struct scatter *scatter, uint64_t index)
{
	return scatter->work + (index * scatter->stride) % scatter->slots * PAGE_BYTES;
}

static void copy_words(uint8_t *to, const uint8_t *from, uint64_t first, uint64_t end)
{
	volatile uint64_t *words = (volatile uint64_t *)to;
	const volatile uint64_t *source = (const volatile uint64_t *)from;

	for (uint64_t i = first; i < end; i++)
		words[i] = source[i];
}

/* Before page @index, which all virtual CPUs come to. */
static void meet_at(struct scatter *scatter, uint64_t index)
{
	if (index % MEETING_PAGES == 0)
		meet(scatter);
}

/* In the middle of page @index: @callers virtual CPUs are at it, and call in turn. */
static void report_progress(const struct scatter *scatter, uint64_t index, uint64_t callers,
			    const uint8_t *in_use)
{
	if (index % GUEST_PROGRESS_PAGES == 0 &&
	    (callers == 1 || index / GUEST_PROGRESS_PAGES % callers == scatter->self))
		guest_call(GUEST_CALL_PROGRESS, (uintptr_t)in_use, 0, 0);
}

static void scatter_copy(struct scatter *scatter)
{
	const uint64_t first = PAGE_WORDS * scatter->self / scatter->together;
	const uint64_t end = PAGE_WORDS * (scatter->self + 1) / scatter->together;
	const uint64_t middle = first + (end - first) / 2;

	for (uint64_t i = 0; i < scatter->slots; i++) {
		const uint8_t *from = scatter->input + i % scatter->file_pages * PAGE_BYTES;
		uint8_t *to = scatter_slot(scatter, i);

		meet_at(scatter, i);
		copy_words(to, from, first, middle);
		report_progress(scatter, i, scatter->together, to);
		copy_words(to, from, middle, end);
	}
}

/* Sums @pages pages of the repetition that starts at index @first, at most the file; @callers virtual CPUs
 * do so at the same time, all of them or this one alone. */
static uint32_t scatter_sum(struct scatter *scatter, uint64_t first, uint64_t pages,
			    uint64_t callers)
{
	uint32_t state = ~0u;

	for (uint64_t page = 0; page < pages; page++) {
		const uint8_t *from = scatter_slot(scatter, first + page);
		uint64_t left = scatter->size - page * PAGE_BYTES;
		uint64_t here = left < PAGE_BYTES ? left : PAGE_BYTES;
		uint64_t half = here < HALF_PAGE ? here : HALF_PAGE;

		if (callers > 1)
			meet_at(scatter, first + page);
		state = crc32_add(state, from, half);
		report_progress(scatter, first + page, callers, from);
		/* It said that it is in the middle of its use: so it is, whatever is left to sum. */
		(void)*(const volatile uint8_t *)from;
		state = crc32_add(state, from + half, here - half);
	}
	return ~state;
}

void guest_entry(const uint8_t *input, uint64_t size, uint8_t *work, uint64_t slots,
		 uint64_t stride, uint64_t self, uint64_t together)
	__attribute__((section(".text.entry")));

void guest_entry(const uint8_t *input, uint64_t size, uint8_t *work, uint64_t slots,
		 uint64_t stride, uint64_t self, uint64_t together)
{
	struct scatter scatter = {
		.input = input,
		.size = size,
		.file_pages = (size + PAGE_BYTES - 1) / PAGE_BYTES,
		.work = work,
		.slots = slots,
		.stride = stride,
		.self = self,
		.together = together,
	};
	const uint64_t whole = slots / scatter.file_pages;
	const uint64_t rest = slots % scatter.file_pages;
	uint64_t different = 0;
	uint64_t repetitions = self == 0; /* the first is everybody's, and counted once */

	if (self == 0)
		crc32_make_table();
	scatter_copy(&scatter);
	meet(&scatter);

	uint32_t sum = scatter_sum(&scatter, 0, scatter.file_pages, together);
	for (uint64_t i = 1 + self; i < whole; i += together) {
		different +=
			scatter_sum(&scatter, i * scatter.file_pages, scatter.file_pages, 1) != sum;
		repetitions++;
	}
	if (rest != 0 && self == 0) {
		/* The area ends within a repetition: its pages are all whole ones. */
		uint64_t last = whole * scatter.file_pages;

		different +=
			scatter_sum(&scatter, last, rest, 1) != scatter_sum(&scatter, 0, rest, 1);
		repetitions++;
	}

	for (;;)
		guest_call(GUEST_CALL_REPORT, sum, repetitions, different);
}
