/* SPDX-License-Identifier: BSD-3-Clause */
#include "descriptor.h"
#include "tlb_store.h"

#define DESCRIPTOR_VALID (UINT64_C(1) << 0)
#define DESCRIPTOR_NOT_BLOCK (UINT64_C(1) << 1) /* a table, or at level 3 a page */
#define DESCRIPTOR_ADDRESS UINT64_C(0x0000fffffffff000)

/* Leaves of Stage 1. */
#define S1_ATTR_INDEX(value) (((value) >> 2) & 7)
#define S1_AP_EL0 (UINT64_C(1) << 6)
#define S1_AP_READ_ONLY (UINT64_C(1) << 7)
#define S1_PXN (UINT64_C(1) << 53)
#define S1_XN (UINT64_C(1) << 54)

/* Leaves of Stage 2. */
#define S2_MEM_ATTR(value) (((value) >> 2) & 15)
#define S2_READ (UINT64_C(1) << 6)
#define S2_WRITE (UINT64_C(1) << 7)
#define S2_XN(value) (((value) >> 53) & 3)
#define S2_DBM (UINT64_C(1) << 51)

/* Leaves of both. */
#define LEAF_SHAREABILITY(value) (((value) >> 8) & 3)
#define LEAF_ACCESSED (UINT64_C(1) << 10)

/* Tables of Stage 1. */
#define TABLE_PXN (UINT64_C(1) << 59)
#define TABLE_XN (UINT64_C(1) << 60)
#define TABLE_AP_READ_ONLY (UINT64_C(1) << 62)

/* One byte of MAIR_ELx (D19.2.100, "MAIR_EL2"). */
static enum machine_memory memory_of_mair(uint8_t attribute)
{
	uint8_t outer = attribute >> 4, inner = attribute & 15;

	if (outer == 0)
		return (inner & 3) == 0 ? (enum machine_memory)(inner >> 2) : MEMORY_MIXED;
	if (outer != inner)
		return MEMORY_MIXED;
	if (outer == 4)
		return MEMORY_NONCACHEABLE;
	/* 0bx0RW is Write-Through, 0bx1RW Write-Back, 0b0xRW transient. */
	return (outer & 4) != 0 ? MEMORY_WRITEBACK : MEMORY_WRITETHROUGH;
}

/* MemAttr[3:0] of a Stage-2 leaf, FEAT_S2FWB off. */
static enum machine_memory memory_of_stage2(unsigned int attributes)
{
	unsigned int outer = attributes >> 2, inner = attributes & 3;

	if (outer == 0)
		return (enum machine_memory)inner;
	if (outer != inner)
		return MEMORY_MIXED;
	return (enum machine_memory)(MEMORY_NONCACHEABLE + outer - 1);
}

static uint8_t permissions_el2(uint64_t value)
{
	return TLB_READ | ((value & S1_AP_READ_ONLY) ? 0 : TLB_WRITE) |
	       ((value & S1_XN) ? 0 : TLB_EXECUTE);
}

static uint8_t permissions_el1(uint64_t value)
{
	bool writable = (value & S1_AP_READ_ONLY) == 0;
	/* What EL0 can write EL1 cannot execute. */
	bool executable = (value & S1_PXN) == 0 && !(writable && (value & S1_AP_EL0) != 0);

	return TLB_READ | (writable ? TLB_WRITE : 0) | (executable ? TLB_EXECUTE : 0);
}

static uint8_t permissions_stage2(uint64_t value, bool execute_never_el)
{
	unsigned int never = S2_XN(value);
	/* FEAT_XNX: 00 all may execute, 01 EL0 only, 10 nobody, 11 EL1 only. Without it XN[1] rules. */
	bool executable = execute_never_el ? never == 0 || never == 3 : (never & 2) == 0;

	return ((value & S2_READ) ? TLB_READ : 0) | ((value & S2_WRITE) ? TLB_WRITE : 0) |
	       (executable ? TLB_EXECUTE : 0);
}

static struct descriptor decode_leaf(uint64_t value, int level, enum descriptor_format format,
				     const struct descriptor_controls *controls)
{
	struct descriptor leaf = {
		.kind = DESCRIPTOR_LEAF,
		.address = value & DESCRIPTOR_ADDRESS & ~(level_size(level) - 1),
		.accessed = (value & LEAF_ACCESSED) != 0,
		.shareability = LEAF_SHAREABILITY(value),
	};
	uint64_t reserved = (DESCRIPTOR_ADDRESS & (level_size(level) - 1)) | (UINT64_C(3) << 48);

	switch (format) {
	case FORMAT_EL2:
		leaf.permissions = permissions_el2(value);
		leaf.memory =
			memory_of_mair((uint8_t)(controls->mair >> (8 * S1_ATTR_INDEX(value))));
		reserved |= S1_PXN;
		leaf.reserved_set = (value & S1_AP_EL0) == 0; /* AP[1] is RES1 */
		break;
	case FORMAT_EL1:
		leaf.permissions = permissions_el1(value);
		leaf.memory =
			memory_of_mair((uint8_t)(controls->mair >> (8 * S1_ATTR_INDEX(value))));
		break;
	case FORMAT_STAGE2:
		leaf.permissions = permissions_stage2(value, controls->execute_never_el);
		leaf.memory = memory_of_stage2(S2_MEM_ATTR(value));
		if (!controls->execute_never_el)
			reserved |= UINT64_C(1) << 53;
		if (!controls->dirty_state)
			reserved |= S2_DBM;
		reserved |= UINT64_C(1) << 11; /* RES0 in Stage 2; nG elsewhere */
		break;
	}
	if (format != FORMAT_STAGE2 && controls->write_implies_no_execute &&
	    (leaf.permissions & TLB_WRITE) != 0)
		leaf.permissions &= (uint8_t)~TLB_EXECUTE;
	if ((value & reserved) != 0)
		leaf.reserved_set = true;
	return leaf;
}

struct descriptor descriptor_decode(uint64_t value, int level, enum descriptor_format format,
				    const struct descriptor_controls *controls)
{
	bool not_block = (value & DESCRIPTOR_NOT_BLOCK) != 0;

	if ((value & DESCRIPTOR_VALID) == 0)
		return (struct descriptor){ .kind = DESCRIPTOR_INVALID };
	if (level == 3)
		return not_block ? decode_leaf(value, level, format, controls)
				 : (struct descriptor){ .kind = DESCRIPTOR_INVALID };
	if (!not_block) {
		/* There are no 512 GiB blocks without FEAT_LPA2. */
		if (level == 0)
			return (struct descriptor){ .kind = DESCRIPTOR_INVALID };
		return decode_leaf(value, level, format, controls);
	}

	struct descriptor table = {
		.kind = DESCRIPTOR_TABLE,
		.address = value & DESCRIPTOR_ADDRESS,
		.reserved_set = (value & (UINT64_C(7) << 48)) != 0,
	};

	if (format == FORMAT_STAGE2) {
		table.reserved_set |= (value >> 59) != 0;
		return table;
	}
	table.limits_write = (value & TABLE_AP_READ_ONLY) != 0;
	table.limits_execute = (value & (format == FORMAT_EL2 ? TABLE_XN : TABLE_PXN)) != 0;
	return table;
}

uint64_t descriptor_accessed(uint64_t value)
{
	return (value & DESCRIPTOR_VALID) != 0 ? LEAF_ACCESSED : 0;
}

uint64_t descriptor_dirtied(uint64_t value)
{
	return (value & DESCRIPTOR_VALID) != 0 && (value & S2_DBM) != 0 ? S2_WRITE : 0;
}

bool descriptor_is_writable(uint64_t value)
{
	return (value & DESCRIPTOR_VALID) != 0 && (value & S2_WRITE) != 0;
}
