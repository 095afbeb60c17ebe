/* SPDX-License-Identifier: BSD-3-Clause */
#include "expectation.h"

#define ESR_CLASS_SHIFT 26
#define ESR_CLASS_INSTRUCTION_ABORT_LOWER UINT64_C(0x20)
#define ESR_CLASS_INSTRUCTION_ABORT_SAME UINT64_C(0x21)
#define ESR_CLASS_DATA_ABORT_LOWER UINT64_C(0x24)
#define ESR_CLASS_DATA_ABORT_SAME UINT64_C(0x25)
#define ESR_INSTRUCTION_LENGTH_32 (UINT64_C(1) << 25)

/* The probe's load and store: 64 bits, through x2. */
#define ISS_VALID (UINT64_C(1) << 24)
#define ISS_SIZE_DOUBLEWORD (UINT64_C(3) << 22)
#define ISS_REGISTER_X2 (UINT64_C(2) << 16)
#define ISS_REGISTER_64BIT (UINT64_C(1) << 15)
#define ISS_WRITE (UINT64_C(1) << 6)
#define ISS_TRANSLATION_FAULT UINT64_C(0x04) /* plus the level */
#define ISS_PERMISSION_FAULT UINT64_C(0x0c)
#define ISS_EXTERNAL_ABORT UINT64_C(0x10)

#define LEVEL_BITS 9 /* of input address that one level resolves */
#define LAST_LEVEL 3

/* The lookup that finds nothing: where no page shares the descriptor's span with @address. */
static int faulting_level(const struct expectation_map *map, struct iaddr address)
{
	if (address.value >> map->geometry.ia_bits != 0)
		return 0;

	for (int level = map->geometry.root_level; level < LAST_LEVEL; level++) {
		int shift = PAGE_SHIFT + LEVEL_BITS * (LAST_LEVEL - level);
		bool shared = false;

		for (size_t i = 0; i < map->count; i++)
			shared |= map->pages[i].value >> shift == address.value >> shift;
		if (!shared)
			return level;
	}
	return LAST_LEVEL;
}

static bool is_mapped(const struct expectation_map *map, struct iaddr address)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->pages[i].value == page_align_down(address.value))
			return true;
	}
	return false;
}

struct expectation expect(const struct expectation_map *map, enum stage2_access access,
			  struct iaddr address)
{
	bool mapped = is_mapped(map, address);
	struct expectation out = {
		.permission = mapped,
		.level = mapped ? LAST_LEVEL : faulting_level(map, address),
		.far = address.value,
		.hpfar = address.value >> PAGE_SHIFT << 4,
		.hpfar_defined = !mapped,
	};
	uint64_t direction = access == STAGE2_WRITE ? ISS_WRITE : 0;
	uint64_t fault = (out.permission ? ISS_PERMISSION_FAULT : ISS_TRANSLATION_FAULT) |
			 (uint64_t)out.level;

	if (access == STAGE2_EXECUTE) {
		out.esr_el1 = ESR_CLASS_INSTRUCTION_ABORT_SAME << ESR_CLASS_SHIFT |
			      ESR_INSTRUCTION_LENGTH_32 | ISS_EXTERNAL_ABORT;
		out.esr = ESR_CLASS_INSTRUCTION_ABORT_LOWER << ESR_CLASS_SHIFT |
			  ESR_INSTRUCTION_LENGTH_32 | fault;
	} else {
		out.esr_el1 = ESR_CLASS_DATA_ABORT_SAME << ESR_CLASS_SHIFT |
			      ESR_INSTRUCTION_LENGTH_32 | direction | ISS_EXTERNAL_ABORT;
		out.esr = ESR_CLASS_DATA_ABORT_LOWER << ESR_CLASS_SHIFT |
			  ESR_INSTRUCTION_LENGTH_32 | ISS_VALID | ISS_SIZE_DOUBLEWORD |
			  ISS_REGISTER_X2 | ISS_REGISTER_64BIT | direction | fault;
	}
	return out;
}

void expect_mapped(struct expectation_map *map, struct iaddr page)
{
	if (!is_mapped(map, page) && map->count < EXPECTATION_PAGES_MAX)
		map->pages[map->count++] = page;
}
