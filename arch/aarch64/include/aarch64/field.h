/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fields of registers, and the registers themselves.
 *
 * A field REGISTER_FIELD is the two constants REGISTER_FIELD_SHIFT and REGISTER_FIELD_WIDTH, under
 * the Arm ARM's names (registers.h); nothing else knows where it lies.
 */
#pragma once

#ifndef __ASSEMBLER__

#include <stdint.h>

#define FIELD_MASK(field) (((UINT64_C(1) << field##_WIDTH) - 1) << field##_SHIFT)

/* The field's value in @value. */
#define FIELD_GET(field, value) (((uint64_t)(value)&FIELD_MASK(field)) >> field##_SHIFT)

/* @value as it stands in the register; bits that do not fit are cut off. */
#define FIELD_PUT(field, value) (((uint64_t)(value) << field##_SHIFT) & FIELD_MASK(field))

/* @word with the field replaced by @value. */
#define FIELD_REPLACE(field, word, value) (((word) & ~FIELD_MASK(field)) | FIELD_PUT(field, value))

/*
 * MRS and MSR. Registers newer than Armv8.0 are given by their S<op0>_<op1>_<Cn>_<Cm>_<op2> name
 * (registers.h), so that no -march is needed to assemble them.
 */
#define REGISTER_TEXT_(name) #name
#define REGISTER_TEXT(name) REGISTER_TEXT_(name)

#define register_read(name)                                                                        \
	({                                                                                         \
		uint64_t register_value_;                                                          \
		__asm__ volatile("mrs %0, " REGISTER_TEXT(name) : "=r"(register_value_));          \
		register_value_;                                                                   \
	})

#define register_write(name, value)                                                                \
	({                                                                                         \
		const uint64_t new_value_ = (value);                                               \
		__asm__ volatile("msr " REGISTER_TEXT(name) ", %x0" : : "rZ"(new_value_));         \
	})

#endif
