/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw.h"

void spoil(struct generator *generator, struct step *step)
{
	uint32_t numbers = act_words((enum act)step->act)->numbers;
	uint64_t *n = step->numbers;
	unsigned int number;

	if (numbers == 0)
		return;
	do
		number = (unsigned int)below(generator, NUMBER_WORDS);
	while ((numbers >> number & 1) == 0);
	switch ((enum number)number) {
	case NUMBER_ADDRESS:
	case NUMBER_LENGTH:
	case NUMBER_OFFSET:
	case NUMBER_PAGE: {
		const uint64_t bad[] = {
			n[number] + 1,	    n[number] + PAGE_SIZE / 2,	0,
			UINT64_C(1) << 52,  UINT64_MAX - PAGE_SIZE + 1, UINT64_MAX - 12,
			n[number] + MIB(64)
		};

		n[number] = bad[below(generator, sizeof(bad) / sizeof(bad[0]))];
		break;
	}
	case NUMBER_SIZE:
		n[number] = 3 + below(generator, 200);
		break;
	case NUMBER_BITS:
		n[number] = one_in(generator, 2) ? 20 : 60;
		break;
	case NUMBER_COUNT:
		n[number] = one_in(generator, 2) ? 0 : UINT64_C(1) << 40;
		break;
	case NUMBER_ALIGNMENT:
	case NUMBER_COLOURS:
	case NUMBER_COLOUR:
		n[number] = 3;
		break;
	case NUMBER_FLAGS:
		n[number] = PAGE_WRITE | PAGE_EXECUTE | 0x80;
		break;
	case NUMBER_CACHE:
		n[number] = CACHE_POLICY_COUNT;
		break;
	case NUMBER_ACCESS:
		n[number] = CURSOR_READ_ONLY;
		break;
	default:
		break;
	}
	/* Only these may lie outside of the objects that hold the bytes. */
	if (step->act == ACT_IO_HYPERVISOR_READER || step->act == ACT_IO_HYPERVISOR_WRITER) {
		if (number == NUMBER_OFFSET) {
			n[NUMBER_OFFSET] = OBJECT_BYTES;
			n[NUMBER_LENGTH] += 1;
		} else if (n[NUMBER_LENGTH] > OBJECT_BYTES / 2) {
			n[NUMBER_LENGTH] = UINT64_MAX - 12;
		}
	}
	if (step->act == ACT_READER_READ_VAL || step->act == ACT_WRITER_WRITE_VAL)
		n[NUMBER_SIZE] %= OBJECT_BYTES;
	if (step->act == ACT_READER_COLLECT && n[NUMBER_LENGTH] > OBJECT_BYTES)
		n[NUMBER_LENGTH] = OBJECT_BYTES;
}
