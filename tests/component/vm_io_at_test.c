/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of a guest's tables against the CPU's own: random tables, well-formed and not, and the
 * address translation instructions for EL1 and EL0 (Arm ARM C5.4, "AT S1E1R" and its like).
 */
#include "vm_io_place.h"
#include <arch/barrier.h>
#include <arch/features.h>
#include <arch/tlb.h>
#include <string.h>

#define ROUNDS 3000

#define HCR_VM (UINT64_C(1) << 0)
#define HCR_DC (UINT64_C(1) << 12)
#define HCR_TGE (UINT64_C(1) << 27)
#define HCR_RW (UINT64_C(1) << 31)
#define SCTLR_RES1 UINT64_C(0x30d00800)
#define SCTLR_WXN (UINT64_C(1) << 19)
#define SCTLR_EE (UINT64_C(1) << 25)
#define PAR_FAILED UINT64_C(1)
#define PAR_ADDRESS UINT64_C(0x0000fffffffff000)

#define READ_REGISTER(name)                                                                        \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_));                                 \
		value_;                                                                            \
	})
#define WRITE_REGISTER(name, value) __asm__ volatile("msr " #name ", %0" : : "r"(value) : "memory")
#define ASK(operation, va) __asm__ volatile("at " operation ", %0\n\tisb" : : "r"(va) : "memory")

static uint64_t state = 1;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool one_in(unsigned int n)
{
	return next_random() % n == 0;
}

/* Attributes that a table or a leaf may have: permissions, the Access flag, and what is ignored. */
static uint64_t random_attributes(void)
{
	const uint64_t table_attributes = UINT64_C(0x78) << 56; /* bits 62 to 59 */
	uint64_t attributes = next_random() & (table_attributes | UINT64_C(0x63) << 53 |
					       UINT64_C(3) << 6 | UINT64_C(1) << 11);

	if (one_in(3))
		attributes &= ~table_attributes;
	return attributes | (one_in(8) ? 0 : UINT64_C(1) << 10);
}

static uint64_t random_descriptor(const struct place *place, int level)
{
	if (one_in(12))
		return next_random();
	if (one_in(12))
		return next_random() & ~UINT64_C(1);
	if (level == 3 || one_in(6))
		return (one_in(8) ? next_random() & PAR_ADDRESS : place->ipa) |
		       random_attributes() | (level == 3 && !one_in(12) ? 3 : 1);
	/* A table where Stage 2 has nothing. */
	if (one_in(20))
		return (next_random() & UINT64_C(0xfffff000)) | 3;
	return GUEST_TABLE(next_random() % GUEST_TABLES) | random_attributes();
}

static unsigned int output_sizes(void)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int count = 1; /* every CPU has 32 bits */

	while (count < COUNT_OF(bits) && bits[count] <= arch_features()->pa_bits)
		count++;
	return count;
}

/* Registers, and an address that mostly is one, with descriptors where its walk may come by. */
static uint64_t random_case(struct place *place)
{
	unsigned int t0sz = 16 + (unsigned int)(next_random() % 24);
	unsigned int t1sz = 16 + (unsigned int)(next_random() % 24);
	uint64_t tcr = t0sz | (uint64_t)t1sz << 16 | UINT64_C(2) << 30 |
		       (next_random() % output_sizes()) << 32;
	bool upper = one_in(3);
	unsigned int bits = 64 - (upper ? t1sz : t0sz);
	uint64_t va = next_random() & ((UINT64_C(1) << bits) - 1);

	if (one_in(20))
		tcr |= UINT64_C(1) << 7;
	if (one_in(20))
		tcr |= UINT64_C(1) << 23;
	if (one_in(3))
		tcr |= (next_random() & 3) << 37;
	if (upper)
		va |= ~((UINT64_C(1) << bits) - 1);
	if (one_in(5))
		va ^= next_random() & UINT64_C(0xff) << 56;
	if (one_in(20))
		va ^= UINT64_C(1) << (next_random() & 63);

	for (unsigned int table = 0; table < GUEST_TABLES; table++)
		for (int level = 0; level <= 3; level++)
			guest_put(place, table, va >> (12 + 9 * (3 - level)) & 511,
				  random_descriptor(place, level));
	place->guest.tcr = tcr;
	/* Aligned to any size of a first table. */
	place->guest.ttbr0 = GUEST_TABLES_IPA + next_random() % GUEST_TABLES * PAGE_SIZE;
	place->guest.ttbr1 = GUEST_TABLES_IPA + next_random() % GUEST_TABLES * PAGE_SIZE;
	place->guest.sctlr = SCTLR_RES1 | !one_in(20) | (one_in(3) ? SCTLR_WXN : 0) |
			     (one_in(10) ? SCTLR_EE : 0);
	return va;
}

static uint64_t ask(const struct vm_guest *guest, uint64_t va, enum page_flag access)
{
	WRITE_REGISTER(ttbr0_el1, guest->ttbr0);
	WRITE_REGISTER(ttbr1_el1, guest->ttbr1);
	WRITE_REGISTER(tcr_el1, guest->tcr);
	WRITE_REGISTER(sctlr_el1, guest->sctlr);
	isb();
	tlbi_vmid_stage1();
	dsb_ish();
	isb();
	if (guest->level == VM_GUEST_EL1 && access == PAGE_READ)
		ASK("s1e1r", va);
	else if (guest->level == VM_GUEST_EL1)
		ASK("s1e1w", va);
	else if (access == PAGE_READ)
		ASK("s1e0r", va);
	else
		ASK("s1e0w", va);
	return READ_REGISTER(par_el1);
}

TEST(vm_guest_walks_as_the_cpu_does)
{
	const uint64_t hcr = READ_REGISTER(hcr_el2), sctlr = READ_REGISTER(sctlr_el1);
	const uint64_t tcr = READ_REGISTER(tcr_el1), ttbr0 = READ_REGISTER(ttbr0_el1);
	const uint64_t ttbr1 = READ_REGISTER(ttbr1_el1);
	unsigned int translated = 0, faults[3] = { 0 };
	struct place place;

	place_make(world, &place, VM_IO_GUEST, 1);
	EXPECT_OK(vm_space_activate(&place.space));
	WRITE_REGISTER(hcr_el2, (hcr | HCR_VM | HCR_RW) & ~(HCR_DC | HCR_TGE));
	isb();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t va = random_case(&place);

		/* With Stage 1 off such a CPU has IPAs of 52 bits, which no space here has. */
		if (!(place.guest.sctlr & 1) && arch_features()->large_address && va >> 48 != 0)
			continue;
		for (unsigned int i = 0; i < 4; i++) {
			enum page_flag access = i & 1 ? PAGE_WRITE : PAGE_READ;
			struct vm_guest_walk walk = { .stage = 0 };
			enum mm_status status;
			uint64_t par;

			place.guest.level = i & 2 ? VM_GUEST_EL1 : VM_GUEST_EL0;
			status = vm_guest_translate(&place.guest, va, access, &walk);
			par = ask(&place.guest, va, access);
			if ((status == MM_OK) != ((par & PAR_FAILED) == 0) ||
			    (status == MM_OK &&
			     (par & PAR_ADDRESS) != (walk.ipa.value & PAR_ADDRESS)))
				FAIL("round %u, va 0x%llx, access %u, EL%u: PAR_EL1 0x%llx, but "
				     "%s, ipa "
				     "0x%llx, stage %d, level %d, tcr 0x%llx, sctlr 0x%llx",
				     round, (unsigned long long)va, access, i >> 1,
				     (unsigned long long)par, mm_status_name(status),
				     (unsigned long long)walk.ipa.value, walk.stage, walk.level,
				     (unsigned long long)place.guest.tcr,
				     (unsigned long long)place.guest.sctlr);
			if (status == MM_OK)
				translated++;
			else
				faults[walk.stage]++;
		}
	}
	/* Enough of each was met for the claim to mean something. */
	EXPECT_TRUE(translated > ROUNDS / 4);
	EXPECT_TRUE(faults[1] > ROUNDS / 4);
	EXPECT_TRUE(faults[2] > 0);

	WRITE_REGISTER(ttbr0_el1, ttbr0);
	WRITE_REGISTER(ttbr1_el1, ttbr1);
	WRITE_REGISTER(tcr_el1, tcr);
	WRITE_REGISTER(sctlr_el1, sctlr);
	WRITE_REGISTER(hcr_el2, hcr);
	isb();
	vm_space_deactivate();
	place_end(world, &place);
}
