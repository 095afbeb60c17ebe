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
	/* All of this, and spaces' context.vmid and vmid_generation: whatever is written is written under the
	 * lock, but for visited. */
	struct ticket_lock lock;
	_Atomic uint64_t generation;
	uint32_t hint;	/* where the search begins */
	uint32_t limit; /* the host's own begin there; 0: it has none */
	uint64_t taken[VMIDS_MAX / WORD_BITS];
	struct vm_space *active[STRATA_MAX_CPUS];
	/* Loaded for the time of an invalidation, or about to be; each written by its CPU, without the lock. */
	struct vm_space *_Atomic visited[STRATA_MAX_CPUS];
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

/* Relaxed: under the lock, or where nothing runs. */
static uint64_t generation(void)
{
	return atomic_load_explicit(&vmids.generation, memory_order_relaxed);
}

static uint64_t generation_of(const struct vm_space *space)
{
	return atomic_load_explicit(&space->vmid_generation, memory_order_relaxed);
}

/* Release: who finds it, without the lock, finds the VMID that is the space's in it. */
static void set_generation_of(struct vm_space *space, uint64_t generation)
{
	atomic_store_explicit(&space->vmid_generation, generation, memory_order_release);
}

/* Release: who finds that this CPU is not there any more, without having waited for it, knows that VTTBR_EL2
 * names another space. */
static void set_visited(struct vm_space *space)
{
	atomic_store_explicit(&vmids.visited[cpu_index()], space, memory_order_release);
}

void vmid_reset(uint32_t limit)
{
	vmids.limit = limit;
	atomic_store_explicit(&vmids.generation, 1, memory_order_relaxed);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		vmids.active[cpu] = NULL;
		atomic_store_explicit(&vmids.visited[cpu], NULL, memory_order_relaxed);
	}
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

/*
 * Some CPU's VTTBR_EL2 names @space, or NULL: its VMID stays its own in the new generation. One that had none
 * in the last generation is about to be visited, and will not be; one that has it is kept already.
 */
static void keep(struct vm_space *space)
{
	if (space == NULL || generation_of(space) + 1 != generation())
		return;
	set_taken(space->context.vmid, true);
	set_generation_of(space, generation());
}

static void roll_over(void)
{
	atomic_store_explicit(&vmids.generation, generation() + 1, memory_order_relaxed);
	/* Either a CPU that begins a visit finds the new generation, or it is found here (vmid_visit). */
	atomic_thread_fence(memory_order_seq_cst);
	forget_all();
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		keep(vmids.active[cpu]);
		/* Acquire: set_visited. */
		keep(atomic_load_explicit(&vmids.visited[cpu], memory_order_acquire));
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
	return generation_of(space) == generation();
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
			new_generation = generation();
			vmid = find_free();
		}
		MM_INVARIANT(vmid != 0, "active spaces leave a VMID free", generation());
		set_taken(vmid, true);
		space->context.vmid = (uint16_t)vmid;
		set_generation_of(space, generation());
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
	bool was_active = generation_of(space) != 0;

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

/*
 * Without the lock, if the space has a VMID: this CPU first says where it is about to go, and then looks at the
 * generation, and who begins a new one does the reverse, with a fence between the two on either side. So either
 * this CPU finds the old generation, and is found there: then the VMID stays the space's. Or it finds the new one.
 * That the space has no VMID is said under the lock only: not while another CPU is giving it one, or is about to
 * let it keep its own.
 */
bool vmid_visit(struct vm_space *space)
{
	set_visited(space);
	atomic_thread_fence(memory_order_seq_cst);
	/* Acquire: set_generation_of. */
	if (generation() == atomic_load_explicit(&space->vmid_generation, memory_order_acquire))
		return true;

	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	bool current = is_current(space);

	if (!current)
		set_visited(NULL);
	ticket_unlock(&vmids.lock);
	return current;
}

void vmid_end_visit(void)
{
	set_visited(NULL);
}

void vmid_release(struct vm_space *space)
{
	ticket_lock(&vmids.lock, MM_LOCK_VMID);
	if (is_current(space))
		set_taken(space->context.vmid, false);
	set_generation_of(space, 0);
	ticket_unlock(&vmids.lock);
}
