/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owners of pages: who may give them to whom, and who has them afterwards.
 *
 * What narrows access is reported while nobody else can get at the pages: there every status but
 * MM_IN_USE is exact, whatever other CPUs do. What widens it, and a claim, is reported after others may
 * have made use of it, or have been refused for it.
 */
#include "one_step.h"
#include "permission.h"

#define OK STATUS_SET(MM_OK)
#define DENIED STATUS_SET(MM_ACCESS_DENIED)
#define IN_USE STATUS_SET(MM_IN_USE)

/* A space as an owner. NULL: the hypervisor. */
static struct live_owner *owner_named(struct store *store, store_id name)
{
	const struct vm_space *space = (const struct vm_space *)(uintptr_t)name;
	struct live_owner *owner;

	if (space == NULL)
		return NULL;
	owner = owners_of_space(&store->owners, space);
	return owner == NULL ? &store->owners.elsewhere : owner;
}

/* EL2's own table maps what it likes, and owns nothing. */
static bool owns_nothing(struct store *store, const struct vm_space *space)
{
	const struct live_space *live = registry_space(&store->registry, space);

	return live != NULL && spec_is_el2s_own(&live->state);
}

/* ---- Sharings ------------------------------------------------------------------------------ */

static bool is_a_set(struct store *store, const struct op *op)
{
	const struct vm_space *maker = (const struct vm_space *)(uintptr_t)op->from;

	if (maker != NULL && owns_nothing(store, maker))
		return false;
	for (uint64_t i = 0; i < op->count; i++) {
		const struct vm_space *member = op->members[i];

		if (member == NULL || member == maker || owns_nothing(store, member))
			return false;
		for (uint64_t other = 0; other < i; other++) {
			if (op->members[other] == member)
				return false;
		}
	}
	return true;
}

/* Whether there is room for one more is not in the store; it may be asked before the members are. */
static status_set new_statuses(struct store *store, const struct op *op)
{
	return STATUS_SET(MM_NO_MEMORY) | (is_a_set(store, op) ? OK : STATUS_SET(MM_INVALID_ARGS));
}

static struct live_sharing *sharing_of(const struct store *store, const struct op *op)
{
	return owners_sharing(&store->owners, (const void *)(uintptr_t)op->sharing);
}

/* Who gives a page of it up says so before he does. */
static status_set destroy_statuses(const struct store *store, const struct op *op)
{
	const struct live_sharing *sharing = sharing_of(store, op);

	if (sharing == NULL)
		return OK | STATUS_SET(MM_BUSY);
	if (sharing->shared->pages != 0 || sharing->lent->pages != 0)
		return STATUS_SET(MM_BUSY);
	return OK | step_race(store, STATUS_SET(MM_BUSY));
}

static void make(const struct step *step)
{
	struct store *store = step->store;
	const struct op *op = step->op;
	struct live_sharing *sharing = owners_add_sharing(
		&store->owners, (const void *)(uintptr_t)op->sharing, owner_named(store, op->from));

	registry_begin(&store->registry, (const void *)(uintptr_t)op->sharing);
	store->out_of_storage = store->out_of_storage || sharing == NULL;
	for (uint64_t i = 0; i < op->count && !store->out_of_storage; i++) {
		struct live_owner *member = owner_named(store, (uintptr_t)op->members[i]);

		store->out_of_storage = !owners_add_member(&store->owners, sharing, member);
	}
}

/* ---- Pages change hands -------------------------------------------------------------------- */

/* Between whom; NULL: the hypervisor. */
struct hands {
	struct live_owner *from;
	struct live_owner *to;
	bool widens; /* who has access keeps it */
};

static struct hands hands_of(struct store *store, const struct op *op)
{
	const struct live_sharing *sharing = sharing_of(store, op);
	struct live_owner *elsewhere = &store->owners.elsewhere;

	if (sharing == NULL && op->kind != OPERATION_OWNERSHIP_DONATE)
		return (struct hands){ elsewhere, elsewhere, false };
	switch ((enum owner_operation)op->kind) {
	case OPERATION_OWNERSHIP_DONATE:
		return (struct hands){ owner_named(store, op->from), owner_named(store, op->to),
				       false };
	case OPERATION_OWNERSHIP_SHARE:
		return (struct hands){ sharing->maker, sharing->shared, true };
	case OPERATION_OWNERSHIP_UNSHARE:
		return (struct hands){ sharing->shared, sharing->maker, false };
	case OPERATION_OWNERSHIP_LEND:
		return (struct hands){ sharing->maker, sharing->lent, false };
	case OPERATION_OWNERSHIP_RECLAIM:
		return (struct hands){ sharing->lent, sharing->maker, false };
	case OPERATION_SHARING_NEW: /* no pages change hands */
	case OPERATION_SHARING_DESTROY:
	case OPERATION_OWNER_CLAIM:
	case OPERATION_OWNER_END:
	case OPERATION_OWNERSHIP_SETTLED:
		break;
	}
	return (struct hands){ elsewhere, elsewhere, false };
}

static bool is_owner(const struct live_owner *of_page, const struct live_owner *owner)
{
	return of_page == owner || (owner == NULL && owner_is_hypervisor(of_page));
}

/* What one page has to say to its changing hands; nothing: it may. */
static status_set page_refusals(const struct store *store, const struct page_record *record,
				const struct hands *hands)
{
	status_set refusals = 0;

	/* From before the model began: nothing is known of it. */
	if (record == NULL || owner_is_open(record->owner) || owner_is_open(hands->from))
		return OK | DENIED | (hands->widens ? 0 : IN_USE);
	if (!hands->widens && (record->state != PAGE_SHARED || record->references != 1))
		refusals |= IN_USE;
	if (!is_owner(record->owner, hands->from)) {
		refusals |= DENIED;
		/* A claim of the giver's that was not reported yet. */
		if (hands->widens && owner_is_hypervisor(record->owner))
			refusals |= step_race(store, OK);
	}
	return refusals;
}

static status_set change_statuses(struct store *store, const struct op *op)
{
	struct hands hands = hands_of(store, op);
	struct prange pages = op->handle_pages;
	status_set refusals = 0;
	bool refused = false;

	if (op->kind == OPERATION_OWNERSHIP_DONATE &&
	    (op->from == op->to ||
	     owns_nothing(store, (const struct vm_space *)(uintptr_t)op->from) ||
	     owns_nothing(store, (const struct vm_space *)(uintptr_t)op->to)))
		return STATUS_SET(MM_INVALID_ARGS);
	for (; pages.start.value < pages.end.value; pages.start.value += PAGE_SIZE) {
		status_set page =
			page_refusals(store, regions_find(&store->regions, pages.start), &hands);

		refusals |= page;
		refused = refused || (page != 0 && !status_in(page, MM_OK));
	}
	if (refused)
		refusals &= ~OK;
	else
		refusals |= OK | (hands.widens ? step_race(store, DENIED) : 0);
	/* Somebody may have had a reference that he has not reported, or gave up since. */
	return refusals | (hands.widens ? 0 : step_race(store, IN_USE));
}

static bool is_anybodys(const struct live_owner *owner)
{
	(void)owner;
	return true;
}

static bool is_claimable(const struct live_owner *owner)
{
	return owner_is_hypervisor(owner) || owner->state == OWNER_ENDS;
}

/* Those pages of which @takes says so are @to's. The ones that nothing is known of are left out. */
static void give(const struct step *step, struct prange pages, struct live_owner *to,
		 bool (*takes)(const struct live_owner *owner))
{
	struct store *store = step->store;
	uint64_t count;

	for (; pages.start.value < pages.end.value; pages.start.value += count << PAGE_SHIFT) {
		struct page_record *record;

		count = 1;
		if (regions_find(&store->regions, pages.start) == NULL)
			continue;
		record = regions_run(&store->regions, pages, &count);
		if (record == NULL)
			store->out_of_storage = true;
		else if (takes(record->owner))
			owners_give(&store->owners, record, count, to);
	}
}

/* ---- Claims -------------------------------------------------------------------------------- */

static status_set claim_statuses(struct store *store, const struct op *op)
{
	switch (owners_permission(store, owner_named(store, op->to), op->pages,
				  store_alone(store))) {
	case PERMITTED:
		return OK;
	case NOT_PERMITTED:
		return DENIED;
	case OPEN:
		break;
	}
	return OK | DENIED;
}

/* ---- All of them --------------------------------------------------------------------------- */

status_set owner_statuses(struct store *store, const struct op *op)
{
	switch ((enum owner_operation)op->kind) {
	case OPERATION_SHARING_NEW:
		return new_statuses(store, op);
	case OPERATION_SHARING_DESTROY:
		return destroy_statuses(store, op);
	case OPERATION_OWNER_CLAIM:
		return claim_statuses(store, op);
	case OPERATION_OWNER_END:
	case OPERATION_OWNERSHIP_SETTLED:
		return OK;
	case OPERATION_OWNERSHIP_DONATE:
	case OPERATION_OWNERSHIP_SHARE:
	case OPERATION_OWNERSHIP_UNSHARE:
	case OPERATION_OWNERSHIP_LEND:
	case OPERATION_OWNERSHIP_RECLAIM:
		return change_statuses(store, op);
	}
	return STATUS_NONE;
}

void owner_step(const struct step *step)
{
	struct store *store = step->store;
	const struct op *op = step->op;
	struct live_sharing *sharing = sharing_of(store, op);
	struct live_owner *owner;

	switch ((enum owner_operation)op->kind) {
	case OPERATION_SHARING_NEW:
		make(step);
		break;
	case OPERATION_SHARING_DESTROY:
		registry_end(&store->registry, (const void *)(uintptr_t)op->sharing);
		if (sharing != NULL)
			owners_remove_sharing(&store->owners, sharing);
		break;
	case OPERATION_OWNER_CLAIM:
		give(step, op->pages, owner_named(store, op->to), is_claimable);
		break;
	case OPERATION_OWNER_END:
		owner = owner_named(store, op->from);
		if (owner != NULL && owner->state == OWNER_ENDS)
			owners_depart(&store->owners, owner);
		break;
	case OPERATION_OWNERSHIP_SETTLED: /* they are whose they were given to */
		break;
	case OPERATION_OWNERSHIP_DONATE:
	case OPERATION_OWNERSHIP_SHARE:
	case OPERATION_OWNERSHIP_UNSHARE:
	case OPERATION_OWNERSHIP_LEND:
	case OPERATION_OWNERSHIP_RECLAIM:
		give(step, op->handle_pages, hands_of(store, op).to, is_anybodys);
		break;
	}
}
