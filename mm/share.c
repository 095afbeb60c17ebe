/* SPDX-License-Identifier: BSD-3-Clause */
#include "share.h"

#if STRATA_CHECKED

#include "lock.h"
#include "panic.h"
#include "slot.h"
#include <stdatomic.h>

/* A certificate's index: of its share, and whether it is borrowed. */
#define INDEX_BORROWED (UINT32_C(1) << 31)
#define INDEX_UNCERTIFIED (INDEX_BORROWED - 1)
#define INDEX_NONE UINT32_C(0) /* the table's first place stays empty */

/* So many ended shares stay as evidence before the oldest one's place is used again. */
#define EVIDENCE 4096
#define TABLE_SLACK UINT64_C(8192) /* or the number of pages, if that is less */

enum share_state {
	SHARE_LIVE,
	SHARE_CLAIMED, /* by an operation that will end it, unless it fails */
	SHARE_RAW,
	SHARE_ENDED,
	SHARE_TAKEN, /* ended, and was raw */
};

struct share {
	struct paddr start;
	uint32_t pages;
	uint32_t nonce;	 /* of no other share, for 2^32 shares */
	int32_t made_by; /* code addresses, from this file's own; 0: not known */
	int32_t ended_by;
	uint32_t
		next; /* of a raw share: the page's next one; of an ended one: the next to be reused */
	uint8_t kind;
	uint8_t state;
};

_Static_assert(sizeof(struct share) == 32, "strata/share.h says how large it is");

static struct {
	struct ticket_lock lock;
	struct share *table;
	uint32_t capacity;		/* places in the table, the empty one too */
	uint32_t frontier;		/* the first place that was never used */
	uint32_t oldest, newest, ended; /* ended shares, in the order of their ends */
	uint32_t uncertified_raw;	/* raw shares that are not in the table */
	_Atomic uint32_t nonce;		/* the last one given out */
	struct share_statistics statistics;
	share_violation_hook violation;
} shares;

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
static int32_t code_offset(uintptr_t address)
{
	return (int32_t)(address - (uintptr_t)&shares_init);
}

static uintptr_t code_address(int32_t offset)
{
	return offset == 0 ? 0 : (uintptr_t)&shares_init + (uintptr_t)(intptr_t)offset;
}

/* ---- Pages --------------------------------------------------------------------------------- */

void share_page_born(struct share_page *page)
{
	page->born = atomic_load_explicit(&shares.nonce, memory_order_relaxed);
}

/* What is known of the page at @address; NULL if it is not memory, or never was used. */
static struct share_page *page_at_address(struct paddr address)
{
	struct zone *zone = is_page_aligned(address.value) ? zone_of(address) : NULL;

	if (zone == NULL || !(zone_section(zone, address) & SECTION_READY))
		return NULL;
	return share_page_of(zone, address);
}

/* Nonces wrap. */
static bool is_newer(uint32_t nonce, uint32_t than)
{
	return (int32_t)(nonce - than) > 0;
}

/* Whether some page of @pages began another life after the share of @nonce was made. */
static bool is_reused(struct prange pages, uint32_t nonce)
{
	for (struct paddr page = pages.start; page.value < pages.end.value;
	     page.value += PAGE_SIZE) {
		const struct share_page *known = page_at_address(page);

		if (known == NULL)
			return false;
		if (!is_newer(nonce, known->born))
			return true;
	}
	return false;
}

/* ---- The table; its lock is held ----------------------------------------------------------- */

static bool is_of(const struct share *share, enum share_kind kind, struct prange pages)
{
	return share->kind == kind && share->start.value == pages.start.value &&
	       (uint64_t)share->pages << PAGE_SHIFT == prange_size(pages);
}

static void end(uint32_t index, enum share_state state)
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

/* INDEX_NONE if the table is full. */
static uint32_t make(enum share_kind kind, struct prange pages, uintptr_t by,
		     enum share_state state)
{
	uint32_t index = take_place();

	if (index == INDEX_NONE) {
		shares.statistics.uncertified++;
		return INDEX_NONE;
	}

	uint32_t nonce = atomic_load_explicit(&shares.nonce, memory_order_relaxed) + 1;

	atomic_store_explicit(&shares.nonce, nonce, memory_order_relaxed);
	shares.table[index] = (struct share){
		.start = pages.start,
		.pages = (uint32_t)(prange_size(pages) >> PAGE_SHIFT),
		.nonce = nonce,
		.made_by = code_offset(by),
		.kind = (uint8_t)kind,
		.state = (uint8_t)state,
	};
	shares.statistics.certified++;
	return index;
}

static struct share_certificate certify(uint32_t index)
{
	if (index == INDEX_NONE)
		return (struct share_certificate){ INDEX_UNCERTIFIED, 0 };
	return (struct share_certificate){ index, shares.table[index].nonce };
}

/* ---- Judging ------------------------------------------------------------------------------- */

static void add_owners(struct share_violation *violation, const struct share *share)
{
	violation->made_by = code_address(share->made_by);
	violation->ended_by = code_address(share->ended_by);
}

/* Says what is wrong with using, or ending, the share of @certificate; false if nothing is. */
static bool is_violation(struct share_certificate certificate, bool ends,
			 struct share_violation *violation)
{
	uint32_t index = certificate.index & ~INDEX_BORROWED;
	bool borrowed = (certificate.index & INDEX_BORROWED) != 0;
	const struct share *share;

	violation->sort = SHARE_BORROWED_ENDED;
	if (index == INDEX_UNCERTIFIED)
		return borrowed && ends;

	violation->sort = SHARE_FORGED;
	if (index == INDEX_NONE || index >= shares.frontier)
		return true;
	share = &shares.table[index];
	if (is_newer(certificate.nonce, share->nonce))
		return true;
	if (certificate.nonce == share->nonce) {
		bool usable =
			share->state == SHARE_LIVE || (share->state == SHARE_CLAIMED && !ends);

		add_owners(violation, share);
		if (!is_of(share, violation->kind, violation->pages))
			return true;
		violation->sort = SHARE_BORROWED_ENDED;
		if (borrowed && ends)
			return true;
		if (usable)
			return false;
	}
	if (is_reused(violation->pages, certificate.nonce))
		violation->sort = SHARE_STALE;
	else
		violation->sort = ends ? SHARE_ENDED_TWICE : SHARE_USED_AFTER_END;
	return true;
}

/* Nothing is locked any more. */
static void report(const struct share_violation *violation)
{
	if (shares.violation == NULL)
		mm_panic(share_violation_name(violation->sort), violation->pages.start.value);
	shares.violation(violation);
}

/* ---- A share's life ------------------------------------------------------------------------ */

void share_make(enum share_kind kind, struct prange pages, uintptr_t by,
		struct share_certificate *out)
{
	ticket_lock(&shares.lock);
	*out = certify(make(kind, pages, by, SHARE_LIVE));
	ticket_unlock(&shares.lock);
}

static bool judge(struct share_certificate certificate, bool ends,
		  struct share_violation *violation)
{
	bool guilty;

	ticket_lock(&shares.lock);
	guilty = is_violation(certificate, ends, violation);
	if (guilty) {
		shares.statistics.violations++;
	} else if (ends && certificate.index != INDEX_UNCERTIFIED) {
		shares.table[certificate.index].state = SHARE_CLAIMED;
		shares.table[certificate.index].ended_by = code_offset(violation->caller);
	}
	ticket_unlock(&shares.lock);
	if (guilty)
		report(violation);
	return !guilty;
}

bool share_use(struct share_certificate certificate, enum share_kind kind, struct prange pages,
	       uintptr_t by)
{
	struct share_violation violation = { .kind = kind, .pages = pages, .caller = by };

	return judge(certificate, false, &violation);
}

bool share_claim(struct share_certificate certificate, enum share_kind kind, struct prange pages,
		 uintptr_t by)
{
	struct share_violation violation = { .kind = kind, .pages = pages, .caller = by };

	return judge(certificate, true, &violation);
}

void share_settle(struct share_certificate certificate, bool ended)
{
	if (certificate.index == INDEX_UNCERTIFIED)
		return;
	ticket_lock(&shares.lock);
	if (ended) {
		end(certificate.index, SHARE_ENDED);
	} else {
		shares.table[certificate.index].state = SHARE_LIVE;
		shares.table[certificate.index].ended_by = 0;
	}
	ticket_unlock(&shares.lock);
}

struct share_certificate share_borrow(struct share_certificate certificate)
{
	certificate.index |= INDEX_BORROWED;
	return certificate;
}

/* ---- Raw shares ---------------------------------------------------------------------------- */

void share_make_raw(enum share_kind kind, struct prange pages, uintptr_t by)
{
	struct share_page *page = page_at_address(pages.start);
	uint32_t index;

	ticket_lock(&shares.lock);
	index = page == NULL ? INDEX_NONE : make(kind, pages, by, SHARE_RAW);
	if (index == INDEX_NONE) {
		shares.uncertified_raw++;
	} else {
		shares.table[index].next = page->raw;
		page->raw = index;
	}
	ticket_unlock(&shares.lock);
}

/* Takes a raw share of @pages from @page; INDEX_NONE if there is none. */
static uint32_t unlink_raw(struct share_page *page, enum share_kind kind, struct prange pages)
{
	uint32_t *link = &page->raw;

	while (*link != INDEX_NONE && !is_of(&shares.table[*link], kind, pages))
		link = &shares.table[*link].next;

	uint32_t index = *link;

	if (index != INDEX_NONE)
		*link = shares.table[index].next;
	return index;
}

/* Why there is no raw share of @violation's pages. */
static void explain_missing(const struct share_page *page, struct share_violation *violation)
{
	violation->sort = SHARE_RAW_UNKNOWN;
	if (page == NULL || page->taken == INDEX_NONE)
		return;

	const struct share *taken = &shares.table[page->taken];

	if (taken->state != SHARE_TAKEN || !is_of(taken, violation->kind, violation->pages))
		return;
	violation->sort = SHARE_RAW_TAKEN_TWICE;
	add_owners(violation, taken);
}

bool share_take_raw(enum share_kind kind, struct prange pages, uintptr_t by,
		    struct share_certificate *out)
{
	struct share_violation violation = { .kind = kind, .pages = pages, .caller = by };
	struct share_page *page = page_at_address(pages.start);
	uint32_t index = INDEX_NONE;
	bool guilty = false;

	ticket_lock(&shares.lock);
	if (page != NULL)
		index = unlink_raw(page, kind, pages);
	if (index != INDEX_NONE) {
		shares.table[index].ended_by = code_offset(by);
		end(index, SHARE_TAKEN);
		page->taken = index;
	} else if (shares.uncertified_raw > 0) {
		shares.uncertified_raw--;
	} else {
		explain_missing(page, &violation);
		shares.statistics.violations++;
		guilty = true;
	}
	*out = guilty ? (struct share_certificate){ INDEX_NONE, 0 }
		      : certify(make(kind, pages, by, SHARE_LIVE));
	ticket_unlock(&shares.lock);
	if (guilty)
		report(&violation);
	return !guilty;
}

#endif
