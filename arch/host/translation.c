/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/translation.h>
#include <arch/barrier.h>
#include <arch/canary.h>
#include "machine_internal.h"

/*
 * The sizes this CPU can walk (Arm ARM D8.2.2, "Translation table base address and start level"):
 * the tables at the first level are as many as the input address needs, at most 16, and level 0
 * exists only with 44 bits of physical address or more.
 */
static bool stage2_walkable(const struct stage2_context *context)
{
	const struct translation_geometry *geometry = &context->geometry;

	if (geometry->root_level > 2 || geometry->ia_bits < 25 || geometry->ia_bits > 48 ||
	    geometry->ia_bits > machine.config.features.pa_bits)
		return false;
	if (geometry->root_level == 0 && machine.config.features.pa_bits < 44)
		return false;

	/* One table at this level resolves so many bits; concatenation adds up to four. */
	unsigned int one_table = 48 - 9u * geometry->root_level;
	unsigned int tables =
		geometry->ia_bits > one_table ? 1u << (geometry->ia_bits - one_table) : 1;

	return geometry->root_tables == tables && tables <= 16 &&
	       geometry->ia_bits > one_table - 9 && context->root.value % (tables * PAGE_SIZE) == 0;
}

void stage2_load(const struct stage2_context *context)
{
	machine_lock();
	struct cpu *cpu = this_cpu();

	cpu->stage2 = *context;
	cpu->stage2_loaded = true;
	cpu->stage2_walkable = stage2_walkable(context);
	if (!cpu->stage2_walkable)
		violation(VIOLATION_GEOMETRY);
	cpu->counters.stage2_loads++;
	machine.clock++;
	look_ahead();
	machine_unlock();
	OBSERVE(.kind = OBSERVE_STAGE2_LOAD, .address = context->root, .value = context->vmid);
	if (!CANARY(isb_missing))
		isb();
}

void stage2_unload(void)
{
	machine_lock();
	this_cpu()->stage2_loaded = false;
	machine_unlock();
	OBSERVE(.kind = OBSERVE_STAGE2_UNLOAD);
	isb();
}

const struct stage2_context *stage2_active(void)
{
	return this_cpu()->stage2_loaded ? &this_cpu()->stage2 : NULL;
}

static bool el2_walkable(struct paddr root, struct translation_geometry geometry)
{
	return geometry.root_level <= 2 && geometry.root_tables == 1 &&
	       is_page_aligned(root.value) && geometry.ia_bits >= 25 &&
	       geometry.ia_bits <= 48 - 9u * geometry.root_level;
}

void el2_stage1_load(struct paddr root, struct translation_geometry geometry)
{
	machine_lock();
	struct cpu *cpu = this_cpu();
	bool walkable = el2_walkable(root, geometry);

	cpu->el2_loaded |= walkable;
	cpu->el2_root = root;
	cpu->el2_geometry = geometry;
	if (walkable)
		el2_root_changed(cpu);
	else
		violation(VIOLATION_GEOMETRY);
	machine.clock++;
	look_ahead();
	machine_unlock();
	OBSERVE(.kind = OBSERVE_STAGE1_LOAD, .address = root);
	isb();
}

bool el2_stage1_is(struct paddr root)
{
	machine_lock();
	bool is = this_cpu()->el2_loaded && this_cpu()->el2_root.value == root.value;

	machine_unlock();
	return is;
}
