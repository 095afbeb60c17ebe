/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest's own tables: what they say, what they may not say, and what a guest gains by lying. */
#include "vm_io_place.h"
#include <arch/features.h>
#include <string.h>

#define ACCESS_FLAG (UINT64_C(1) << 10)
#define UXN (UINT64_C(1) << 54)
#define PXN (UINT64_C(1) << 53)
#define DBM (UINT64_C(1) << 51)
#define AP(n) ((uint64_t)(n) << 6)
#define AP_TABLE(n) ((uint64_t)(n) << 61)
#define UXN_TABLE (UINT64_C(1) << 60)
#define PXN_TABLE (UINT64_C(1) << 59)
#define BLOCK UINT64_C(0x741)

#define TCR_T0SZ(bits) ((uint64_t)(64 - (bits)))
#define TCR_T1SZ(bits) ((uint64_t)(64 - (bits)) << 16)
#define TCR_BIT(n) (UINT64_C(1) << (n))
#define TCR_EPD0 TCR_BIT(7)
#define TCR_TG1_4K (UINT64_C(2) << 30)
#define TCR_IPS_40 (UINT64_C(2) << 32)
#define SCTLR_M UINT64_C(1)
#define SCTLR_WXN TCR_BIT(19)
#define SCTLR_EE TCR_BIT(25)

static struct vm_guest_walk untouched(void)
{
	return (struct vm_guest_walk){ .ipa = iaddr(0x77), .level = 7, .stage = 7 };
}

static void expect_ipa(const struct place *place, uint64_t va, enum page_flag access, uint64_t ipa,
		       int level)
{
	struct vm_guest_walk walk = untouched();

	EXPECT_OK(vm_guest_translate(&place->guest, va, access, &walk));
	EXPECT_EQUAL(walk.ipa.value, ipa);
	EXPECT_EQUAL(walk.level, level);
	EXPECT_EQUAL(walk.stage, 0);
}

static void expect_fault(const struct place *place, uint64_t va, enum page_flag access, int stage,
			 int level)
{
	struct vm_guest_walk walk = untouched();

	EXPECT_STATUS(vm_guest_translate(&place->guest, va, access, &walk), MM_PAGE_FAULT);
	EXPECT_EQUAL(walk.stage, stage);
	EXPECT_EQUAL(walk.level, level);
}

/* Leaves at levels 1, 2 and 3; the offset in the leaf is the address's own. */
TEST(vm_guest_leaves_at_every_level)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 2);
	expect_ipa(&place, place.base + 0x123, PAGE_READ, place.ipa + 0x123, 3);
	expect_ipa(&place, place.base + PAGE_SIZE, PAGE_WRITE, place.ipa + PAGE_SIZE, 3);
	guest_put(&place, 1, 5, MIB(64) | BLOCK);
	guest_put(&place, 0, 9, GIB(3) | BLOCK);
	expect_ipa(&place, (place.base & ~(GIB(1) - 1)) + MIB(10) + 0x12345, PAGE_READ,
		   MIB(64) + 0x12345, 2);
	expect_ipa(&place, GIB(9) + 0x3fffffff, PAGE_READ, GIB(3) + 0x3fffffff, 1);
	/* Low address bits of a block are no part of its address. */
	guest_put(&place, 1, 5, (MIB(64) + 0x10000) | BLOCK);
	expect_ipa(&place, (place.base & ~(GIB(1) - 1)) + MIB(10), PAGE_READ, MIB(64), 2);
	place_end(world, &place);
}

/* A guest's table in registers of a device, or where this CPU holds a cursor, is not read; @out stays. */
TEST(vm_guest_tables_that_cannot_be_read_now)
{
	struct vm_guest_walk walk = untouched();
	struct vm_guest in_registers;
	struct cursor cursor;
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	in_registers = place.guest;
	in_registers.ttbr0 = GIB(2);
	map_iomem_at(&place.space, GIB(2), NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	EXPECT_STATUS(vm_guest_translate(&in_registers, place.base, PAGE_READ, &walk),
		      MM_ACCESS_DENIED);
	open_at(&place.space, GUEST_TABLES_IPA, PAGE_SIZE, &cursor);
	EXPECT_STATUS(vm_guest_translate(&place.guest, place.base, PAGE_READ, &walk), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_EQUAL(walk.stage, 7);
	EXPECT_EQUAL(walk.ipa.value, 0x77);
	expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	place_end(world, &place);
}

/* Where a walk starts follows from the size; small first tables may begin inside a page. */
TEST(vm_guest_walks_start_by_size)
{
	static const struct {
		unsigned int bits;
		int start;
		uint64_t table_at; /* of the first table, in its page */
	} cases[] = {
		{ 48, 0, 0 },	  { 40, 0, 0x40 }, { 39, 1, 0 }, { 38, 1, 0x800 },
		{ 36, 1, 0x600 }, { 31, 1, 0x80 }, { 30, 2, 0 }, { 29, 2, 0x800 },
		{ 26, 2, 0x100 }, { 25, 2, 0x80 },
	};
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned int bits = cases[i].bits;
		uint64_t va = (UINT64_C(1) << bits) - PAGE_SIZE; /* the last page */
		uint64_t at = cases[i].table_at;

		for (unsigned int table = 0; table < 3; table++)
			memset(mm_linear(place.tables[table]), 0, PAGE_SIZE);
		place.guest.tcr = TCR_T0SZ(bits) | TCR_IPS_40;
		/* ASID and CnP are no part of the address. */
		place.guest.ttbr0 = (GUEST_TABLES_IPA + at) | 1 | UINT64_C(0xabcd) << 48;
		for (int level = cases[i].start; level <= 3; level++) {
			unsigned int shift = 12 + 9 * (3 - (unsigned int)level);
			unsigned int table = (unsigned int)(level - cases[i].start);
			bool first = level == cases[i].start;
			uint64_t index = first ? va >> shift : va >> shift & 511;

			/* Four levels need four tables: the last is the upper half's. */
			guest_put(&place, table, (first ? at / 8 : 0) + index,
				  level == 3 ? place.ipa | GUEST_PAGE : GUEST_TABLE(table + 1));
		}
		expect_ipa(&place, va + 0x10, PAGE_READ, place.ipa + 0x10, 3);
		expect_fault(&place, va + PAGE_SIZE, PAGE_READ, 1, 0);
		if (va - PAGE_SIZE != 0)
			expect_fault(&place, va - PAGE_SIZE, PAGE_READ, 1, 3);
		memset(mm_linear(place.tables[3]), 0, PAGE_SIZE);
	}
	place_end(world, &place);
}

TEST(vm_guest_has_two_halves_and_tags)
{
	const uint64_t top = ~(GIB(512) - 1); /* of 39 bits */
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	guest_put(&place, 3, 511, GIB(2) | BLOCK);
	guest_put(&place, 2, place.base >> 12 & 511, place.ipa | 3 | ACCESS_FLAG); /* EL1's alone */
	expect_ipa(&place, UINT64_MAX, PAGE_READ, GIB(3) - 1, 1);
	expect_fault(&place, top, PAGE_READ, 1, 1);
	expect_fault(&place, top - 1, PAGE_READ, 1, 0);
	/* Without TBI a tag is a fault, with it nothing. */
	expect_fault(&place, place.base | UINT64_C(0x5a) << 56, PAGE_READ, 1, 0);
	place.guest.tcr |= TCR_BIT(37);
	expect_ipa(&place, place.base | UINT64_C(0x5a) << 56, PAGE_READ, place.ipa, 3);
	expect_ipa(&place, place.base | UINT64_C(0x5a) << 56, PAGE_EXECUTE, place.ipa, 3);
	expect_fault(&place, UINT64_MAX & ~(UINT64_C(0x12) << 56), PAGE_READ, 1, 0);
	place.guest.tcr |= TCR_BIT(38);
	expect_ipa(&place, UINT64_MAX & ~(UINT64_C(0x12) << 56), PAGE_READ, GIB(3) - 1, 1);
	/* TBID: instruction addresses have no tags. */
	place.guest.tcr |= TCR_BIT(51);
	expect_ipa(&place, place.base | UINT64_C(0x5a) << 56, PAGE_READ, place.ipa, 3);
	expect_fault(&place, place.base | UINT64_C(0x5a) << 56, PAGE_EXECUTE, 1, 0);
	/* Bits that are no tag still have to be what bit 55 is. */
	expect_fault(&place, place.base | UINT64_C(1) << 50, PAGE_READ, 1, 0);
	place_end(world, &place);
}

TEST(vm_guest_halves_can_be_off)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	guest_put(&place, 3, 511, GIB(2) | BLOCK);
	place.guest.tcr |= TCR_EPD0;
	expect_fault(&place, place.base, PAGE_READ, 1, 0);
	expect_ipa(&place, UINT64_MAX, PAGE_READ, GIB(3) - 1, 1);
	place.guest.tcr ^= TCR_EPD0 | TCR_BIT(23);
	expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	expect_fault(&place, UINT64_MAX, PAGE_READ, 1, 0);
	/* E0PD keeps EL0 out, and EL0 alone. */
	place.guest.tcr ^= TCR_BIT(23) | TCR_BIT(56);
	expect_ipa(&place, UINT64_MAX, PAGE_READ, GIB(3) - 1, 1);
	place.guest.level = VM_GUEST_EL0;
	expect_fault(&place, UINT64_MAX, PAGE_READ, 1, 0);
	expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	place_end(world, &place);
}

TEST(vm_guest_says_what_it_does_not_walk)
{
	static const uint64_t forms[] = {
		UINT64_C(1) << 14, /* 64 KiB */
		UINT64_C(2) << 14, /* 16 KiB */
		TCR_BIT(59),	   /* DS */
		49 - 25,	   /* 15 bits */
		40 - 25,	   /* 24 bits */
	};
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct vm_guest_walk walk = untouched();
		struct vm_reader reader = place_reader(world, &place, 0, 4);
		uint64_t copied = 77;
		uint32_t value = 77;

		place.guest.tcr = GUEST_TCR + forms[i];
		EXPECT_STATUS(vm_guest_translate(&place.guest, place.base, PAGE_READ, &walk),
			      MM_NOT_SUPPORTED);
		EXPECT_EQUAL(walk.level, 7);
		EXPECT_STATUS(vm_reader_read_val(&reader, &value, 4), MM_NOT_SUPPORTED);
		struct vm_writer writer = own_writer(&value, 4);

		EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_NOT_SUPPORTED);
		EXPECT_EQUAL(copied, 0);
		EXPECT_EQUAL(value, 77);
	}
	/* 49 bits, and TTBR1's granules, which are written otherwise. */
	struct vm_guest_walk walk = untouched();

	place.guest.tcr = (GUEST_TCR & ~UINT64_C(63)) | TCR_T0SZ(49);
	EXPECT_STATUS(vm_guest_translate(&place.guest, 0, PAGE_READ, &walk), MM_NOT_SUPPORTED);
	for (uint64_t granule = 0; granule < 4; granule++) {
		place.guest.tcr = (GUEST_TCR & ~(UINT64_C(3) << 30)) | granule << 30;
		EXPECT_STATUS(vm_guest_translate(&place.guest, UINT64_MAX, PAGE_READ, &walk),
			      granule == 2 ? MM_PAGE_FAULT : MM_NOT_SUPPORTED);
	}
	walk = untouched();
	for (unsigned int access = 0; access < 20; access++)
		if (access != PAGE_READ && access != PAGE_WRITE && access != PAGE_EXECUTE)
			EXPECT_STATUS(
				vm_guest_translate(&place.guest, 0, (enum page_flag)access, &walk),
				MM_INVALID_ARGS);
	EXPECT_EQUAL(walk.stage, 7);
	place_end(world, &place);
}

/* Stage 1 off: the address is the IPA, if the CPU has so many bits. */
TEST(vm_guest_without_stage1)
{
	uint64_t end = UINT64_C(1) << arch_features()->pa_bits;
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	place.guest.sctlr = 0;
	place.guest.tcr |= TCR_BIT(59); /* of a form that would not be walked */
	for (int access = PAGE_READ; access <= PAGE_EXECUTE; access *= 2) {
		expect_ipa(&place, place.ipa + 5, (enum page_flag)access, place.ipa + 5, 0);
		expect_ipa(&place, end - 1, (enum page_flag)access, end - 1, 0);
		expect_fault(&place, end, (enum page_flag)access, 1, 0);
		expect_fault(&place, UINT64_MAX, (enum page_flag)access, 1, 0);
	}
	place_fill_pattern(&place);
	place.base = place.ipa;

	struct vm_reader reader = place_reader(world, &place, 7, 1);
	uint8_t byte;

	EXPECT_OK(vm_reader_read_val(&reader, &byte, 1));
	EXPECT_EQUAL(byte, pattern_at(7));
	place_end(world, &place);
}

/*
 * Permissions by the tables of the architecture (D8.4.1): data by AP alone, execution by UXN and
 * PXN, and never by EL1 what EL0 can write.
 */
static bool expected_permission(unsigned int combination, enum vm_guest_level level,
				enum page_flag access)
{
	/* By AP[2:1], narrowed by APTable[1:0]: what EL1 and EL0 may do. */
	static const char *const el1[4] = { "rw", "rw", "r", "r" };
	static const char *const el0[4] = { "", "rw", "", "r" };
	unsigned int ap = combination & 3, table = combination >> 2 & 3;
	bool uxn = combination & 0x10, pxn = combination & 0x20, wxn = combination & 0x40;
	bool uxn_table = combination & 0x80, pxn_table = combination & 0x100;

	ap = (ap | (table & 2)) & ((table & 1) ? 2 : 3);
	bool el1_writes = strchr(el1[ap], 'w') != NULL;
	bool el0_writes = strchr(el0[ap], 'w') != NULL;

	if (access != PAGE_EXECUTE)
		return strchr(level == VM_GUEST_EL1 ? el1[ap] : el0[ap],
			      access == PAGE_READ ? 'r' : 'w') != NULL;
	if (level == VM_GUEST_EL1)
		return !pxn && !pxn_table && !el0_writes && !(wxn && el1_writes);
	return !uxn && !uxn_table && !(wxn && el0_writes);
}

TEST(vm_guest_permissions_in_all_combinations)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (unsigned int combination = 0; combination < 1024; combination++) {
		uint64_t leaf = place.ipa | 3 | ACCESS_FLAG | AP(combination & 3) |
				(combination & 0x10 ? UXN : 0) | (combination & 0x20 ? PXN : 0);
		uint64_t table = AP_TABLE(combination >> 2 & 3) |
				 (combination & 0x80 ? UXN_TABLE : 0) |
				 (combination & 0x100 ? PXN_TABLE : 0);
		bool disabled = combination & 0x200; /* HPD0: table attributes say nothing */
		unsigned int effective = disabled ? combination & 0x73 : combination;

		guest_put(&place, 2, place.base >> 12 & 511, leaf);
		/* At either level on the way down, alternately. */
		guest_put(&place, 0, place.base >> 30 & 511,
			  GUEST_TABLE(1) | (combination % 3 ? table : 0));
		guest_put(&place, 1, place.base >> 21 & 511,
			  GUEST_TABLE(2) | (combination % 3 ? 0 : table));
		place.guest.sctlr = SCTLR_M | (combination & 0x40 ? SCTLR_WXN : 0);
		place.guest.tcr = GUEST_TCR | (disabled ? TCR_BIT(41) : 0);
		for (int i = 0; i < 6; i++) {
			enum page_flag access = (enum page_flag)(1 << i % 3);

			place.guest.level = i < 3 ? VM_GUEST_EL0 : VM_GUEST_EL1;
			if (expected_permission(effective, place.guest.level, access))
				expect_ipa(&place, place.base, access, place.ipa, 3);
			else
				expect_fault(&place, place.base, access, 1, 3);
		}
	}
	place_end(world, &place);
}

/* Readers and writers ask as the level they were given, and for what they do. */
TEST(vm_guest_readers_and_writers_ask_stage1)
{
	static const struct {
		uint64_t ap;
		enum vm_guest_level level;
		bool read, write;
	} cases[] = {
		{ 0, VM_GUEST_EL0, false, false }, { 1, VM_GUEST_EL0, true, true },
		{ 2, VM_GUEST_EL0, false, false }, { 3, VM_GUEST_EL0, true, false },
		{ 0, VM_GUEST_EL1, true, true },   { 3, VM_GUEST_EL1, true, false },
	};
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vm_reader reader = place_reader(world, &place, 0, 8);
		struct vm_writer writer = place_writer(world, &place, 0, 8);
		uint64_t value = 0;
		bool exchanged;

		guest_put(&place, 2, place.base >> 12 & 511,
			  place.ipa | 3 | ACCESS_FLAG | AP(cases[i].ap));
		place.guest.level = cases[i].level;
		EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, 8, 0, 0, &value,
								&exchanged),
			      cases[i].write ? MM_OK : MM_PAGE_FAULT);
		EXPECT_STATUS(vm_reader_atomic_load(&reader, 8, &value),
			      cases[i].read ? MM_OK : MM_PAGE_FAULT);
		EXPECT_STATUS(vm_reader_read_val(&reader, &value, 8),
			      cases[i].read ? MM_OK : MM_PAGE_FAULT);
		EXPECT_STATUS(vm_writer_write_val(&writer, &value, 8),
			      cases[i].write ? MM_OK : MM_PAGE_FAULT);
	}
	place_end(world, &place);
}

TEST(vm_guest_access_flag_and_dirty_state)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	guest_put(&place, 2, place.base >> 12 & 511, place.ipa | 3);
	expect_fault(&place, place.base, PAGE_READ, 1, 3);
	/* Hardware would set the flag; here it stays clear. */
	place.guest.tcr |= TCR_BIT(39);
	expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	EXPECT_EQUAL(world_read(paddr(place.tables[2].value + (place.base >> 12 & 511) * 8)),
		     place.ipa | 3);
	/* A clean page is not written: who would say that it is dirty? */
	place.guest.tcr |= TCR_BIT(40);
	guest_put(&place, 2, place.base >> 12 & 511, place.ipa | 3 | ACCESS_FLAG | AP(2) | DBM);
	expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	expect_fault(&place, place.base, PAGE_WRITE, 1, 3);
	place_end(world, &place);
}

/* Descriptors that mean nothing, addresses that are too big, at each level. */
TEST(vm_guest_faults_at_every_level)
{
	static const uint64_t nothing[] = { 0, 2, ~UINT64_C(1), UINT64_C(0x7f0000000000) };
	const uint64_t too_big = UINT64_C(1) << 45; /* 40 bits are let through */
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (unsigned int level = 1; level <= 3; level++) {
		unsigned int table = level - 1;
		uint64_t index = place.base >> (12 + 9 * (3 - level)) & 511;
		uint64_t was = world_read(paddr(place.tables[table].value + index * 8));

		for (size_t i = 0; i < COUNT_OF(nothing); i++) {
			guest_put(&place, table, index, nothing[i]);
			expect_fault(&place, place.base, PAGE_READ, 1, (int)level);
		}
		guest_put(&place, table, index, too_big | BLOCK);
		expect_fault(&place, place.base, PAGE_READ, 1, (int)level);
		guest_put(&place, table, index, too_big | GUEST_PAGE);
		expect_fault(&place, place.base, PAGE_READ, 1, (int)level);
		guest_put(&place, table, index, was);
		expect_ipa(&place, place.base, PAGE_READ, place.ipa, 3);
	}
	/* A CPU has no more output bits than it has, whatever is asked for. */
	place.guest.tcr |= UINT64_C(7) << 32;
	if (arch_features()->pa_bits < 48) {
		guest_put(&place, 2, place.base >> 12 & 511,
			  UINT64_C(1) << arch_features()->pa_bits | GUEST_PAGE);
		expect_fault(&place, place.base, PAGE_READ, 1, 3);
	}
	/* At level 3 a block is none; at level 0 neither. */
	guest_put(&place, 2, place.base >> 12 & 511, place.ipa | BLOCK);
	expect_fault(&place, place.base, PAGE_READ, 1, 3);
	place.guest.tcr = (GUEST_TCR & ~UINT64_C(63)) | TCR_T0SZ(48);
	guest_put(&place, 0, 0, BLOCK);
	expect_fault(&place, 0, PAGE_READ, 1, 0);
	/* The root itself. */
	place.guest.tcr = GUEST_TCR;
	place.guest.ttbr0 = too_big;
	expect_fault(&place, 0, PAGE_READ, 1, 0);
	place_end(world, &place);
}

/* A table that is its own next table is walked to the end, and no further. */
TEST(vm_guest_loops_end)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	memset(mm_linear(place.tables[0]), 0, PAGE_SIZE);
	for (uint64_t i = 0; i < 512; i++)
		guest_put(&place, 0, i, GUEST_TABLE(0) | ACCESS_FLAG);
	place.guest.tcr = (GUEST_TCR & ~UINT64_C(63)) | TCR_T0SZ(48);
	/* At level 3 it is a page: the table itself. */
	expect_ipa(&place, UINT64_C(0x123456789abc), PAGE_READ, GUEST_TABLES_IPA + 0xabc, 3);
	place_end(world, &place);
}

TEST(vm_guest_big_endian_tables)
{
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	for (unsigned int table = 0; table < 3; table++)
		for (uint64_t i = 0; i < 512; i++) {
			struct paddr at = paddr(place.tables[table].value + i * 8);

			world_write(at, __builtin_bswap64(world_read(at)));
		}
	place.guest.sctlr |= SCTLR_EE;
	expect_ipa(&place, place.base + 8, PAGE_READ, place.ipa + 8, 3);
	place.guest.sctlr &= ~SCTLR_EE;
	expect_fault(&place, place.base, PAGE_READ, 1, 1);
	place_end(world, &place);
}
