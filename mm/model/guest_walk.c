/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest_walk.h"

#define OK STATUS_SET(MM_OK)
#define FAULT STATUS_SET(MM_PAGE_FAULT)

#define BIT(n) (UINT64_C(1) << (n))

/* Bits @high to @low, as a number. */
static uint64_t bits(uint64_t value, unsigned int high, unsigned int low)
{
	return value >> low & (BIT(high - low + 1) - 1);
}

/* SCTLR_EL1.{M, EE}; TCR_EL1.{HA, DS}. */
#define SCTLR_M BIT(0)
#define SCTLR_EE BIT(25)
#define TCR_HA BIT(39)
#define TCR_DS BIT(59)

/* Bits 47 to 12 of a descriptor: where it leads. */
#define DESCRIPTOR_OUTPUT (BIT(48) - BIT(12))

/* What TCR_EL1 says of the addresses that TTBR0_EL1 or TTBR1_EL1 translates. */
struct half {
	uint64_t ttbr;
	unsigned int ia_bits;
	bool granule_is_4k;
	bool walks_disabled;   /* EPD */
	bool el0_disabled;     /* E0PD */
	bool tagged;	       /* TBI */
	bool ignores_ap_table; /* HPD */
};

static struct half half_of(const struct vm_guest *guest, bool upper)
{
	const uint64_t tcr = guest->tcr;

	if (upper)
		return (struct half){ guest->ttbr1,	      64 - (unsigned int)bits(tcr, 21, 16),
				      bits(tcr, 31, 30) == 2, tcr & BIT(23),
				      tcr & BIT(56),	      tcr & BIT(38),
				      tcr & BIT(42) };
	return (struct half){ guest->ttbr0,	      64 - (unsigned int)bits(tcr, 5, 0),
			      bits(tcr, 15, 14) == 0, tcr & BIT(7),
			      tcr & BIT(55),	      tcr & BIT(37),
			      tcr & BIT(41) };
}

/* TCR_EL1.IPS; no CPU has outputs of more bits than its own addresses. */
static unsigned int output_bits(const struct guest_walk *walk)
{
	static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48 };
	uint64_t ips = bits(walk->guest->tcr, 34, 32);
	unsigned int asked = ips < sizeof(sizes) ? sizes[ips] : 48;

	return asked < walk->pa_bits ? asked : walk->pa_bits;
}

/* AP[2:1], restricted by what the tables above said: APTable[1:0] lies 55 bits above. */
static bool permits(const struct vm_guest *guest, uint64_t leaf, uint64_t tables, uint8_t access)
{
	bool el0_may = (leaf & BIT(6)) && !(tables & BIT(61));
	bool read_only = (leaf & BIT(7)) || (tables & BIT(62));

	return (guest->level == VM_GUEST_EL1 || el0_may) && (!(access & PAGE_WRITE) || !read_only);
}

static status_set walk_tables(const struct guest_walk *walk, const struct half *half, uint64_t va,
			      uint8_t access, struct iaddr *ipa)
{
	const unsigned int oa_bits = output_bits(walk);
	unsigned int high = half->ia_bits - 1;
	unsigned int low = 12 + (half->ia_bits - 13) / 9 * 9; /* of the first index */
	uint64_t table = half->ttbr & (BIT(48) - 2) & ~((BIT(high - low + 1) * 8) - 1);
	uint64_t descriptor;
	uint64_t tables = 0;

	for (;; high = low - 1, low -= 9) {
		if (table >> oa_bits != 0)
			return FAULT;

		status_set statuses = walk->read(
			walk->context, iaddr(table + 8 * bits(va, high, low)), &descriptor);

		if (statuses != OK)
			return statuses;
		if (walk->guest->sctlr & SCTLR_EE)
			descriptor = __builtin_bswap64(descriptor);
		if (!(descriptor & BIT(0)))
			return FAULT;
		if (low == 12 || !(descriptor & BIT(1)))
			break;
		tables |= half->ignores_ap_table ? 0 : descriptor;
		table = descriptor & DESCRIPTOR_OUTPUT;
	}
	/* Blocks of 2 MiB and 1 GiB; a page has bit 1, a block does not. */
	if (low == 12 ? !(descriptor & BIT(1)) : low > 30)
		return FAULT;

	uint64_t output = descriptor & DESCRIPTOR_OUTPUT & ~(BIT(low) - 1);

	if (output >> oa_bits != 0 || !((descriptor & BIT(10)) || (walk->guest->tcr & TCR_HA)) ||
	    !permits(walk->guest, descriptor, tables, access))
		return FAULT;
	*ipa = iaddr(output | (va & (BIT(low) - 1)));
	return OK;
}

status_set guest_walk_to(const struct guest_walk *walk, uint64_t va, uint8_t access,
			 struct iaddr *ipa)
{
	const bool upper = va & BIT(55);
	const struct half half = half_of(walk->guest, upper);
	const uint64_t above = upper ? UINT64_MAX : 0;

	if (half.tagged)
		va = (va & (BIT(56) - 1)) | (above & ~(BIT(56) - 1));
	if (!(walk->guest->sctlr & SCTLR_M)) {
		*ipa = iaddr(va);
		return va >> walk->pa_bits == 0 ? OK : FAULT;
	}
	if (half.walks_disabled)
		return FAULT;
	if (!half.granule_is_4k || (walk->guest->tcr & TCR_DS) || half.ia_bits < 25 ||
	    half.ia_bits > 48)
		return STATUS_SET(MM_NOT_SUPPORTED);
	if ((half.el0_disabled && walk->guest->level == VM_GUEST_EL0) ||
	    (va ^ above) >> half.ia_bits != 0)
		return FAULT;
	return walk_tables(walk, &half, va, access, ipa);
}
