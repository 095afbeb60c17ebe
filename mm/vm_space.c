/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/vm_space.h>
#include <arch/features.h>
#include "cursor_lock.h"
#include "deferred_tables.h"
#include "device_regions.h"
#include "lock.h"
#include "owner_table.h"
#include "panic.h"
#include "sharing.h"
#include "vmid.h"
#include "window_space.h"

#define IA_BITS_MIN 25	     /* 64 - 39, the largest TxSZ without FEAT_TTST */
#define CONCATENATION_BITS 4 /* at most 16 tables at the root of Stage 2 */

/* Input address bits that one table at @level and the levels below it resolve. */
static unsigned int bits_below(int level)
{
	return level_shift(level) + LEVEL_BITS;
}

/* The root level and how many tables it takes; @concatenation_bits more than one table's. */
static struct translation_geometry geometry_for(unsigned int ia_bits,
						unsigned int concatenation_bits)
{
	int level = LEVEL_PAGE - 1;

	while (level > 0 && bits_below(level) + concatenation_bits < ia_bits)
		level--;
	return (struct translation_geometry){
		.ia_bits = (uint8_t)ia_bits,
		.root_level = (uint8_t)level,
		.root_tables =
			(uint8_t)(ia_bits > bits_below(level) ? 1U << (ia_bits - bits_below(level))
							      : 1U),
		.pa_bits = arch_features()->pa_bits,
	};
}

/* What owns the pages of a space other than EL2's own, which is the hypervisor's and needs none. */
static enum mm_status new_owner(const struct vm_space *space, struct owner **out)
{
	enum mm_status status = ownership_lock_for(1);

	if (status != MM_OK)
		return status;
	*out = owner_new(space, NULL, false);
	ticket_unlock(&ownership_lock);
	return MM_OK;
}

static void disown(const struct vm_space *space)
{
	if (space->owner == NULL)
		return;
	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	sharings_forget(space->owner);
	owner_depart(space->owner);
	ticket_unlock(&ownership_lock);
	REPORT(.kind = OPERATION_OWNER_END, .from = space);
}

/* From its end: all pages of a root are known by the first, which may be another root once it is free. */
static void free_root(struct paddr root, unsigned int tables)
{
	for (unsigned int i = tables; i-- > 0;)
		node_free(paddr(root.value + i * PAGE_SIZE));
}

static enum mm_status make(enum translation_stage stage, enum vm_space_part part,
			   struct translation_geometry geometry, struct vm_space *out)
{
	struct owner *owner = NULL;
	struct paddr root;
	enum mm_status status = node_new_root(geometry.root_tables, geometry.root_level, &root);

	if (status != MM_OK)
		return status;
	if (stage == STAGE_2 || part == SPACE_IN_WINDOW)
		status = new_owner(out, &owner);
	if (status != MM_OK) {
		free_root(root, geometry.root_tables);
		return status;
	}
	*out = (struct vm_space){
		.stage = stage,
		.geometry = geometry,
		.range = irange(iaddr(0), iaddr(UINT64_C(1) << geometry.ia_bits)),
		.root = root,
		.context = { .root = root, .geometry = geometry },
		.owner = owner,
		.part = part,
	};
	return MM_OK;
}

static enum mm_status make_stage2(unsigned int ia_bits, struct vm_space *out)
{
	if (ia_bits < IA_BITS_MIN || ia_bits > arch_features()->pa_bits ||
	    !arch_features()->granule_4k)
		return MM_NOT_SUPPORTED;
	return make(STAGE_2, SPACE_WHOLE, geometry_for(ia_bits, CONCATENATION_BITS), out);
}

static enum mm_status make_stage1(unsigned int ia_bits, enum vm_space_part part,
				  struct vm_space *out)
{
	if (ia_bits < IA_BITS_MIN || ia_bits > ADDRESS_BITS_MAX || !arch_features()->granule_4k)
		return MM_NOT_SUPPORTED;
	return make(STAGE_1, part, geometry_for(ia_bits, 0), out);
}

static enum mm_status report_new(enum mm_status status, enum translation_stage stage,
				 unsigned int ia_bits, enum vm_space_part part,
				 struct vm_space *out)
{
	REPORT(.kind = OPERATION_SPACE_NEW, .status = status, .stage = stage, .ia_bits = ia_bits,
	       .part = part, .space = out);
	(void)stage;
	(void)ia_bits;
	(void)part;
	(void)out;
	return status;
}

enum mm_status vm_space_new_stage2(unsigned int ia_bits, struct vm_space *out)
{
	return report_new(make_stage2(ia_bits, out), STAGE_2, ia_bits, SPACE_WHOLE, out);
}

enum mm_status vm_space_new_stage1(unsigned int ia_bits, struct vm_space *out)
{
	return report_new(make_stage1(ia_bits, SPACE_WHOLE, out), STAGE_1, ia_bits, SPACE_WHOLE,
			  out);
}

enum mm_status vm_space_new_el2(struct vm_space *out)
{
	enum mm_status status = make_stage1(ADDRESS_BITS_MAX, SPACE_BELOW_WINDOW, out);

	if (status == MM_OK)
		out->range.end = VM_SPACE_WINDOW.start;
	return report_new(status, STAGE_1, ADDRESS_BITS_MAX, SPACE_BELOW_WINDOW, out);
}

enum mm_status vm_space_new_window(struct vm_space *el2, struct vm_space *out)
{
	enum mm_status status = MM_NOT_SUPPORTED;

	if (el2->part == SPACE_BELOW_WINDOW && window_space_runs_on(el2))
		status = make_stage1(ADDRESS_BITS_MAX, SPACE_IN_WINDOW, out);
	if (status == MM_OK) {
		out->range = VM_SPACE_WINDOW;
		status = window_space_join(out, el2);
		if (status != MM_OK) {
			disown(out);
			node_free(out->root);
		}
	}
	return report_new(status, STAGE_1, ADDRESS_BITS_MAX, SPACE_IN_WINDOW, out);
}

/*
 * Takes all nodes of a space that nobody works on; false if somebody does: a cursor is open, or is being
 * closed. That nodes tell is what lets cursors be opened and closed without a word that all CPUs write to.
 * Nobody else may be at the space from now on, so nobody waits for these.
 */
static bool hold(struct vm_space *space, struct cursor *all)
{
	if (!cursor_lock(all, space, vm_space_range(space), CURSOR_MUTABLE,
			 space->geometry.root_level, NODE_TRY))
		return false;
	/* Acquire: what who tidied up has freed, and looked at, is behind him. */
	if (atomic_load_explicit(&space->tidying, memory_order_acquire) == 0)
		return true;
	cursor_unlock(all);
	return false;
}

/* Unmaps everything and frees every table. The whole regime is invalidated, not only what was mapped:
 * a guest's own Stage-1 translations are cached under the VMID as well. */
static void empty(struct vm_space *space, struct cursor *all)
{
	struct node_reserve none = { .count = 0 };

	cursor_remove(all, all->range, &none);
	all->gather.everything = true;
	gather_flush(space, &all->gather);
	cursor_unlock(all);
}

#if STRATA_CHECKED

/*
 * Makes one step of what changes, or looks at, where a space is or was active, and the report of it.
 * Taken before the VMID lock; under it no node is locked.
 */
static struct ticket_lock activity;

#define ACTIVITY_BEGIN() ticket_lock(&activity, MM_LOCK_ACTIVITY)
#define ACTIVITY_END() ticket_unlock(&activity)

#else

#define ACTIVITY_BEGIN() ((void)0)
#define ACTIVITY_END() ((void)0)

#endif

static enum mm_status check_idle(struct vm_space *space, bool held)
{
	enum mm_status status = MM_OK;

	ACTIVITY_BEGIN();
	/* Acquire: the CPU that is found to have left has loaded another VTTBR_EL2 or TTBR0_EL2 before. */
	if ((!held && !CANARY(destroyed_under_cursor)) ||
	    atomic_load_explicit(&space->active_cpus, memory_order_acquire) != 0) {
		status = MM_BUSY;
		REPORT(.kind = OPERATION_SPACE_DESTROY, .status = status, .space = space);
	}
	ACTIVITY_END();
	return status;
}

/* What ties a space that is not used to another one. */
static enum mm_status untie(struct vm_space *space)
{
	enum mm_status status = MM_OK;

	if (space->part == SPACE_IN_WINDOW)
		status = window_space_part(space);
	else if (space->windows != NULL) /* its root is held */
		status = MM_BUSY;
	if (status != MM_OK)
		REPORT(.kind = OPERATION_SPACE_DESTROY, .status = status, .space = space);
	return status;
}

enum mm_status vm_space_destroy(struct vm_space *space)
{
	struct cursor all;
	bool held = hold(space, &all);
	enum mm_status status = check_idle(space, held);

	if (status == MM_OK)
		status = untie(space);
	if (status != MM_OK) {
		if (held)
			cursor_unlock(&all);
		return status;
	}

	/* With the defect that lets it be another's, what a cursor has locked cannot be emptied. */
	if (held)
		empty(space, &all);
	/* Those of CPUs that took tables out of it before, too. */
	(void)deferred_tables_drain();
	/* Before the root goes: who watches may still look at it. */
	REPORT(.kind = OPERATION_SPACE_DESTROY, .space = space);
	device_regions_forget(space);
	if (space->stage == STAGE_2)
		vmid_release(space);
	disown(space);
	free_root(space->root, space->geometry.root_tables);
	return MM_OK;
}

static enum mm_status use_hardware_flags(struct vm_space *space, bool held)
{
	if (space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	if (!arch_features()->dirty_state)
		return MM_NOT_SUPPORTED;
	/* Relaxed: the caller has the space to itself. */
	if (!held || atomic_load_explicit(&space->logs_by_fault, memory_order_relaxed) != 0)
		return MM_BUSY;
	return vmid_use_hardware_flags(space) ? MM_OK : MM_BUSY;
}

enum mm_status vm_space_use_hardware_flags(struct vm_space *space)
{
	struct cursor all;
	bool held = space->stage == STAGE_2 && hold(space, &all);
	enum mm_status status;

	ACTIVITY_BEGIN();
	status = use_hardware_flags(space, held);
	REPORT(.kind = OPERATION_SPACE_USE_HARDWARE_FLAGS, .status = status, .space = space);
	ACTIVITY_END();
	if (held)
		cursor_unlock(&all);
	return status;
}

enum mm_status vm_space_activate(struct vm_space *space)
{
	enum mm_status status = MM_OK;

	ACTIVITY_BEGIN();
	if (space->stage == STAGE_2)
		vmid_activate(space);
	else
		status = space->part == SPACE_IN_WINDOW ? window_space_activate(space)
							: MM_INVALID_ARGS;
	REPORT(.kind = OPERATION_SPACE_ACTIVATE, .status = status, .space = space);
	ACTIVITY_END();
	return status;
}

static void report_deactivated(struct vm_space *space)
{
	if (space != NULL)
		REPORT(.kind = OPERATION_SPACE_DEACTIVATE, .space = space);
}

void vm_space_deactivate(void)
{
	ACTIVITY_BEGIN();
	stage2_unload();
	report_deactivated(vmid_deactivate());
	ACTIVITY_END();
}

void vm_space_deactivate_window(void)
{
	ACTIVITY_BEGIN();
	report_deactivated(window_space_deactivate());
	ACTIVITY_END();
}

uint16_t vm_space_vmid(const struct vm_space *space)
{
	return vmid_of(space);
}
