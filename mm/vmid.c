/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmid.h"
#include <arch/barrier.h>
#include <arch/canary.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/tlb.h>
#include <arch/translation.h>
#include "host.h"
#include "lock.h"
#include "panic.h"
#include "per_cpu.h"

#define VMIDS_MAX (UINT32_C(1) << 16)
#define WORD_BITS 64

_Static_assert(STRATA_MAX_CPUS <= 32, "a space's active CPUs are bits of a 32-bit word");
_Static_assert(VMID_LIMIT_MIN <= 256, "active and visited spaces leave an 8-bit VMID free");

static struct {
	struct ticket_lock lock; /* all of this, and spaces' context.vmid and vmid_generation */
	uint64_t generation;
	uint32_t hint;	/* where the search begins */
	uint32_t limit; /* the host's own begin there; 0: it has none */
	uint64_t taken[VMIDS_MAX / WORD_BITS];
	struct vm_space *active[STRATA_MAX_CPUS];
	struct vm_space *visited[STRATA_MAX_CPUS]; /* loaded for the time of an invalidation */
} vmids;

static uint32_t vmid_limit(void)
{
	const uint32_t all = UINT32_C(1) << arch_features()->vmid_bits;

	return vmids.limit != 0 && vmids.limit < all ? vmids.limit : all;
}

static bool is_taken(uint32_t vmid)
{
	return vmids.taken[vmid / WORD_BITS] >> (vmid % WORD_BITS) & 1;
}

static void set_taken(uint32_t vmid, bool taken)
{
	uint64_t bit = UINT64_C(1) << (vmid % WORD_BITS);

	if (taken)
		vmids.taken[vmid / WORD_BITS] |= bit;
	else
		vmids.taken[vmid / WORD_BITS] &= ~bit;
}

static void forget_all(void)
{
	for (size_t i = 0; i < sizeof(vmids.taken) / sizeof(vmids.taken[0]); i++)
		vmids.taken[i] = 0;
	set_taken(0, true);
	vmids.hint = 1;
}

void vmid_reset(uint32_t limit)
{
	vmids.limit = limit;
	vmids.generation = 1;
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		vmids.active[cpu] = vmids.visited[cpu] = NULL;
	forget_all();
}

/* A VMID nobody has, or 0. */
static uint32_t find_free(void)
{
	uint32_t limit = vmid_limit();

	for (uint32_t i = 0; i < limit; i++) {
		uint32_t vmid = (vmids.hint + i) % limit;

		if (!is_taken(vmid)) {
			vmids.hint = vmid + 1;
			return vmid;
		}
	}
	return 0;
}

/* Some CPU's VTTBR_EL2 names @space, or NULL: its VMID stays its own in the new generation. */
static void keep(struct vm_space *space)
{
	if (space == NULL)
		return;
	set_taken(space->context.vmid, true);
	space->vmid_generation = vmids.generation;
}

static void roll_over(void)
{
	vmids.generation++;
	forget_all();
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		keep(vmids.active[cpu]);
		keep(vmids.visited[cpu]);
	}
	dsb_ishst();
	if (!CANARY(vmid_reused))
		tlbi_all_vmids();
	dsb_ish();
	isb();
	COUNT(vmid_rollovers, 1);
}

static bool is_current(const struct vm_space *space)
{
	return space->vmid_generation == vmids.generation;
}

uint16_t vmid_of(const struct vm_space *space)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	uint16_t vmid = is_current(space) ? space->context.vmid : 0;

	ticket_unlock(&vmids.lock);
	return vmid;
}

static void leave(struct vm_space *space)
{
	vmids.active[cpu_index()] = NULL;
	/* Release: who finds the bit clear, without the lock, knows that VTTBR_EL2 names another space or none. */
	atomic_fetch_and_explicit(&space->active_cpus, ~(UINT32_C(1) << cpu_index()),
				  memory_order_release);
}

static void load(const struct vm_space *space)
{
	const struct stage2_context *active = stage2_active();

	if (active == NULL || active->root.value != space->root.value ||
	    active->vmid != space->context.vmid)
		stage2_load(&space->context);
}

void vmid_activate(struct vm_space *space)
{
	uint64_t new_generation = 0;

	ticket_lock(&vmids.lock, MM_LOCK_VMID);

	struct vm_space *before = vmids.active[cpu_index()];

	if (!is_current(space)) {
		uint32_t vmid = find_free();

		if (vmid == 0) {
			roll_over();
			new_generation = vmids.generation;
			vmid = find_free();
		}
		MM_INVARIANT(vmid != 0, "active spaces leave a VMID free", vmids.generation);
		set_taken(vmid, true);
		space->context.vmid = (uint16_t)vmid;
		space->vmid_generation = vmids.generation;
	}
	load(space);
	/* Until here the space before kept its VMID through a rollover: VTTBR_EL2 still named it. */
	if (before != NULL)
		leave(before);
	vmids.active[cpu_index()] = space;
	/* Acquire: nothing that this CPU does in the space comes before. Who looks at the bit to destroy the space
	 * has it to himself. */
	atomic_fetch_or_explicit(&space->active_cpus, UINT32_C(1) << cpu_index(),
				 memory_order_acquire);
	ticket_unlock(&vmids.lock);
	/* Not under the lock: all CPUs wait there, and a host's log may be slow. */
	if (new_generation != 0)
		mm_log("VMIDs came round, and their generation is", new_generation);
}

bool vmid_use_hardware_flags(struct vm_space *space)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	bool was_active = space->vmid_generation != 0;

	if (!was_active)
		space->context.hardware_flags = true;
	ticket_unlock(&vmids.lock);
	return !was_active;
}

struct vm_space *vmid_deactivate(void)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);

	struct vm_space *before = vmids.active[cpu_index()];

	if (before != NULL)
		leave(before);
	ticket_unlock(&vmids.lock);
	return before;
}

bool vmid_is_active_here(const struct vm_space *space)
{
	return vmids.active[cpu_index()] == space;
}

bool vmid_visit(struct vm_space *space)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	bool current = is_current(space);

	if (current)
		vmids.visited[cpu_index()] = space;
	ticket_unlock(&vmids.lock);
	return current;
}

void vmid_end_visit(void)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	vmids.visited[cpu_index()] = NULL;
	ticket_unlock(&vmids.lock);
}

void vmid_release(struct vm_space *space)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	if (is_current(space))
		set_taken(space->context.vmid, false);
	space->vmid_generation = 0;
	ticket_unlock(&vmids.lock);
}
