/* SPDX-License-Identifier: BSD-3-Clause */
#include "share_table.h"
#include <arch/canary.h>

#if STRATA_CHECKED

struct share_table shares;

uint64_t shares_table_size(uint64_t pages)
{
	uint64_t slack = pages < TABLE_SLACK ? pages : TABLE_SLACK;

	return page_align_up((pages + slack) * sizeof(struct share));
}

void shares_init(const struct mm_config *config, struct prange table)
{
	uint64_t places = prange_size(table) / sizeof(struct share);

	shares.table = linear(table.start);
	shares.capacity = places < INDEX_UNCERTIFIED ? (uint32_t)places : INDEX_UNCERTIFIED;
	shares.frontier = INDEX_NONE + 1;
	shares.oldest = shares.newest = INDEX_NONE;
	shares.ended = 0;
	shares.uncertified_raw = 0;
	/* Relaxed: nothing runs yet. */
	atomic_store_explicit(&shares.nonce, 0, memory_order_relaxed);
	shares.statistics = (struct share_statistics){ .capacity = shares.capacity - 1 };
	shares.violation = config->violation;
}

share_violation_hook share_violation_attach(share_violation_hook hook)
{
	share_violation_hook before = shares.violation;

	shares.violation = hook;
	return before;
}

struct share_statistics share_statistics(void)
{
	return shares.statistics;
}

const char *share_kind_name(enum share_kind kind)
{
	switch (kind) {
#define SHARE_KIND_CASE(name, text)                                                                \
	case name:                                                                                 \
		return text;
		SHARE_KIND_LIST(SHARE_KIND_CASE)
#undef SHARE_KIND_CASE
	}
	return "unknown share";
}

const char *share_violation_name(enum share_violation_sort sort)
{
	switch (sort) {
#define SHARE_VIOLATION_CASE(name, sentence)                                                       \
	case name:                                                                                 \
		return sentence;
		SHARE_VIOLATION_LIST(SHARE_VIOLATION_CASE)
#undef SHARE_VIOLATION_CASE
	}
	return "unknown violation";
}

/* ---- Code addresses ------------------------------------------------------------------------ */

/* All code of a program lies within 2 GiB of this. */
int32_t share_code_offset(uintptr_t address)
{
	return (int32_t)(address - (uintptr_t)&shares_init);
}

uintptr_t share_code_address(int32_t offset)
{
	return offset == 0 ? 0 : (uintptr_t)&shares_init + (uintptr_t)(intptr_t)offset;
}

/* ---- The table; its lock is held ----------------------------------------------------------- */

bool share_is_of(const struct share *share, enum share_kind kind, struct prange pages)
{
	return share->kind == kind && share->start.value == pages.start.value &&
	       (uint64_t)share->pages << PAGE_SHIFT == prange_size(pages);
}

void share_end(uint32_t index, enum share_state state)
{
	struct share *share = &shares.table[index];

	share->state = (uint8_t)state;
	share->next = INDEX_NONE;
	if (shares.ended++ == 0)
		shares.oldest = index;
	else
		shares.table[shares.newest].next = index;
	shares.newest = index;
	shares.statistics.certified--;
}

/* A place for a share, INDEX_NONE if there is none. */
static uint32_t take_place(void)
{
	bool has_new = shares.frontier < shares.capacity;

	if (shares.ended > (has_new ? EVIDENCE : 0)) {
		uint32_t index = shares.oldest;

		shares.oldest = shares.table[index].next;
		shares.ended--;
		return index;
	}
	return has_new ? shares.frontier++ : INDEX_NONE;
}

uint32_t share_add(enum share_kind kind, struct prange pages, uintptr_t by, enum share_state state)
{
	uint32_t index = take_place();

	if (index == INDEX_NONE) {
		shares.statistics.uncertified++;
		return INDEX_NONE;
	}

	/* Relaxed: the table's lock orders who adds; share_page_born only asks how far it is. */
	uint32_t nonce = atomic_load_explicit(&shares.nonce, memory_order_relaxed);

	if (!CANARY(nonce_repeated) || index <= 1)
		nonce++;
	atomic_store_explicit(&shares.nonce, nonce, memory_order_relaxed);
	shares.table[index] = (struct share){
		.start = pages.start,
		.pages = (uint32_t)(prange_size(pages) >> PAGE_SHIFT),
		.nonce = nonce,
		.made_by = share_code_offset(by),
		.kind = (uint8_t)kind,
		.state = (uint8_t)state,
	};
	shares.statistics.certified++;
	return index;
}

#endif
