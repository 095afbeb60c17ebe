/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which roots were walked under which VMID, and what is left of it.
 *
 * A context is tainted while something may be cached: since a CPU had it loaded and its root had a
 * valid descriptor, until all of the VMID was invalidated while no CPU had it, or the root was empty;
 * or, for EL2, until each CPU that had it invalidated its own TLB after it had left: no other CPU caches
 * what that one translates.
 */
#include <inttypes.h>
#include "discipline_state.h"

bool context_may_cache(const struct context *context, const struct shadow *root)
{
	return (context->root == root->root || context->follows == root->root) &&
	       (context->tainted || context->loaded != 0);
}

struct context *context_next(struct discipline *discipline, const struct shadow *root,
			     struct context *last)
{
	struct context *context =
		last == NULL ? LIST_FIRST(&discipline->contexts) : LIST_NEXT(last, link);

	while (context != NULL && !context_may_cache(context, root))
		context = LIST_NEXT(context, link);
	return context;
}

/* Nothing is cached for it, and nothing can be: what was owed to it is void. */
static void forget_if_idle(struct discipline *discipline, struct context *context)
{
	struct debt *debt;

	if (context->tainted || context->loaded != 0)
		return;
	while ((debt = debt_after(context, NULL)) != NULL)
		debt_end(discipline, context, debt);
	LIST_REMOVE(context, link);
	model_pool_give(&discipline->context_pool, context);
}

/* The page of @root at @at, or NULL: it has no more. */
static const struct shadow *root_page(struct discipline *discipline, uint64_t root, uint64_t at)
{
	const struct shadow *page = shadow_find(discipline, at);

	return page != NULL && page->root == root ? page : NULL;
}

static bool root_is_empty(struct discipline *discipline, uint64_t root)
{
	const struct shadow *page;

	for (uint64_t at = root; (page = root_page(discipline, root, at)) != NULL; at += PAGE_SIZE)
		if (page->valid != 0)
			return false;
	return true;
}

/*
 * Whether some CPU is in the middle of writing to @page, this one perhaps, with a cursor open: it owes a
 * DSB before it gives back the lock, and until then a walk may find the descriptor as it was or as it is.
 */
static bool is_being_written(struct discipline *discipline, const struct shadow *page)
{
	const struct shadow *locked = page;

	if (page->follows != 0)
		locked = shadow_find(discipline, page->follows);
	return locked != NULL && locked->holder == page->writer + 1;
}

/* From here on walks may begin at @root. */
static void check_root(struct discipline *discipline, uint64_t root,
		       const struct observe_event *event)
{
	const struct shadow *page = root_page(discipline, root, root);

	if (page == NULL)
		discipline_broken(discipline, DISCIPLINE_table_not_ready, event,
				  "the register names 0x%" PRIx64 ", which is no root", root);
	for (uint64_t at = root; (page = root_page(discipline, root, at)) != NULL; at += PAGE_SIZE)
		if (!shadow_published(discipline, page, true) &&
		    !is_being_written(discipline, page)) {
			discipline_broken(discipline, DISCIPLINE_dsb_missing_publish, event,
					  "no DSB since the root at 0x%" PRIx64 " was %s", at,
					  page->written != 0 ? "written" : "zeroed");
			return;
		}
}

void contexts_see_root(struct discipline *discipline, const struct shadow *root)
{
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		if (context->root == root->root && context->loaded != 0)
			context->tainted = true;
	}
}

/* @root begins to follow another one. */
static void follow(struct discipline *discipline, const struct shadow *root)
{
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		if (context->root == root->root)
			context->follows = root->follows;
	}
}

bool contexts_see_copy(struct discipline *discipline, struct shadow *table, unsigned int index,
		       const struct observe_event *event)
{
	const struct shadow *original = NULL;

	if (table->root == 0)
		return false;
	if (descriptor_valid(event->value)) {
		const struct shadow *child =
			shadow_find(discipline, discipline_output(event->value));

		if (child != NULL && child->parent_index == index)
			original = child->parent;
	} else if (table->follows != 0) {
		original = shadow_find(discipline, table->follows);
	}
	if (original == NULL || original == table || original->root != original->page ||
	    original->holder != event->cpu + 1 || original->descriptors[index] != event->value)
		return false;
	if (table->follows == 0) {
		table->follows = original->root;
		follow(discipline, table);
	}
	return true;
}

static struct context *find_or_make(struct discipline *discipline, bool is_el2, uint64_t root,
				    uint16_t vmid)
{
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		if (context->is_el2 == is_el2 && context->root == root && context->vmid == vmid)
			return context;
	}
	context = model_pool_take(&discipline->context_pool);
	if (context == NULL) {
		discipline->full = true;
		return NULL;
	}
	context->is_el2 = is_el2;
	context->root = root;
	context->vmid = vmid;
	if (root_page(discipline, root, root) != NULL)
		context->follows = root_page(discipline, root, root)->follows;
	RB_INIT(&context->debts);
	LIST_INSERT_HEAD(&discipline->contexts, context, link);
	return context;
}

/* What is @event's CPU's in @slot gives place to @next, which may be NULL. */
static void exchange(struct discipline *discipline, struct context **slot, struct context *next,
		     unsigned int cpu)
{
	struct context *before = *slot;

	*slot = next;
	if (next != NULL) {
		next->loaded |= UINT32_C(1) << cpu;
		next->holders |= UINT32_C(1) << cpu;
		next->leaving &= ~(UINT32_C(1) << cpu);
	}
	if (before == NULL || before == next)
		return;
	before->loaded &= ~(UINT32_C(1) << cpu);
	forget_if_idle(discipline, before);
}

static void check_vmid(struct discipline *discipline, const struct context *loaded,
		       const struct observe_event *event)
{
	const struct context *other;

	LIST_FOREACH(other, &discipline->contexts, link)
	{
		if (other->is_el2 || other->vmid != loaded->vmid || other->root == loaded->root)
			continue;
		discipline_broken(discipline, DISCIPLINE_vmid_reused, event,
				  "VMID %u is that of the table at 0x%" PRIx64 " too", loaded->vmid,
				  other->root);
		return;
	}
}

static void load_stage2(struct discipline *discipline, const struct observe_event *event)
{
	struct cpu_state *cpu = &discipline->cpus[event->cpu];
	const uint64_t root = event->address.value;
	struct context *context = find_or_make(discipline, false, root, (uint16_t)event->value);

	if (context == NULL)
		return;
	check_root(discipline, root, event);
	context->flusher = 0;
	if (!root_is_empty(discipline, root))
		context->tainted = true;
	exchange(discipline, &cpu->stage2, context, event->cpu);
	cpu->register_written = true;
	check_vmid(discipline, context, event);
}

/* EL2 runs by its table: that is there before TTBR0_EL2 names it, and stays. */
static void load_stage1(struct discipline *discipline, const struct observe_event *event)
{
	struct context *context = find_or_make(discipline, true, event->address.value, 0);

	if (context == NULL)
		return;
	check_root(discipline, event->address.value, event);
	context->flusher = 0;
	context->tainted = true;
	exchange(discipline, &discipline->cpus[event->cpu].el2, context, event->cpu);
	discipline->cpus[event->cpu].el2_written = true;
}

void contexts_see_load(struct discipline *discipline, const struct observe_event *event)
{
	struct cpu_state *cpu = &discipline->cpus[event->cpu];

	if (event->kind == OBSERVE_STAGE2_LOAD) {
		load_stage2(discipline, event);
	} else if (event->kind == OBSERVE_STAGE1_LOAD) {
		load_stage1(discipline, event);
	} else {
		exchange(discipline, &cpu->stage2, NULL, event->cpu);
		cpu->register_written = true;
	}
}

/* Until the ISB the CPU may walk from the root that it left, and cache again. */
static void see_local_tlbi(struct discipline *discipline, const struct observe_event *event)
{
	const uint32_t cpu = UINT32_C(1) << event->cpu;
	struct context *context;

	if (event->kind != OBSERVE_TLBI_EL2_ALL || discipline->cpus[event->cpu].el2_written)
		return;
	LIST_FOREACH(context, &discipline->contexts, link)
	{
		if (context->is_el2)
			context->leaving |= context->holders & ~context->loaded & cpu;
	}
}

void contexts_see_tlbi(struct discipline *discipline, const struct observe_event *event)
{
	const struct context *active = discipline->cpus[event->cpu].stage2;
	struct context *context;

	if (event->scope != OBSERVE_INNER_SHAREABLE) {
		see_local_tlbi(discipline, event);
		return;
	}
	LIST_FOREACH(context, &discipline->contexts, link)
	{
		if (context->is_el2 ? event->kind == OBSERVE_TLBI_EL2_ALL
				    : event->kind == OBSERVE_TLBI_ALL_VMIDS ||
					      (event->kind == OBSERVE_TLBI_VMID_STAGE12 &&
					       active != NULL && active->vmid == context->vmid))
			context->flusher = (uint8_t)(event->cpu + 1);
	}
}

/* Whether a TLBI that acts on @context is complete by the DSB of @cpu. */
static bool settle(struct discipline *discipline, struct context *context, unsigned int cpu)
{
	if (context->flusher == cpu + 1) {
		context->flusher = 0;
		context->holders = context->loaded;
		context->leaving = 0;
		context->tainted =
			context->loaded != 0 && !root_is_empty(discipline, context->root);
		return true;
	}
	if ((context->leaving >> cpu & 1) == 0)
		return false;
	context->holders &= ~(UINT32_C(1) << cpu);
	context->leaving &= ~(UINT32_C(1) << cpu);
	context->tainted = context->tainted && context->holders != 0;
	return true;
}

void contexts_see_dsb(struct discipline *discipline, const struct observe_event *event)
{
	struct context *next = LIST_FIRST(&discipline->contexts);

	while (event->kind == OBSERVE_DSB_ISH && next != NULL) {
		struct context *context = next;

		next = LIST_NEXT(context, link);
		if (settle(discipline, context, event->cpu))
			forget_if_idle(discipline, context);
	}
}
