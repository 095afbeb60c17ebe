/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readings: what the low machine says of what an MMU did. What is right passes, whatever the TLB may
 * hold; what no TLB explains is reported.
 */
#include "machine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LEVEL(n) ((uint8_t)(1u << (n)))

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };
static const struct page_property read_only = { PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK };

static void map(struct low_state *low, struct mapping mapping)
{
	struct low_step step = { .kind = STEP_MAP, .mapping = mapping };

	assert_true(low_take(low, &step));
	assert_int_equal(step.status, MM_OK);
}

static void unmap(struct low_state *low, uint64_t start, uint64_t size)
{
	struct low_step step = {
		.kind = STEP_UNMAP,
		.mapping.range = irange(iaddr(start), iaddr(start + size)),
	};

	assert_true(low_take(low, &step));
	assert_int_equal(step.status, MM_OK);
}

static void flush(struct low_state *low)
{
	struct low_step step = { .kind = STEP_FLUSH };

	assert_true(low_take(low, &step));
}

static struct access access_of(enum access_kind kind, uint64_t address)
{
	return (struct access){ .kind = kind, .address = iaddr(address), .value = 5 };
}

static struct outcome value_of(uint64_t value)
{
	return (struct outcome){ .value_known = true, .value = value };
}

static struct outcome fault_of(enum fault_kind fault, int stage, uint8_t levels)
{
	return (struct outcome){ .fault = fault, .stage = stage, .levels = levels };
}

static bool allowed(struct low_state *low, const struct guest_stage1 *stage1, struct access access,
		    struct outcome observed)
{
	return low_observe(low, stage1, &access, 2, &observed) == NULL;
}

/* ---- One table ------------------------------------------------------------------------------- */

static enum fault_kind right_fault(unsigned int flags, bool device, const struct access *access)
{
	if (!(flags & PAGE_ACCESSED))
		return FAULT_ACCESS_FLAG;
	if (access->user && !(flags & PROPERTY_USER))
		return FAULT_PERMISSION;
	if (access->kind == ACCESS_EXECUTE && device)
		return FAULT_PERMISSION;
	return flags >> access->kind & 1 ? FAULT_NONE : FAULT_PERMISSION;
}

/* By whatever may be known of it, one kind of outcome is right and no other. */
static void expect_one_outcome(struct low_state *low, struct page_property property,
			       struct access access)
{
	enum fault_kind right =
		right_fault(property.flags, property.cache == CACHE_DEVICE, &access);

	low_clear(low);
	map(low, machine_mapping(0, KIB(4), 0, property));
	for (int fault = FAULT_NONE; fault <= FAULT_ADDRESS_SIZE; fault++)
		assert_int_equal(
			allowed(low, NULL, access, fault_of((enum fault_kind)fault, 2, LEVEL(3))),
			fault == (int)right);
}

static void every_property_has_one_outcome(void **state)
{
	static const uint8_t caches[] = { CACHE_WRITEBACK, CACHE_DEVICE };
	struct machine *machine = *state;

	for (unsigned int i = 0; i < 64; i++) {
		unsigned int flags = i & 15;
		struct page_property property;

		if (i & 16)
			flags |= PROPERTY_USER;
		property = page_property((uint8_t)flags, caches[i / 32]);
		for (int kind = ACCESS_READ; kind <= ACCESS_EXECUTE; kind++) {
			struct access access = access_of((enum access_kind)kind, 0);

			expect_one_outcome(&machine->before, property, access);
			access.user = true;
			expect_one_outcome(&machine->before, property, access);
		}
	}
}

static void a_word_is_what_was_read_first(void **state)
{
	struct machine *machine = *state;
	struct low_state *low = &machine->before;

	map(low, machine_mapping(0, KIB(8), 0, read_write));
	map(low, machine_mapping(GIB(1), KIB(4), KIB(4), read_write));
	assert_true(allowed(low, NULL, access_of(ACCESS_READ, KIB(4)), value_of(3)));
	assert_false(allowed(low, NULL, access_of(ACCESS_READ, KIB(4)), value_of(4)));
	/* The other name of the word. */
	assert_true(allowed(low, NULL, access_of(ACCESS_READ, GIB(1)), value_of(3)));
	assert_false(allowed(low, NULL, access_of(ACCESS_READ, GIB(1)), value_of(4)));
	assert_true(allowed(low, NULL, access_of(ACCESS_WRITE, GIB(1)), value_of(0)));
	assert_true(allowed(low, NULL, access_of(ACCESS_READ, KIB(4)), value_of(5)));
	assert_false(allowed(low, NULL, access_of(ACCESS_READ, KIB(4)), value_of(3)));
}

/* Until the flush the old translation may be used, or none; afterwards none. */
static void what_is_leaving_may_be_read(void **state)
{
	struct machine *machine = *state;
	struct low_state *low = &machine->before;
	const struct access read = access_of(ACCESS_READ, KIB(4));
	const struct outcome gone = fault_of(FAULT_TRANSLATION, 2, LEVEL(2));

	map(low, machine_mapping(KIB(4), KIB(4), 0, read_write));
	assert_true(allowed(low, NULL, read, value_of(3)));
	assert_false(allowed(low, NULL, read, gone));
	unmap(low, KIB(4), KIB(4));
	assert_true(allowed(low, NULL, read, value_of(3)));
	assert_true(allowed(low, NULL, read, gone));
	assert_false(allowed(low, NULL, read, value_of(4)));
	assert_false(allowed(low, NULL, read, fault_of(FAULT_PERMISSION, 2, LEVEL(3))));
	flush(low);
	assert_false(allowed(low, NULL, read, value_of(3)));
	assert_true(allowed(low, NULL, read, gone));
	/* What is mapped next is what there is. */
	map(low, machine_mapping(KIB(4), KIB(4), KIB(4), read_write));
	assert_true(allowed(low, NULL, read, value_of(4)));
	assert_false(allowed(low, NULL, read, value_of(3)));
}

/* A fault of a level at which no descriptor can be that does this is reported. */
static void levels_are_those_that_can_be(void **state)
{
	static const struct {
		uint64_t address;
		enum fault_kind fault;
		uint8_t levels;
	} rows[] = {
		/* Beside a page: only its own 2 MiB has a table of pages. */
		{ MIB(2) + KIB(4), FAULT_TRANSLATION, LEVEL(3) },
		{ MIB(4), FAULT_TRANSLATION, LEVEL(2) | LEVEL(3) },
		{ GIB(1), FAULT_TRANSLATION, LEVEL(1) | LEVEL(2) | LEVEL(3) },
		{ UINT64_C(1) << 39, FAULT_TRANSLATION, LEVEL(0) },
		/* A page, a block that is aligned, one that is not. */
		{ MIB(2), FAULT_PERMISSION, LEVEL(3) },
		{ MIB(8) + KIB(4), FAULT_PERMISSION, LEVEL(2) | LEVEL(3) },
		{ MIB(16) + KIB(4), FAULT_PERMISSION, LEVEL(3) },
	};
	struct machine *machine = *state;
	struct low_state *low = &machine->before;

	map(low, machine_mapping(MIB(2), KIB(4), 0, read_only));
	map(low, machine_mapping(MIB(8), MIB(2), MIB(2), read_only));
	map(low, machine_mapping(MIB(16), MIB(2), MIB(3), read_only));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int level = 0; level < 4; level++)
			assert_int_equal(allowed(low, NULL,
						 access_of(ACCESS_WRITE, rows[i].address),
						 fault_of(rows[i].fault, 2, LEVEL(level))),
					 (rows[i].levels & LEVEL(level)) != 0);
}

/* Stage 1 is off: it refuses what is no physical address, before Stage 2 is asked. */
static void an_address_may_be_too_large_for_anybody(void **state)
{
	struct machine *machine = *state;
	struct low_state *low = &machine->before;
	const struct access read = access_of(ACCESS_READ, UINT64_C(1) << 44);

	assert_true(allowed(low, NULL, read, fault_of(FAULT_ADDRESS_SIZE, 1, LEVEL(0))));
	assert_false(allowed(low, NULL, read, fault_of(FAULT_ADDRESS_SIZE, 2, LEVEL(0))));
	assert_false(allowed(low, NULL, read, fault_of(FAULT_TRANSLATION, 2, LEVEL(0))));
}

/* ---- Both stages --------------------------------------------------------------------------- */

#define VA GIB(4)
#define IPA MIB(4)
#define TABLE MIB(6) /* the guest's, of its last level */

/* The guest maps VA, one page, and the page after it for EL1 alone, read-only. */
static void make_guest(struct machine *machine, struct guest_stage1 *stage1)
{
	const struct page_property user = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED | PROPERTY_USER,
					    CACHE_WRITEBACK };
	struct mappings *mappings = &stage1->table.mappings;

	mappings_init(mappings, &machine->pools.extents);
	stage1->table.constants = machine_constants();
	assert_true(mappings_insert(
		mappings, (struct mapping){ .range = irange(iaddr(VA), iaddr(VA + KIB(4))),
					    .output = paddr(IPA),
					    .property = user }));
	assert_true(mappings_insert(
		mappings, (struct mapping){ .range = irange(iaddr(VA + KIB(4)), iaddr(VA + KIB(8))),
					    .output = paddr(IPA + KIB(4)),
					    .property = read_only }));
	stage1->walk[0] = iaddr(TABLE);
	stage1->walk_length = 1;
}

static void both_stages_say_what_may_be_read(void **state)
{
	struct machine *machine = *state;
	struct low_state *low = &machine->before;
	struct guest_stage1 stage1;
	struct access read = access_of(ACCESS_READ, VA);
	struct outcome walk_fault = fault_of(FAULT_TRANSLATION, 2, LEVEL(3));

	walk_fault.table_walk = true;
	make_guest(machine, &stage1);
	map(low, machine_mapping(TABLE, KIB(4), 0, read_only));
	map(low, machine_mapping(IPA, KIB(4), KIB(4), read_only));

	assert_true(allowed(low, &stage1, read, value_of(3)));
	assert_false(allowed(low, &stage1, read, value_of(4)));
	assert_true(allowed(low, NULL, access_of(ACCESS_READ, IPA), value_of(3)));
	/* Stage 1 permits the write, Stage 2 does not. */
	assert_true(allowed(low, &stage1, access_of(ACCESS_WRITE, VA),
			    fault_of(FAULT_PERMISSION, 2, LEVEL(3))));
	assert_false(allowed(low, &stage1, access_of(ACCESS_WRITE, VA),
			     fault_of(FAULT_PERMISSION, 1, LEVEL(3))));
	/* Stage 1 does not: that comes first, although Stage 2 has nothing there. */
	assert_true(allowed(low, &stage1, access_of(ACCESS_WRITE, VA + KIB(4)),
			    fault_of(FAULT_PERMISSION, 1, LEVEL(3))));
	assert_true(allowed(low, &stage1, access_of(ACCESS_READ, VA + KIB(4)),
			    fault_of(FAULT_TRANSLATION, 2, LEVEL(3))));
	read.address.value += KIB(4);
	read.user = true;
	assert_true(allowed(low, &stage1, read, fault_of(FAULT_PERMISSION, 1, LEVEL(3))));
	read.address = iaddr(VA);
	assert_true(allowed(low, &stage1, read, value_of(3)));
	read.user = false;
	/* Stage 1 has nothing. */
	assert_true(allowed(low, &stage1, access_of(ACCESS_READ, 0),
			    fault_of(FAULT_TRANSLATION, 1, LEVEL(1))));
	assert_false(allowed(low, &stage1, access_of(ACCESS_READ, 0),
			     fault_of(FAULT_TRANSLATION, 2, LEVEL(3))));
	/* The guest's table goes: it may still be walked, then not. */
	assert_false(allowed(low, &stage1, read, walk_fault));
	unmap(low, TABLE, KIB(4));
	assert_true(allowed(low, &stage1, read, walk_fault));
	assert_true(allowed(low, &stage1, read, value_of(3)));
	flush(low);
	assert_true(allowed(low, &stage1, read, walk_fault));
	assert_false(allowed(low, &stage1, read, value_of(3)));
	assert_false(allowed(low, &stage1, read, fault_of(FAULT_TRANSLATION, 2, LEVEL(3))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_property_has_one_outcome, machine_set_up,
						machine_tear_down),
		cmocka_unit_test_setup_teardown(a_word_is_what_was_read_first, machine_set_up,
						machine_tear_down),
		cmocka_unit_test_setup_teardown(what_is_leaving_may_be_read, machine_set_up,
						machine_tear_down),
		cmocka_unit_test_setup_teardown(levels_are_those_that_can_be, machine_set_up,
						machine_tear_down),
		cmocka_unit_test_setup_teardown(an_address_may_be_too_large_for_anybody,
						machine_set_up, machine_tear_down),
		cmocka_unit_test_setup_teardown(both_stages_say_what_may_be_read, machine_set_up,
						machine_tear_down),
	};

	return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
