/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include <arch/canary.h>
#include <arch/cpu.h>
#include <strata/cursor.h>
#include <strata/heap.h>
#include <strata/vm_guest.h>
#include "corruption.h"
#if STRATA_CHECKED
#include <model.h>
#endif

enum mm_status guest_create(struct guest *guest, const char *name, unsigned int ia_bits,
			    uint64_t seed)
{
	*guest = (struct guest){ .name = name, .vcpu_count = 1, .random = { seed } };
	quarantine_init(&guest->quarantine);
	return vm_space_new_stage2(ia_bits, &guest->space);
}

/* Relaxed: guest_is_running. */
void guest_run(struct guest *guest, unsigned int index, struct vcpu_exit *exit)
{
	atomic_fetch_add_explicit(&guest->running, 1, memory_order_relaxed);
	vcpu_run(&guest->vcpus[index], exit);
	atomic_fetch_sub_explicit(&guest->running, 1, memory_order_relaxed);
}

enum mm_status guest_add_region(struct guest *guest, const struct guest_region *region)
{
	struct guest_region *regions;
	void *memory;
	enum mm_status status = heap_alloc((guest->region_count + 1) * sizeof(*region), &memory);

	if (status != MM_OK)
		return status;
	regions = memory;
	for (size_t i = 0; i < guest->region_count; i++)
		regions[i] = guest->regions[i];
	regions[guest->region_count] = *region;
	heap_free(guest->regions);
	guest->regions = regions;
	guest->region_count++;
	return MM_OK;
}

const struct guest_region *guest_region_at(const struct guest *guest, struct iaddr address)
{
	for (size_t i = 0; i < guest->region_count; i++) {
		if (irange_has(guest->regions[i].range, address))
			return &guest->regions[i];
	}
	return NULL;
}

enum mm_status guest_translate(struct guest *guest, const struct vcpu *vcpu, uint64_t address,
			       struct iaddr *out)
{
	const struct vcpu_system_registers *system = &vcpu->system;
	const struct vm_guest stage1 = {
		.space = &guest->space,
		.ttbr0 = system->ttbr0_el1,
		.ttbr1 = system->ttbr1_el1,
		.tcr = system->tcr_el1,
		.sctlr = system->sctlr_el1,
		.level = VM_GUEST_EL1,
	};
	struct vm_guest_walk walk;
	enum mm_status status = vm_guest_translate(&stage1, address, PAGE_READ, &walk);

	if (status == MM_OK)
		*out = walk.ipa;
	return status;
}

enum mm_status guest_refill(struct guest *guest, struct evicted_page *evicted)
{
	struct irange page = { evicted->page, iaddr(evicted->page.value + PAGE_SIZE) };
	struct cursor cursor;
	enum mm_status status;

	status = cursor_open(&guest->space, page, CURSOR_MUTABLE, &cursor);
	if (status != MM_OK)
		return status;

	status = cursor_map(&cursor, &evicted->frame, evicted->property);
	cursor_close(&cursor);
	if (status == MM_OK) {
		evicted_remove(&guest->evicted, evicted);
		evicted_page_free(evicted);
		guest->statistics.pages_refilled++;
	}
	return status;
}

/* What a table said can only be judged while it is there. */
static void check_tables(struct guest *guest)
{
	if (CANARY(leaf_corrupted))
		corrupt_leaf(&guest->space);
#if STRATA_CHECKED
	model_check_all();
#endif
}

void guest_destroy(struct guest *guest)
{
	check_tables(guest);
	evicted_drop_all(&guest->evicted);
	snapshot_forget(guest);
	quarantine_empty(&guest->quarantine);

	/* Nobody else knows the space: no cursor is open on it, and it is not active. */
	enum mm_status status = vm_space_destroy(&guest->space);
	(void)status;
	heap_free(guest->regions);
	guest->regions = NULL;
	guest->region_count = 0;
}
