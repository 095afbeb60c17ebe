/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces: when one can be made, activated, destroyed, or have its flags kept by the hardware. */
#include "one_step.h"

#include <arch/features.h>

#define OK STATUS_SET(MM_OK)
#define BUSY STATUS_SET(MM_BUSY)

/* Whether the CPU has a cursor open on @space; on any Stage-1 space, if that is NULL. */
static bool holds_cursor(const struct store *store, unsigned int cpu, const struct vm_space *space)
{
	const struct open_cursor *open;

	LIST_FOREACH(open, &store->registry.cursors, link)
	{
		if (open->cpu == cpu && open->space != NULL &&
		    (space == NULL ? open->space->table.stage == STAGE_1
				   : open->space->space == space))
			return true;
	}
	return false;
}

static bool has_windows(const struct store *store, const struct live_space *el2)
{
	const struct live_space *live;

	LIST_FOREACH(live, &store->registry.spaces, link)
	{
		if (live->el2 == el2->space)
			return true;
	}
	return false;
}

/* A window space joins EL2's own, and parts from it: this CPU may hold the root, or not wait for it. */
static status_set destroy_statuses(struct store *store, const struct live_space *space,
				   unsigned int cpu)
{
	if (registry_holder(&store->registry, space, walk_table_range(&space->table), NULL) !=
		    NULL ||
	    space->active_cpus != 0 || has_windows(store, space))
		return BUSY;
	return space->el2 != NULL && (holds_cursor(store, cpu, space->el2) ||
				      store_may_refuse(store, cpu))
		       ? OK | BUSY
		       : OK;
}

static status_set activate_statuses(const struct live_space *space)
{
	if (spec_is_el2s_own(&space->state))
		return STATUS_SET(MM_INVALID_ARGS);
	/* What EL2 runs on is not in the store. */
	return space->table.stage == STAGE_1 ? OK | STATUS_SET(MM_NOT_SUPPORTED) : OK;
}

/* Whether a log runs that lists what faults: others begin where flags are the hardware's already. */
static bool has_log_by_faults(const struct store *store, const struct live_space *space)
{
	const struct live_log *log;

	LIST_FOREACH(log, &store->logs, link)
	{
		if (log->space == space && !space->state.hardware_flags)
			return true;
	}
	return false;
}

static status_set use_hardware_flags_statuses(struct store *store, const struct live_space *space)
{
	status_set refusals = 0;

	if (space->table.stage != STAGE_2)
		refusals |= STATUS_SET(MM_INVALID_ARGS);
	if (!arch_features()->dirty_state)
		refusals |= STATUS_SET(MM_NOT_SUPPORTED);
	if (space->was_active || has_log_by_faults(store, space) ||
	    registry_holder(&store->registry, space, walk_table_range(&space->table), NULL) != NULL)
		refusals |= BUSY;
	return refusals != 0 ? refusals : OK;
}

/* 64 - 39 bits are the fewest there can be (TxSZ, without FEAT_TTST). */
#define BITS_MIN 25

/* Of a window space it is open whether EL2 runs on the table below: that is not in the store. */
static status_set new_statuses(const struct store *store, const struct op *op)
{
	uint64_t bits_max = op->stage == STAGE_2 ? arch_features()->pa_bits : ADDRESS_BITS_MAX;
	status_set made = OK | STATUS_SET(MM_NO_MEMORY);

	if (op->count < BITS_MIN || op->count > bits_max || !arch_features()->granule_4k)
		return STATUS_SET(MM_NOT_SUPPORTED);
	if (op->part != SPACE_IN_WINDOW)
		return made;
	return made | STATUS_SET(MM_NOT_SUPPORTED) |
	       (holds_cursor(store, op->cpu, NULL) || store_may_refuse(store, op->cpu) ? BUSY : 0);
}

status_set space_statuses(struct store *store, const struct op *op)
{
	const struct live_space *space = store_space(store, op->space);

	switch ((enum space_operation)op->kind) {
	case OPERATION_SPACE_NEW:
		return new_statuses(store, op);
	case OPERATION_SPACE_DEACTIVATE:
		return OK;
	case OPERATION_SPACE_DESTROY:
		return space == NULL ? STATUS_ANY : destroy_statuses(store, space, op->cpu);
	case OPERATION_SPACE_USE_HARDWARE_FLAGS:
		return space == NULL ? STATUS_ANY : use_hardware_flags_statuses(store, space);
	case OPERATION_SPACE_ACTIVATE:
		return space == NULL ? STATUS_ANY : activate_statuses(space);
	}
	return STATUS_NONE;
}
