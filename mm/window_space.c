/* SPDX-License-Identifier: BSD-3-Clause */
#include "window_space.h"
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/tlb.h>
#include <arch/translation.h>
#include "descriptor.h"
#include "node.h"
#include "per_cpu.h"

/* Level 0, where the window begins. */
#define WINDOW_INDEX (VM_SPACE_WINDOW.start.value >> (PAGE_SHIFT + 3 * LEVEL_BITS))

static bool lock_root(const struct vm_space *el2)
{
	return node_lock(slot_of(el2->root), node_patience());
}

static void unlock_root(const struct vm_space *el2)
{
	node_unlock(slot_of(el2->root));
}

enum mm_status window_space_join(struct vm_space *space, struct vm_space *el2)
{
	uint64_t *descriptors = linear(space->root);
	const uint64_t *own = linear(el2->root);

	if (!lock_root(el2))
		return MM_BUSY;
	for (size_t i = 0; i < WINDOW_INDEX; i++)
		if (own[i] != 0)
			descriptor_write(&descriptors[i], own[i]);
	dsb_ishst();
	space->el2 = el2;
	space->next_window = el2->windows;
	space->window_link = &el2->windows;
	if (el2->windows != NULL)
		el2->windows->window_link = &space->next_window;
	el2->windows = space;
	unlock_root(el2);
	return MM_OK;
}

enum mm_status window_space_part(struct vm_space *space)
{
	if (!lock_root(space->el2))
		return MM_BUSY;
	*space->window_link = space->next_window;
	if (space->next_window != NULL)
		space->next_window->window_link = space->window_link;
	unlock_root(space->el2);
	return MM_OK;
}

void window_spaces_follow(const struct vm_space *el2, size_t index, uint64_t value)
{
	for (const struct vm_space *space = el2->windows; space != NULL; space = space->next_window)
		descriptor_write((uint64_t *)linear(space->root) + index, value);
}

bool window_space_runs_on(const struct vm_space *el2)
{
	const struct vm_space *active = window_space_active();

	if (active == NULL)
		return el2_stage1_is(el2->root);
	return active->el2 == el2 && el2_stage1_is(active->root);
}

struct vm_space *window_space_active(void)
{
	return mm_this_cpu()->window;
}

/* Break: EL2's own table has nothing in the window. What this CPU has cached of it goes; no other CPU
 * caches what this one translates. */
struct vm_space *window_space_deactivate(void)
{
	struct mm_cpu *cpu = mm_this_cpu();
	struct vm_space *space = cpu->window;

	if (space == NULL)
		return NULL;
	el2_stage1_load(space->el2->root, space->el2->geometry);
	tlbi_el2_all_here();
	dsb_ish();
	isb();
	cpu->window = NULL;
	/* Release: who finds the bit clear knows that nothing is cached here. */
	atomic_fetch_and_explicit(&space->active_cpus, ~(UINT32_C(1) << cpu_index()),
				  memory_order_release);
	return space;
}

enum mm_status window_space_activate(struct vm_space *space)
{
	if (!window_space_runs_on(space->el2))
		return MM_NOT_SUPPORTED;
	if (window_space_active() == space)
		return MM_OK;

	(void)window_space_deactivate();
	/*
	 * Either a CPU that changes a descriptor finds this bit, or the walks that begin here find the
	 * descriptor changed: each side stores, has its store seen by all (the barrier here, DSB ISHST
	 * and the fence of window_space_may_be_cached there), and then looks.
	 */
	atomic_fetch_or_explicit(&space->active_cpus, UINT32_C(1) << cpu_index(),
				 memory_order_seq_cst);
	dsb_ish();
	mm_this_cpu()->window = space;
	el2_stage1_load(space->root, space->geometry);
	return MM_OK;
}

bool window_space_may_be_cached(const struct vm_space *space)
{
	/* The fence: window_space_activate says what it orders. Acquire: who left has invalidated before. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&space->active_cpus, memory_order_acquire) != 0;
}
