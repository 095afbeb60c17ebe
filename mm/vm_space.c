/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_space.h>
#include <arch/features.h>
#include "cursor_lock.h"
#include "device_regions.h"
#include "panic.h"
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

static enum mm_status space_new(enum translation_stage stage, unsigned int ia_bits,
				unsigned int ia_bits_max, struct vm_space *out)
{
	enum mm_status status = MM_OK;

	if (ia_bits < IA_BITS_MIN || ia_bits > ia_bits_max || !arch_features()->granule_4k)
		status = MM_NOT_SUPPORTED;
	if (status == MM_OK) {
		struct translation_geometry geometry =
			geometry_for(ia_bits, stage == STAGE_2 ? CONCATENATION_BITS : 0);
		struct paddr root;

		status = node_new_root(geometry.root_tables, geometry.root_level, &root);
		if (status == MM_OK) {
			*out = (struct vm_space){ .stage = stage,
						  .geometry = geometry,
						  .root = root };
			out->context =
				(struct stage2_context){ .root = root, .geometry = geometry };
		}
	}
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
	for (unsigned int i = 0; i < space->geometry.root_tables; i++)
		node_free(paddr(space->root.value + i * PAGE_SIZE));
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
