/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads, stores and fetches of the simulated CPUs. */
#include "descriptor.h"
#include "machine_internal.h"

static bool permitted(const struct tlb_entry *entry, enum machine_access access, struct iaddr ia,
		      struct machine_fault *fault)
{
	static const uint8_t needed[] = {
		[MACHINE_READ] = TLB_READ,
		[MACHINE_WRITE] = TLB_WRITE,
		[MACHINE_EXECUTE] = TLB_EXECUTE,
	};
	uint8_t need = needed[access];

	if ((entry->stage1 & entry->stage2 & need) == need)
		return true;

	bool by_stage1 = (entry->stage1 & need) != need;

	*fault = (struct machine_fault){
		.kind = MACHINE_FAULT_PERMISSION,
		.level = by_stage1 ? entry->stage1_level : entry->stage2_level,
		.stage = by_stage1 ? 1 : 2,
		.ipa = iaddr(by_stage1 ? 0 : entry->ipa + (ia.value - entry->ia)),
	};
	return false;
}

/*
 * A write that what is cached does not permit: if the leaf is one that writes make dirty, or is writable
 * by now, it comes through. The descriptor in memory decides, and it is changed in one step.
 */
static bool make_dirty(struct cpu *cpu, struct tlb_entry *entry)
{
	const struct tlb_source leaf = entry->sources[0];
	uint64_t value;

	if (!cpu->stage2.hardware_flags || (entry->stage1 & TLB_WRITE) == 0)
		return false;
	value = machine_read(paddr(leaf.address));
	while (!descriptor_is_writable(value)) {
		uint64_t dirty = descriptor_dirtied(value);

		if (dirty == 0)
			return false;
		(void)walker_set(leaf.address, &value, dirty);
	}
	for (size_t i = 0; i < cpu->tlb.count; i++) {
		struct tlb_entry *cached = &cpu->tlb.entries[i];

		if (cached->sources[0].address == leaf.address && cached->kind != TLB_STAGE2_WALK) {
			cached->sources[0].value = value;
			cached->stage2 |= TLB_WRITE;
		}
	}
	entry->stage2 |= TLB_WRITE;
	return true;
}

typedef bool (*translate_function)(struct cpu *cpu, uint64_t ia, bool looking_ahead,
				   struct tlb_entry *out, struct machine_fault *fault);

/* What an access does with the word that it comes to. */
typedef void (*use_function)(struct paddr output, uint64_t *word);

/*
 * The word is used in one step with its translation: an invalidation is complete only when every access
 * by what it removes is (Arm ARM D8.16, "Completion of TLB maintenance instructions").
 */
static bool translate(translate_function function, struct iaddr ia, enum machine_access access,
		      use_function use, uint64_t *word, struct machine_translation *out,
		      struct machine_fault *fault)
{
	struct tlb_entry entry = { .stage1 = TLB_ALL, .stage2 = TLB_ALL };

	machine_lock();
	uint64_t now = ++machine.clock;
	bool translated = function(this_cpu(), ia.value, false, &entry, fault);
	bool done = translated;

	/* A permission fault of Stage 1 comes before any fault of Stage 2, but for those on its own way
	 * (Arm ARM D8.15.5, "Prioritization of synchronous aborts from two stages of translation"). */
	if (translated || (fault->stage == 2 && !fault->table_walk))
		done &= permitted(&entry, access, ia, fault);
	if (translated && !done && access == MACHINE_WRITE && entry.kind != TLB_EL2)
		done = make_dirty(this_cpu(), &entry);
	if (done && use != NULL)
		use(paddr(entry.output + (ia.value - entry.ia)), word);

	machine_unlock();
	if (!done)
		return false;

	uint8_t both = entry.stage1 & entry.stage2;

	*out = (struct machine_translation){
		.output = paddr(entry.output + (ia.value - entry.ia)),
		.level = entry.level,
		.readable = (both & TLB_READ) != 0,
		.writable = (both & TLB_WRITE) != 0,
		.executable = (both & TLB_EXECUTE) != 0,
		.memory = entry.memory,
		.shareability = entry.shareability,
		.cached = entry.filled < now,
	};
	*fault = (struct machine_fault){ .kind = MACHINE_FAULT_NONE };
	return true;
}

bool machine_el2_translate(struct iaddr ia, enum machine_access access,
			   struct machine_translation *out, struct machine_fault *fault)
{
	return translate(el2_translate, ia, access, NULL, NULL, out, fault);
}

bool machine_guest_translate(struct iaddr va, enum machine_access access,
			     struct machine_translation *out, struct machine_fault *fault)
{
	return translate(guest_translate, va, access, NULL, NULL, out, fault);
}

static void load(struct paddr output, uint64_t *word)
{
	*word = machine_is_memory(output) ? machine_read(output) : UINT64_MAX;
}

bool machine_guest_load(struct iaddr va, uint64_t *value, struct machine_fault *fault)
{
	struct machine_translation used;

	return translate(guest_translate, va, MACHINE_READ, load, value, &used, fault);
}

static void store(struct paddr output, uint64_t *word)
{
	if (machine_is_memory(output))
		machine_write(output, *word);
}

bool machine_guest_store(struct iaddr va, uint64_t value, struct machine_fault *fault)
{
	struct machine_translation used;

	return translate(guest_translate, va, MACHINE_WRITE, store, &value, &used, fault);
}

void machine_guest_stage1_load(const struct machine_guest_stage1 *stage1)
{
	machine_lock();
	struct cpu *cpu = this_cpu();

	cpu->guest_stage1_on = stage1 != NULL;
	if (stage1 != NULL)
		cpu->guest_stage1 = *stage1;
	machine_unlock();
}

size_t machine_tlb_entries(void)
{
	size_t count = 0;

	machine_lock();
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++)
		count += machine.cpus[i].tlb.count;
	machine_unlock();
	return count;
}

static bool every_entry(const struct tlb_entry *entry, const void *context)
{
	(void)entry;
	(void)context;
	return true;
}

void machine_tlb_evict(void)
{
	machine_lock();
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++)
		tlb_store_remove(&machine.cpus[i].tlb, every_entry, NULL);
	machine_unlock();
}
