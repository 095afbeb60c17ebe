/* SPDX-License-Identifier: BSD-3-Clause */
#include "check_object.h"
#include "compare.h"
#include "step.h"

#include <arch/cpu.h>
#include <arch/features.h>
#include <inttypes.h>
#include <strata/mm.h>

const char *operation_name(enum mm_operation_kind kind)
{
	return op_information(kind)->function;
}

bool check_status(struct subject subject, const struct mm_operation *operation, status_set allowed)
{
	struct iaddr at = operation->kind == OPERATION_CURSOR_OPEN ? operation->range.start
								   : operation->position;

	if (status_in(allowed, operation->status))
		return true;
	difference(subject, at, "status is %s, model says %s", mm_status_name(operation->status),
		   statuses_text(allowed).text);
	return false;
}

void check_table(struct checker *checker, struct live_space *space, struct irange range,
		 struct walk_seen *seen, struct subject subject)
{
	checker->descriptors +=
		compare_table(&space->table, &space->state.mappings, range, seen, subject);
}

/*
 * The root that the input address size asks for. One table at level l translates 12 + 9 * (4 - l)
 * bits: 30, 39, 48 for levels 2, 1, 0. Stage 2 may concatenate up to 16 of them and begins at the
 * highest level number that suffices; level 3 is not used (vm_space.h).
 */
static struct translation_geometry expected_root(enum translation_stage stage, unsigned int ia_bits)
{
	unsigned int concatenated_bits_max = stage == STAGE_2 ? 4 : 0;
	unsigned int level = 2;
	unsigned int bits = 30;

	while (level > 0 && ia_bits > bits + concatenated_bits_max) {
		level--;
		bits += 9;
	}
	return (struct translation_geometry){
		.root_level = (uint8_t)level,
		.root_tables = (uint8_t)(ia_bits > bits ? 1U << (ia_bits - bits) : 1),
	};
}

/* As check_status, by the store. */
static bool check_allowed(struct checker *checker, const struct mm_operation *operation,
			  struct subject subject)
{
	struct op op = op_of(operation);

	return check_status(subject, operation, op_statuses(&checker->store, &op));
}

static void check_root(const struct live_space *live, struct subject subject)
{
	struct page_state state;

	if (page_state(live->table.root, &state) == MM_OK && state.usage != PAGE_TABLE)
		difference(subject, iaddr(live->table.root.value), "the root is %s",
			   page_usage_name(state.usage));
}

/* The space says of itself what was asked for. */
static void check_asked(const struct live_space *live, const struct op *op, struct subject subject)
{
	const struct space_state *made = &live->state;

	if (made->stage != op->stage || made->ia_bits != op->count || made->part != op->part)
		difference(subject, iaddr(0),
			   "made for stage %u, %u bits, part %u, asked for stage %u, %" PRIu64
			   " bits, part %u",
			   made->stage == STAGE_2 ? 2U : 1U, made->ia_bits,
			   (unsigned int)made->part, op->stage == STAGE_2 ? 2U : 1U, op->count,
			   (unsigned int)op->part);
	if (made->pa_bits != arch_features()->pa_bits)
		difference(subject, iaddr(0), "outputs have %u bits, the CPU's %u", made->pa_bits,
			   arch_features()->pa_bits);
}

static void check_new(struct checker *checker, const struct mm_operation *operation)
{
	struct subject subject = { operation_name(operation->kind), 0 };
	struct op op = op_of(operation);
	struct live_space *live;

	checker->operations++;
	check_allowed(checker, operation, subject);
	if (operation->status != MM_OK)
		return;

	live = registry_space(&checker->store.registry, operation->space);
	if (live != NULL) {
		difference(subject, iaddr(0), "made where space %u still lives", live->number);
		if (live->owner != NULL)
			owners_depart(&checker->store.owners, live->owner);
		registry_remove_space(&checker->store.registry, live);
	}
	live = registry_add_space(&checker->store.registry, operation->space);
	if (live == NULL) {
		checker->store.out_of_storage = true;
		return;
	}
	subject.space = live->number;
	check_root(live, subject);
	check_asked(live, &op, subject);
	if (!spec_is_el2s_own(&live->state)) {
		live->owner = owners_add_space(&checker->store.owners, live->space);
		checker->store.out_of_storage = live->owner == NULL;
	}

	struct translation_geometry *geometry = &live->table.geometry;
	struct translation_geometry expected = expected_root(live->table.stage, geometry->ia_bits);

	if (geometry->root_level != expected.root_level ||
	    geometry->root_tables != expected.root_tables)
		difference(subject, iaddr(0),
			   "root is %u tables at level %u for %u bits, model says %u at level %u",
			   geometry->root_tables, geometry->root_level, geometry->ia_bits,
			   expected.root_tables, expected.root_level);
	/* A new table means nothing, and every descriptor of it must say so. */
	check_table(checker, live, walk_table_range(&live->table), NULL, subject);
}

static void check_destroy(struct checker *checker, const struct mm_operation *operation,
			  struct live_space *live)
{
	struct subject subject = { operation_name(operation->kind), live->number };
	struct irange whole = walk_table_range(&live->table);
	struct registry *registry = &checker->store.registry;

	check_allowed(checker, operation, subject);
	if (operation->status != MM_OK)
		return;
	store_forget_ios(&checker->store, live->space);
	store_forget_logs(&checker->store, live);
	store_forget_devices(&checker->store, live->space);
	check_issued(&checker->store, live->space, NULL, counted_pages(live, whole), subject);
	mappings_clear(&live->state.mappings);
	check_table(checker, live, whole, NULL, subject);
	if (live->owner != NULL)
		live->owner->state = OWNER_ENDS;
	registry_remove_space(registry, live);
}

/* Of the spaces of one kind, at most one is active on a CPU: whichever was, is not any more. */
static void none_is_active(struct registry *registry, enum translation_stage stage)
{
	struct live_space *live;

	LIST_FOREACH(live, &registry->spaces, link)
	{
		if (live->table.stage == stage)
			live->active_cpus &= ~(UINT32_C(1) << cpu_index());
	}
}

static void check_vmid(struct checker *checker, const struct live_space *live,
		       struct subject subject)
{
	uint16_t vmid = vm_space_vmid(live->space);
	const struct live_space *other;

	if (vmid == 0)
		difference(subject, iaddr(0), "active with VMID 0, which no space may have");
	LIST_FOREACH(other, &checker->store.registry.spaces, link)
	{
		if (other != live && other->table.stage == STAGE_2 &&
		    vm_space_vmid(other->space) == vmid)
			difference(subject, iaddr(0), "VMID %u is that of space %u", vmid,
				   other->number);
	}
}

/* What is loaded into VTCR_EL2 is what was asked for, and nothing else. */
static void check_hardware_flags(const struct mm_operation *operation,
				 const struct live_space *live, struct subject subject)
{
	bool found = operation->space->context.hardware_flags;

	if (found != live->state.hardware_flags)
		difference(subject, iaddr(0), "hardware flags are %s, model says %s",
			   found ? "on" : "off", live->state.hardware_flags ? "on" : "off");
}

static void check_use_hardware_flags(struct checker *checker, const struct mm_operation *operation,
				     struct live_space *live)
{
	struct subject subject = { operation_name(operation->kind), live->number };

	if (!check_allowed(checker, operation, subject))
		return;
	if (operation->status == MM_OK)
		live->state.hardware_flags = live->table.hardware_flags = true;
	check_hardware_flags(operation, live, subject);
}

static void check_activate(struct checker *checker, const struct mm_operation *operation,
			   struct live_space *live)
{
	struct subject subject = { operation_name(operation->kind), live->number };

	if (!check_allowed(checker, operation, subject) || operation->status != MM_OK)
		return;

	live->active_cpus |= UINT32_C(1) << cpu_index();
	live->was_active = true;
	check_hardware_flags(operation, live, subject);
	if (live->table.stage == STAGE_2)
		check_vmid(checker, live, subject);
}

static void check_deactivate(const struct mm_operation *operation, const struct live_space *live,
			     bool was_active)
{
	struct subject subject = { operation_name(operation->kind), live->number };

	if (!was_active)
		difference(subject, iaddr(0), "it was not active on CPU %u", cpu_index());
}

void check_space_operation(struct checker *checker, const struct mm_operation *operation)
{
	if (operation->kind == OPERATION_SPACE_NEW) {
		check_new(checker, operation);
		return;
	}

	struct live_space *live = registry_space(&checker->store.registry, operation->space);
	bool was_active = live != NULL && (live->active_cpus >> cpu_index() & 1);

	/* Also when that space was made before the model started. */
	if ((operation->kind == OPERATION_SPACE_ACTIVATE ||
	     operation->kind == OPERATION_SPACE_DEACTIVATE) &&
	    operation->status == MM_OK)
		none_is_active(&checker->store.registry, operation->space->stage);
	if (live == NULL)
		return;
	checker->operations++;
	switch ((enum space_operation)operation->kind) {
	case OPERATION_SPACE_NEW: /* above: of a space that does not live */
		break;
	case OPERATION_SPACE_DESTROY:
		check_destroy(checker, operation, live);
		break;
	case OPERATION_SPACE_USE_HARDWARE_FLAGS:
		check_use_hardware_flags(checker, operation, live);
		break;
	case OPERATION_SPACE_ACTIVATE:
		check_activate(checker, operation, live);
		break;
	case OPERATION_SPACE_DEACTIVATE:
		check_deactivate(operation, live, was_active);
		break;
	}
}
