/* SPDX-License-Identifier: BSD-3-Clause */
/* Accesses by the CPU itself. Where one faulted, the syndrome says how. */
#include "reader.h"
#include <aarch64/registers.h>
#include "harness.h"

/* The guest's own Stage 1: 39 bits from level 1, walks write-back and inner shareable. */
#define TCR_39_BITS UINT64_C(0x280803519)
#define MAIR_WRITEBACK 0xff
#define PSTATE_EL1H 0x3c5
#define PSTATE_EL0T 0x3c0
#define VECTOR_FROM_EL1 (EL1_VECTOR_CALL + 4)
#define VECTOR_FROM_EL0 (EL1_VECTOR_CALL + 8)
#define CLASS_UNKNOWN 0 /* HVC at EL0 is undefined: what came before it completed */

static enum fault_kind fault_kind(uint64_t status)
{
	switch (FIELD_GET(FSC_KIND, status)) {
	case FSC_KIND_ADDRESS_SIZE:
		return FAULT_ADDRESS_SIZE;
	case FSC_KIND_TRANSLATION:
		return FAULT_TRANSLATION;
	case FSC_KIND_ACCESS_FLAG:
		return FAULT_ACCESS_FLAG;
	case FSC_KIND_PERMISSION:
		return FAULT_PERMISSION;
	default:
		FAIL("a fault with status 0x%llx, which no table can cause",
		     (unsigned long long)status);
	}
}

/* A fault as a syndrome reports it. */
static struct outcome outcome_of(uint64_t status, int stage)
{
	return (struct outcome){
		.fault = fault_kind(status),
		.stage = stage,
		.levels = (uint8_t)(1u << FIELD_GET(FSC_LEVEL, status)),
	};
}

/* ESR_EL2 is that of the abort: no other exception was taken since. */
void reader_el2(const struct access *access, struct outcome *observed)
{
	*observed = (struct outcome){ .value_known = access->kind == ACCESS_READ };
	if (!reader_el2_moves(access, &observed->value))
		*observed = outcome_of(FIELD_GET(ESR_ISS_ABORT_FSC, register_read(esr_el2)), 1);
}

void reader_start(struct world *world, struct reader *reader)
{
	el1_start(world, &reader->el1, EL1_PROGRAM_OF(el1_load));
}

struct vm_space *reader_space(struct reader *reader)
{
	return &reader->el1.space;
}

void reader_stage1_on(struct reader *reader, struct iaddr root)
{
	struct vcpu_system_registers *system = &reader->el1.vcpu.system;

	system->ttbr0_el1 = root.value;
	system->tcr_el1 = TCR_39_BITS;
	system->mair_el1 = MAIR_WRITEBACK;
	system->sctlr_el1 |= 1;
}

/* The guest took an exception to its own EL1: by its own Stage 1, or by the HVC that ends EL0's turn. */
static struct outcome own_exception(const struct vcpu *vcpu)
{
	uint64_t syndrome = vcpu->system.esr_el1;

	if (FIELD_GET(ESR_ELx_EC, syndrome) == CLASS_UNKNOWN)
		return (struct outcome){ .fault = FAULT_NONE };
	return outcome_of(FIELD_GET(ESR_ISS_ABORT_FSC, syndrome), 1);
}

static struct outcome run(struct el1 *el1, bool user)
{
	const struct vcpu_exit exit = el1_run(el1);
	struct stage2_abort abort;
	struct outcome outcome;
	unsigned int call;

	if (stage2_abort_decode(&exit, &abort)) {
		outcome = outcome_of(FIELD_GET(ESR_ISS_ABORT_FSC, exit.syndrome), 2);
		outcome.table_walk = abort.table_walk;
		return outcome;
	}
	if (vcpu_exit_class(&exit) != VCPU_CLASS_HYPERCALL)
		FAIL("an exit with syndrome 0x%llx", (unsigned long long)exit.syndrome);
	call = vcpu_exit_immediate(&exit);
	if (call == (user ? VECTOR_FROM_EL0 : VECTOR_FROM_EL1))
		return own_exception(&el1->vcpu);
	return (struct outcome){ .value_known = true, .value = reader_word(call) };
}

void reader_guest(struct reader *reader, const struct access *access, uint64_t user_program,
		  struct outcome *observed)
{
	struct el1 *el1 = &reader->el1;

	if (access->kind == ACCESS_WRITE)
		el1_program(el1, EL1_PROGRAM_OF(el1_store));
	else
		el1_program(el1, EL1_PROGRAM_OF(el1_load));
	el1->vcpu.pstate = access->user ? PSTATE_EL0T : PSTATE_EL1H;
	if (access->user)
		el1->vcpu.pc = user_program;
	if (access->kind == ACCESS_EXECUTE)
		el1->vcpu.pc = access->address.value;
	el1->vcpu.x[0] = access->address.value;
	el1->vcpu.x[1] = access->value;
	*observed = run(el1, access->user);
	if (access->kind == ACCESS_EXECUTE) {
		observed->value_known = observed->fault == FAULT_NONE && !access->user;
		return;
	}
	observed->value_known = observed->fault == FAULT_NONE && access->kind == ACCESS_READ;
	observed->value = el1->vcpu.x[1];
}

void reader_end(struct world *world, struct reader *reader)
{
	el1_end(world, &reader->el1);
}
