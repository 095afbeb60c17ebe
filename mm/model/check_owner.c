/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations that change owners, and whose a page is by the subsystem's word against the store's.
 *
 * While pages are on their way to fewer spaces nobody can look at them: what narrows access is stepped
 * then, and compared when they are settled.
 */
#include "check_object.h"
#include "follow.h"
#include "step.h"

#include <arch/cpu.h>
#include <strata/mm.h>
#include <inttypes.h>

static const char *owner_text(const struct live_owner *owner)
{
	if (owner_is_hypervisor(owner))
		return "the hypervisor's";
	if (owner->sharing == NULL)
		return "a space's";
	return owner->lent ? "lent by a sharing" : "shared in a sharing";
}

static const char *said_text(const struct page_owner *said)
{
	switch (said->kind) {
	case OWNER_HYPERVISOR:
		return "the hypervisor's";
	case OWNER_SPACE:
		return "a space's";
	case OWNER_SHARING:
		return said->lent ? "lent by a sharing" : "shared in a sharing";
	case OWNER_DEVICE:
		break;
	}
	return "a device's";
}

static const void *owner_name(const struct live_owner *owner)
{
	if (owner_is_hypervisor(owner))
		return NULL;
	return owner->sharing == NULL ? (const void *)owner->space : owner->sharing->name;
}

static const void *said_name(const struct page_owner *said)
{
	return said->kind == OWNER_SHARING ? (const void *)said->sharing
					   : (const void *)said->space;
}

bool check_owner(struct store *store, struct paddr page, bool settled, struct subject subject)
{
	const struct page_record *record = regions_find(&store->regions, page);
	struct page_owner said;

	if (record == NULL || record->state != PAGE_SHARED)
		return true;
	said = page_owner(page);
	if (owners_agree(record->owner, &said) ||
	    (!settled && owners_may_agree(&store->owners, record->owner, &said)))
		return true;
	difference(subject, iaddr(page.value), "the page is %s (%p), model says %s (%p)",
		   said_text(&said), said_name(&said), owner_text(record->owner),
		   owner_name(record->owner));
	follow_owner(store, page);
	return false;
}

static bool is_zeroing(const struct mm_operation *operation)
{
	return (operation->kind == OPERATION_OWNERSHIP_DONATE ||
		operation->kind == OPERATION_OWNERSHIP_RECLAIM) &&
	       operation->contents == FRAME_ZEROED;
}

/* Whether the pages are such that anybody may have them, or has them. */
static bool are_settled(const struct mm_operation *operation)
{
	switch ((enum owner_operation)operation->kind) {
	case OPERATION_OWNERSHIP_SHARE:
	case OPERATION_OWNERSHIP_SETTLED:
	case OPERATION_OWNER_CLAIM:
		return true;
	case OPERATION_SHARING_NEW:
	case OPERATION_SHARING_DESTROY:
	case OPERATION_OWNER_END:
	case OPERATION_OWNERSHIP_DONATE:
	case OPERATION_OWNERSHIP_UNSHARE:
	case OPERATION_OWNERSHIP_LEND:
	case OPERATION_OWNERSHIP_RECLAIM:
		break;
	}
	/* Else where nobody could be kept away, or nothing was meant. */
	return operation->status == MM_IN_USE || operation->status == MM_INVALID_ARGS;
}

struct last_pages {
	const struct store *store;
	const struct live_owner *owner;
	struct subject subject;
};

static bool is_hypervisors_now(struct paddr page, const struct page_record *record, void *context)
{
	const struct last_pages *last = context;
	struct page_owner said;

	if (record->owner != last->owner || !store_alone(last->store))
		return true;
	said = page_owner(page);
	if (said.kind != OWNER_HYPERVISOR)
		difference(last->subject, iaddr(page.value),
			   "the page is %s (%p), whose owner was destroyed", said_text(&said),
			   said_name(&said));
	return said.kind == OWNER_HYPERVISOR;
}

/* What somebody still holds of the pages of a space that ended. */
static void check_last_pages(const struct store *store, const struct mm_operation *operation,
			     struct subject subject)
{
	struct last_pages last = { store, owners_of_space(&store->owners, operation->from),
				   subject };

	if (last.owner != NULL && last.owner->pages != 0)
		regions_each(&store->regions, is_hypervisors_now, &last);
}

void check_owner_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct store *store = &checker->store;
	struct op op = op_of(operation);
	struct op_outcome is = outcome_of(operation);
	const char *function = op_information(op.kind)->function;
	bool is_part = function[0] == '\0'; /* of another operation */
	struct subject subject = { is_part ? op_information(op.kind)->name : function, 0 };
	status_set allowed = op_statuses(store, &op);
	struct op_outcome should_be;

	checker->operations += !is_part;
	if (!status_in(allowed, is.status)) {
		difference(subject, iaddr(op.pages.start.value), "status is %s, model says %s",
			   mm_status_name(is.status), statuses_text(allowed).text);
		/* A sharing that was made, or is gone, is followed. Of pages each says whose it is. */
		if (is.status != MM_OK || !prange_is_empty(op.pages))
			return;
	}
	check_handle(store, &op, subject);
	if (op.kind == OPERATION_OWNER_END)
		check_last_pages(store, operation, subject);
	if (is.status == MM_OK) {
		op_step(store, &op, &is, &should_be);
		if (op.kind == OPERATION_OWNER_CLAIM)
			checker->claiming |= UINT32_C(1) << cpu_index();
		if (is_zeroing(operation))
			check_zeroed(op.pages, subject);
	}
	if (are_settled(operation))
		check_pages(store, op.pages, subject);
}
