/* SPDX-License-Identifier: BSD-3-Clause */
#include "share_table.h"

#if STRATA_CHECKED

#include "panic.h"
#include "slot.h"

/* ---- Pages --------------------------------------------------------------------------------- */

void share_page_born(struct share_page *page)
{
	/* Relaxed: of shares that are made at this moment none is of the page, which nobody has yet. */
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

/* Whether some page of @pages began another life after the share of @nonce was made. */
static bool is_reused(struct prange pages, uint32_t nonce)
{
	for (struct paddr page = pages.start; page.value < pages.end.value;
	     page.value += PAGE_SIZE) {
		const struct share_page *known = page_at_address(page);

		if (known == NULL)
			return false;
		if (!share_is_newer(nonce, known->born))
			return true;
	}
	return false;
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
	violation->made_by = share_code_address(share->made_by);
	violation->ended_by = share_code_address(share->ended_by);
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
	if (share_is_newer(certificate.nonce, share->nonce))
		return true;
	if (certificate.nonce == share->nonce) {
		bool usable =
			share->state == SHARE_LIVE || (share->state == SHARE_CLAIMED && !ends);

		add_owners(violation, share);
		if (!share_is_of(share, violation->kind, violation->pages))
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
	ticket_lock(&shares.lock, MM_LOCK_SHARES);
	*out = certify(share_add(kind, pages, by, SHARE_LIVE));
	ticket_unlock(&shares.lock);
}

static bool judge(struct share_certificate certificate, bool ends,
		  struct share_violation *violation)
{
	bool guilty;

	ticket_lock(&shares.lock, MM_LOCK_SHARES);
	guilty = is_violation(certificate, ends, violation);
	if (guilty) {
		shares.statistics.violations++;
	} else if (ends && certificate.index != INDEX_UNCERTIFIED) {
		shares.table[certificate.index].state = SHARE_CLAIMED;
		shares.table[certificate.index].ended_by = share_code_offset(violation->caller);
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
	ticket_lock(&shares.lock, MM_LOCK_SHARES);
	if (ended) {
		share_end(certificate.index, SHARE_ENDED);
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

	ticket_lock(&shares.lock, MM_LOCK_SHARES);
	index = page == NULL ? INDEX_NONE : share_add(kind, pages, by, SHARE_RAW);
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

	while (*link != INDEX_NONE && !share_is_of(&shares.table[*link], kind, pages))
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

	if (taken->state != SHARE_TAKEN || !share_is_of(taken, violation->kind, violation->pages))
		return;
	/* What was raw in another life of the pages says nothing about this one. */
	if (is_reused(violation->pages, taken->nonce))
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

	ticket_lock(&shares.lock, MM_LOCK_SHARES);
	if (page != NULL)
		index = unlink_raw(page, kind, pages);
	if (index != INDEX_NONE) {
		shares.table[index].ended_by = share_code_offset(by);
		share_end(index, SHARE_TAKEN);
		page->taken = index;
	} else if (shares.uncertified_raw > 0) {
		shares.uncertified_raw--;
	} else {
		explain_missing(page, &violation);
		shares.statistics.violations++;
		guilty = true;
	}
	*out = guilty ? (struct share_certificate){ INDEX_NONE, 0 }
		      : certify(share_add(kind, pages, by, SHARE_LIVE));
	ticket_unlock(&shares.lock);
	if (guilty)
		report(&violation);
	return !guilty;
}

#endif
