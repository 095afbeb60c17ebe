/* SPDX-License-Identifier: BSD-3-Clause */
/* Accesses through the simulated MMU. */
#include "reader.h"
#include "harness.h"

static enum fault_kind fault_kind(enum machine_fault_kind kind)
{
	switch (kind) {
	case MACHINE_FAULT_TRANSLATION:
		return FAULT_TRANSLATION;
	case MACHINE_FAULT_ACCESS_FLAG:
		return FAULT_ACCESS_FLAG;
	case MACHINE_FAULT_PERMISSION:
		return FAULT_PERMISSION;
	case MACHINE_FAULT_ADDRESS_SIZE:
		return FAULT_ADDRESS_SIZE;
	default:
		FAIL("a fault of kind %d, which no table can cause", (int)kind);
	}
}

typedef bool (*translate_function)(struct iaddr ia, enum machine_access access,
				   struct machine_translation *out, struct machine_fault *fault);

static void access_by(translate_function translate, const struct access *access,
		      struct outcome *observed)
{
	struct machine_translation used;
	struct machine_fault fault;

	*observed = (struct outcome){ .fault = FAULT_NONE };
	if (!translate(access->address, (enum machine_access)access->kind, &used, &fault)) {
		observed->fault = fault_kind(fault.kind);
		observed->stage = fault.stage;
		observed->levels = (uint8_t)(1u << fault.level);
		observed->table_walk = fault.table_walk;
		return;
	}
	if (access->kind == ACCESS_WRITE) {
		machine_write(used.output, access->value);
		return;
	}
	observed->value_known = true;
	observed->value = machine_read(used.output);
}

void reader_el2(const struct access *access, struct outcome *observed)
{
	uint64_t value = 0;

	if (access->kind == ACCESS_EXECUTE) {
		access_by(machine_el2_translate, access, observed);
	} else if (reader_el2_moves(access, &value)) {
		*observed = (struct outcome){ .value_known = access->kind == ACCESS_READ,
					      .value = value };
	} else {
		access_by(machine_el2_translate, access, observed);
		EXPECT_TRUE(observed->fault != FAULT_NONE);
	}
}

void reader_start(struct world *world, struct reader *reader)
{
	world_space(world, &reader->space);
	EXPECT_OK(vm_space_activate(&reader->space));
}

struct vm_space *reader_space(struct reader *reader)
{
	return &reader->space;
}

void reader_stage1_on(struct reader *reader, struct iaddr root)
{
	const struct machine_guest_stage1 stage1 = { root, 39, 0xff };

	(void)reader;
	machine_guest_stage1_load(&stage1);
}

void reader_guest(struct reader *reader, const struct access *access, uint64_t user_program,
		  struct outcome *observed)
{
	(void)reader;
	(void)user_program;
	access_by(machine_guest_translate, access, observed);
}

void reader_end(struct world *world, struct reader *reader)
{
	machine_guest_stage1_load(NULL);
	world_rest(world);
	EXPECT_OK(vm_space_destroy(&reader->space));
}
