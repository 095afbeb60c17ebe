/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose pages are, by the model and by the subsystem. */
#include "states.h"

#include <stdio.h>

static void print_sharing(const struct trace *trace, const struct sharing *sharing, bool lent)
{
	int found = -1;

	for (unsigned int i = 0; i < object_count(OBJECT_SHARING); i++)
		if (trace->live[OBJECT_SHARING][i] && trace->objects.sharings[i] == sharing)
			found = (int)i;
	printf("sharing %d, %s", found, lent ? "lent" : "shared");
}

void states_print_owner(const struct trace *trace, const struct live_owner *owner)
{
	if (owner_is_hypervisor(owner))
		printf("the hypervisor");
	else if (owner->state == OWNER_ELSEWHERE)
		printf("somebody from before");
	else if (owner->sharing != NULL)
		print_sharing(trace, owner->sharing->name, owner->lent);
	else
		printf("space %u", states_space_number(owner->space));
	if (owner != NULL && owner->state == OWNER_ENDS)
		printf(", which ends");
}

void states_print_owner_said(const struct trace *trace, struct page_owner said)
{
	switch (said.kind) {
	case OWNER_HYPERVISOR:
		printf("the hypervisor");
		break;
	case OWNER_SPACE:
		printf("space %u", states_space_number(said.space));
		break;
	case OWNER_SHARING:
		print_sharing(trace, said.sharing, said.lent);
		break;
	case OWNER_DEVICE:
		printf("a device");
		break;
	}
}

void states_print_owners(const struct trace *trace)
{
	const struct live_owner *owner;
	const struct live_sharing *sharing;
	const struct sharing_member *member;

	printf("  owners, by the model\n");
	LIST_FOREACH(owner, &model_store()->owners.owners, link)
	{
		printf("    ");
		states_print_owner(trace, owner);
		if (owner->state == OWNER_DEPARTED)
			printf(", from a space that is gone");
		printf(": %llu pages\n", (unsigned long long)owner->pages);
	}
	LIST_FOREACH(sharing, &model_store()->owners.sharings, link)
	{
		printf("    ");
		print_sharing(trace, sharing->name, false);
		printf(" or lent by ");
		states_print_owner(trace, sharing->maker);
		printf(" to");
		LIST_FOREACH(member, &sharing->members, link)
		{
			printf(" ");
			states_print_owner(trace, member->space);
		}
		printf("\n");
	}
}
