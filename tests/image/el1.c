/* SPDX-License-Identifier: BSD-3-Clause */
#include "el1.h"
#include <arch/memory.h>
#include <string.h>
#include "harness.h"

#define EXITS_MAX 64

void el1_program(struct el1 *el1, const uint32_t *words, size_t count)
{
	uint32_t *page = mm_linear(el1->program);

	if (count > EL1_PROGRAM_WORDS)
		FAIL("a program of %zu words", count);
	memcpy(page, words, count * sizeof(*words));
	memcpy(page + EL1_PROGRAM_WORDS, el1_vectors,
	       (size_t)(el1_vectors_end - el1_vectors) * sizeof(*words));
	instruction_cache_sync(page, PAGE_SIZE);
	el1->vcpu.pc = EL1_PROGRAM;
}

static struct paddr map(struct world *world, struct vm_space *space, uint64_t ipa, uint8_t flags)
{
	struct cursor cursor;
	frame_t frame = world_frame(world);
	const struct paddr page = frame.paddr;

	EXPECT_OK(cursor_open(space, irange(iaddr(ipa), iaddr(ipa + PAGE_SIZE)), CURSOR_MUTABLE,
			      &cursor));
	EXPECT_OK(
		cursor_map(&cursor, &frame, page_property(flags | PAGE_ACCESSED, CACHE_WRITEBACK)));
	cursor_close(&cursor);
	return page;
}

struct paddr el1_map(struct world *world, struct el1 *el1, uint64_t ipa, uint8_t flags)
{
	return map(world, &el1->space, ipa, flags);
}

static void start(struct world *world, struct el1 *el1, const uint32_t *words, size_t count)
{
	vcpu_host_init();
	el1->program = map(world, &el1->space, EL1_PROGRAM, PAGE_READ | PAGE_EXECUTE);
	el1->data = map(world, &el1->space, EL1_DATA, PAGE_READ | PAGE_WRITE);
	vcpu_reset(&el1->vcpu, iaddr(EL1_PROGRAM), 0);
	el1->vcpu.system.vbar_el1 = EL1_VECTORS;
	el1_program(el1, words, count);
	EXPECT_OK(vm_space_activate(&el1->space));
}

void el1_start(struct world *world, struct el1 *el1, const uint32_t *words, size_t count)
{
	world_space(world, &el1->space);
	start(world, el1, words, count);
}

void el1_start_with_hardware_flags(struct world *world, struct el1 *el1, const uint32_t *words,
				   size_t count)
{
	world_space(world, &el1->space);
	EXPECT_OK(vm_space_use_hardware_flags(&el1->space));
	start(world, el1, words, count);
}

struct vcpu_exit el1_run(struct el1 *el1)
{
	struct vcpu_exit exit;

	vcpu_run(&el1->vcpu, &exit);
	return exit;
}

unsigned int el1_run_to_call(struct el1 *el1)
{
	for (unsigned int exits = 0; exits < EXITS_MAX; exits++) {
		const struct vcpu_exit exit = el1_run(el1);

		switch (vcpu_exit_class(&exit)) {
		case VCPU_CLASS_HYPERCALL:
			return vcpu_exit_immediate(&exit);
		case VCPU_CLASS_SYSTEM_REGISTER:
			vcpu_emulate_system_register(&el1->vcpu, &exit);
			break;
		case VCPU_CLASS_OTHER:
			vcpu_inject_undefined(&el1->vcpu);
			break;
		default:
			FAIL("an exit of class %d: syndrome 0x%llx, pc 0x%llx",
			     vcpu_exit_class(&exit), (unsigned long long)exit.syndrome,
			     (unsigned long long)el1->vcpu.pc);
		}
	}
	FAIL("no hypercall in %d exits", EXITS_MAX);
}

void el1_end(struct world *world, struct el1 *el1)
{
	world_rest(world);
	EXPECT_OK(vm_space_destroy(&el1->space));
}

void el1_registers_to_list(const struct vcpu_system_registers *system, uint64_t list[20])
{
	const uint64_t values[20] = {
		system->cpacr_el1,   system->ttbr0_el1,	     system->ttbr1_el1,
		system->tcr_el1,     system->mair_el1,	     system->vbar_el1,
		system->esr_el1,     system->far_el1,	     system->par_el1,
		system->elr_el1,     system->spsr_el1,	     system->sp_el0,
		system->sp_el1,	     system->tpidr_el0,	     system->tpidrro_el0,
		system->tpidr_el1,   system->contextidr_el1, system->csselr_el1,
		system->cntkctl_el1, system->cntv_cval_el0,
	};

	memcpy(list, values, sizeof(values));
}
