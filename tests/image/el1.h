/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest of a few instructions, for tests of the world switch: one page of program, one of data.
 *
 * The program starts at the beginning of its page; at EL1_VECTORS lies a table of vectors, each of
 * which makes the hypercall EL1_VECTOR_CALL plus its number (Arm ARM D1.3.1.4, 0 to 15).
 */
#pragma once

#include <aarch64/vcpu.h>
#include "world.h"

#define EL1_PROGRAM UINT64_C(0x10000000)
#define EL1_VECTORS (EL1_PROGRAM + 0x800)
#define EL1_DATA UINT64_C(0x10010000)
#define EL1_UNMAPPED UINT64_C(0x10020000)
#define EL1_VECTOR_CALL 0x100
#define EL1_CALL(number) (0xd4000002u | (uint32_t)(number) << 5) /* HVC #number */

#define EL1_PROGRAM_WORDS 512

struct el1 {
	struct vm_space space;
	struct vcpu vcpu;
	struct paddr program;
	struct paddr data;
};

/* Makes the guest with @words of program and activates its space. */
void el1_start(struct world *world, struct el1 *el1, const uint32_t *words, size_t count);

/* The same, and the CPU, which has FEAT_HAFDBS, manages the flags of its space. */
void el1_start_with_hardware_flags(struct world *world, struct el1 *el1, const uint32_t *words,
				   size_t count);

/* Puts another program in the place of the first; the next run starts it, in the same state. */
void el1_program(struct el1 *el1, const uint32_t *words, size_t count);

/* Maps a new zeroed page with what @flags permit. */
struct paddr el1_map(struct world *world, struct el1 *el1, uint64_t ipa, uint8_t flags);

/* Runs until the next exit, of which nothing is served. */
struct vcpu_exit el1_run(struct el1 *el1);

/* Runs, serving traps of system registers and injecting UNDEF for what else is trapped, until a
 * hypercall; returns its number. */
unsigned int el1_run_to_call(struct el1 *el1);

/* What el1_show_registers and el1_write_registers have in x0 to x19. */
void el1_registers_to_list(const struct vcpu_system_registers *system, uint64_t list[20]);

void el1_end(struct world *world, struct el1 *el1);

/* el1_programs.S */
extern const uint32_t el1_vectors[], el1_vectors_end[];
extern const uint32_t el1_add_one[], el1_add_one_end[];
extern const uint32_t el1_invert_vectors[], el1_invert_vectors_end[];
extern const uint32_t el1_show_registers[], el1_show_registers_end[];
extern const uint32_t el1_write_registers[], el1_write_registers_end[];
extern const uint32_t el1_count[], el1_count_end[];
extern const uint32_t el1_thumb_wait[], el1_thumb_wait_end[];
extern const uint32_t el1_load[], el1_load_end[];
extern const uint32_t el1_store[], el1_store_end[];
extern const uint32_t el1_stage1_on[], el1_stage1_on_end[];

#define EL1_PROGRAM_OF(name) (name), (size_t)(name##_end - (name))
