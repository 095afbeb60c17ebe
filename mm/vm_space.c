/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_space.h>
#include <arch/features.h>
#include "cursor_lock.h"
#include "device_regions.h"
#include "owner_table.h"
#include "panic.h"
#include "sharing.h"
#include "vmid.h"

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

/* What owns the pages of a guest's space; EL2's own tables are the hypervisor's, who needs none. */
static enum mm_status new_owner(enum translation_stage stage, const struct vm_space *space,
				struct owner **out)
{
	enum mm_status status;

	if (stage != STAGE_2)
		return MM_OK;
	ticket_lock(&ownership_lock);
	status = owner_new(space, NULL, false, out);
	ticket_unlock(&ownership_lock);
	return status;
}

static void disown(const struct vm_space *space)
{
	if (space->owner == NULL)
		return;
	ticket_lock(&ownership_lock);
	sharings_forget(space->owner);
	owner_depart(space->owner);
	ticket_unlock(&ownership_lock);
}

static void free_root(struct paddr root, unsigned int tables)
{
	for (unsigned int i = 0; i < tables; i++)
		node_free(paddr(root.value + i * PAGE_SIZE));
}

static enum mm_status make(enum translation_stage stage, struct translation_geometry geometry,
			   struct vm_space *out)
{
	struct owner *owner = NULL;
	struct paddr root;
	enum mm_status status = node_new_root(geometry.root_tables, geometry.root_level, &root);

	if (status != MM_OK)
		return status;
	status = new_owner(stage, out, &owner);
	if (status != MM_OK) {
		free_root(root, geometry.root_tables);
		return status;
	}
	*out = (struct vm_space){
		.stage = stage,
		.geometry = geometry,
		.root = root,
		.context = { .root = root, .geometry = geometry },
		.owner = owner,
	};
	return MM_OK;
}

static enum mm_status space_new(enum translation_stage stage, unsigned int ia_bits,
				unsigned int ia_bits_max, struct vm_space *out)
{
	enum mm_status status = MM_NOT_SUPPORTED;

	if (ia_bits >= IA_BITS_MIN && ia_bits <= ia_bits_max && arch_features()->granule_4k)
		status =
			make(stage,
			     geometry_for(ia_bits, stage == STAGE_2 ? CONCATENATION_BITS : 0), out);
	REPORT(.kind = OPERATION_SPACE_NEW, .status = status, .space = out);
	return status;
}

enum mm_status vm_space_new_stage2(unsigned int ia_bits, struct vm_space *out)
{
	return space_new(STAGE_2, ia_bits, arch_features()->pa_bits, out);
}

enum mm_status vm_space_new_stage1(unsigned int ia_bits, struct vm_space *out)
{
	return space_new(STAGE_1, ia_bits, ADDRESS_BITS_MAX, out);
}

enum mm_status vm_space_use_hardware_flags(struct vm_space *space)
{
	if (space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	if (!arch_features()->dirty_state)
		return MM_NOT_SUPPORTED;
	/* A TLB that knows the space may know VTCR_EL2 as well. */
	if (space->vmid_generation != 0 ||
	    atomic_load_explicit(&space->open_cursors, memory_order_acquire) != 0)
		return MM_BUSY;
	space->context.hardware_flags = true;
	return MM_OK;
}

/* Unmaps everything and frees every table. The whole regime is invalidated, not only what was mapped:
 * a guest's own Stage-1 translations are cached under the VMID as well. */
static void empty(struct vm_space *space)
{
	struct irange range = vm_space_range(space);
	struct node_reserve none = { .count = 0 };
	struct cursor cursor;
	bool locked =
		cursor_lock(&cursor, space, range, CURSOR_MUTABLE, space->geometry.root_level);

	MM_INVARIANT(locked, "a space without cursors has no locked node", space->root.value);
	cursor_remove(&cursor, cursor.range, &none);
	cursor.gather.everything = true;
	gather_flush(space, &cursor.gather);
	cursor_unlock(&cursor);
}

enum mm_status vm_space_destroy(struct vm_space *space)
{
	enum mm_status status = MM_OK;

	if (atomic_load_explicit(&space->open_cursors, memory_order_acquire) != 0 ||
	    atomic_load_explicit(&space->active_cpus, memory_order_acquire) != 0)
		status = MM_BUSY;
	if (status == MM_OK)
		empty(space);
	/* Before the root goes: who watches may still look at it. */
	REPORT(.kind = OPERATION_SPACE_DESTROY, .status = status, .space = space);
	if (status != MM_OK)
		return status;

	device_regions_forget(space);
	if (space->stage == STAGE_2)
		vmid_release(space);
	disown(space);
	free_root(space->root, space->geometry.root_tables);
	return MM_OK;
}

enum mm_status vm_space_activate(struct vm_space *space)
{
	enum mm_status status = space->stage == STAGE_2 ? MM_OK : MM_INVALID_ARGS;

	if (status == MM_OK)
		vmid_activate(space);
	REPORT(.kind = OPERATION_SPACE_ACTIVATE, .status = status, .space = space);
	return status;
}

void vm_space_deactivate(void)
{
	stage2_unload();
	vmid_deactivate();
}

uint16_t vm_space_vmid(const struct vm_space *space)
{
	return vmid_of(space);
}
