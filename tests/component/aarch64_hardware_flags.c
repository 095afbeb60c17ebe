/* SPDX-License-Identifier: BSD-3-Clause */
/* A real CPU that keeps accessed and dirty pages itself, where it can: VTCR_EL2.HA and HD, and DBM. */
#include "el1.h"
#include "mapping.h"
#include <arch/features.h>
#include <strata/ageing.h>
#include <strata/dirty_log.h>

#define PAGES 17 /* from EL1_DATA to EL1_UNMAPPED */

static void store(struct el1 *el1, uint64_t address)
{
	el1->vcpu.pc = EL1_PROGRAM;
	el1->vcpu.x[0] = address;
	el1->vcpu.x[1] = 1;

	/* The first exit is the hypercall behind the store: no fault came before it. */
	const struct vcpu_exit exit = el1_run(el1);

	EXPECT_EQUAL(vcpu_exit_class(&exit), VCPU_CLASS_HYPERCALL);
}

TEST(guest_stores_are_logged_by_the_cpu)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(PAGES)];
	uint64_t list[DIRTY_LIST_WORDS(PAGES)];
	struct dirty_log log;
	struct cursor cursor;
	struct el1 el1;

	if (!test_can(arch_features()->dirty_state, "FEAT_HAFDBS"))
		return;
	el1_start_with_hardware_flags(world, &el1, EL1_PROGRAM_OF(el1_store));
	(void)el1_map(world, &el1, EL1_UNMAPPED, PAGE_READ | PAGE_WRITE);
	open_at(&el1.space, EL1_DATA, PAGES * PAGE_SIZE, &cursor);
	EXPECT_OK(dirty_log_start(&cursor, PAGES * PAGE_SIZE, words, &log));
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	EXPECT_EQUAL(list[0], 0);
	for (int round = 0; round < 3; round++) {
		store(&el1, EL1_DATA);
		EXPECT_OK(dirty_log_take(&log, &cursor, list));
		EXPECT_EQUAL(list[0], 1);
	}
	store(&el1, EL1_UNMAPPED + 8);
	store(&el1, EL1_DATA);
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	EXPECT_EQUAL(list[0], 1 | 1 << (PAGES - 1));
	EXPECT_OK(dirty_log_take(&log, &cursor, list));
	EXPECT_EQUAL(list[0], 0);
	EXPECT_OK(dirty_log_stop(&log, &cursor));
	cursor_close(&cursor);
	store(&el1, EL1_DATA);
	EXPECT_EQUAL(item_at(&el1.space, EL1_DATA).property.flags, READ_WRITE.flags);
	el1_end(world, &el1);
}

TEST(guest_accesses_are_seen_by_the_cpu)
{
	struct cursor cursor;
	struct el1 el1;
	uint64_t pages = 0;

	if (!test_can(arch_features()->dirty_state, "FEAT_HAFDBS"))
		return;
	el1_start_with_hardware_flags(world, &el1, EL1_PROGRAM_OF(el1_store));
	(void)el1_map(world, &el1, EL1_UNMAPPED, PAGE_READ | PAGE_WRITE);
	open_at(&el1.space, EL1_DATA, PAGES * PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_age(&cursor, PAGES * PAGE_SIZE, NULL, &pages));
	EXPECT_EQUAL(pages, 2);
	store(&el1, EL1_UNMAPPED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(EL1_DATA)));
	EXPECT_OK(cursor_age(&cursor, PAGES * PAGE_SIZE, NULL, &pages));
	EXPECT_EQUAL(pages, 1);
	cursor_close(&cursor);
	el1_end(world, &el1);
}
