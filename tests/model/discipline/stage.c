/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage.h"
#include <inttypes.h>
#include <stdio.h>

static void made(uint64_t page, int level, uint64_t root)
{
	for (uint64_t at = page; at < page + PAGE_SIZE; at += sizeof(uint64_t))
		machine_write(paddr(at), 0);
	OBSERVE(.kind = OBSERVE_TABLE_ALLOC, .address = paddr(page), .level = (int8_t)level,
		.root = paddr(root));
}

void new_table(uint64_t page, int level)
{
	made(page, level, 0);
}

void new_root(uint64_t page, int level)
{
	made(page, level, page);
	dsb_ishst();
}

void free_table(uint64_t page, int level)
{
	OBSERVE(.kind = OBSERVE_TABLE_FREE, .address = paddr(page), .level = (int8_t)level);
}

void take(uint64_t page)
{
	OBSERVE(.kind = OBSERVE_LOCK, .address = paddr(page));
}

void give(uint64_t page)
{
	OBSERVE(.kind = OBSERVE_UNLOCK, .address = paddr(page));
}

static void store(uint64_t table, unsigned int index, uint64_t descriptor, enum observe_order order)
{
	const struct paddr at = paddr(table + index * sizeof(uint64_t));

	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = at, .value = descriptor,
		.previous = machine_read(at), .order = order);
	machine_write(at, descriptor);
}

void put(uint64_t table, unsigned int index, uint64_t descriptor)
{
	store(table, index, descriptor, OBSERVE_RELEASE);
}

void put_plain(uint64_t table, unsigned int index, uint64_t descriptor)
{
	store(table, index, descriptor, OBSERVE_RELAXED);
}

void release(uint64_t page)
{
	OBSERVE(.kind = OBSERVE_PAGES_RELEASE, .address = paddr(page), .root = paddr(ROOT),
		.range = irange(iaddr(0), iaddr(UINT64_C(1) << 39)), .value = PAGE_SIZE);
	printf("; the page at 0x%" PRIx64 " is given back\n", page);
}

static const struct translation_geometry geometry = {
	.ia_bits = 39,
	.root_level = 1,
	.root_tables = 1,
	.pa_bits = 44,
};

void load(uint64_t root, uint16_t vmid)
{
	const struct stage2_context context = {
		.root = paddr(root),
		.vmid = vmid,
		.geometry = geometry,
	};

	stage2_load(&context);
}

void unload(void)
{
	stage2_unload();
}

void load_el2(uint64_t root)
{
	el2_stage1_load(paddr(root), geometry);
}

void tlbi_here(uint64_t ipa)
{
	OBSERVE(.kind = OBSERVE_TLBI_IPA_ADDRESS,
		.range = irange(iaddr(ipa), iaddr(ipa + PAGE_SIZE)), .level = 3,
		.depth = TLB_LEAF_ONLY, .scope = OBSERVE_THIS_CPU);
}

void on_cpu(unsigned int cpu)
{
	machine_set_cpu(cpu);
}

void guest_reads(uint64_t ipa)
{
	struct machine_translation used;
	struct machine_fault fault;

	if (machine_guest_translate(iaddr(ipa), MACHINE_READ, &used, &fault))
		printf("; a guest reads IPA 0x%" PRIx64 ": the page at 0x%" PRIx64 "\n", ipa,
		       used.output.value);
	else
		printf("; a guest reads IPA 0x%" PRIx64 ": a fault\n", ipa);
}

void two_pages(void)
{
	new_root(ROOT, 1);
	new_table(MIDDLE, 2);
	new_table(LEAVES, 3);
	take(ROOT);
	put(LEAVES, 0, LEAF(PAGE(0)));
	put(LEAVES, 1, LEAF(PAGE(1)));
	put(MIDDLE, 0, TABLE(LEAVES));
	put(ROOT, 0, TABLE(MIDDLE));
	dsb_ishst();
	give(ROOT);
	load(ROOT, 1);
	guest_reads(0);
	guest_reads(PAGE_SIZE);
	printf("; ----\n");
}

void stage1_step(void)
{
	dsb_ish();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
}

void flush_page(uint64_t ipa)
{
	dsb_ishst();
	tlbi_ipa_address(iaddr(ipa), 3, TLB_LEAF_ONLY);
	stage1_step();
}

void unmap_first(void)
{
	two_pages();
	take(LEAVES);
	put(LEAVES, 0, 0);
}

void give_back_first(void)
{
	release(PAGE(0));
	give(LEAVES);
}
