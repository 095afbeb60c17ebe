/* SPDX-License-Identifier: BSD-3-Clause */
#include "readings.h"

#include "engine_table.h"
#include "mapping.h"

#include <arch/memory.h>
#include <mappings_relate.h>

#define FIRST_NUMBER 0x200 /* calls below it are those of programs and vectors */

static unsigned char memory[1 << 20];

void readings_start(struct readings *readings, struct world *world, struct vm_space *space,
		    struct reader *reader)
{
	const struct page_table_constants constants = engine_constants(space);

	*readings = (struct readings){
		.world = world, .space = space, .reader = reader, .number = FIRST_NUMBER
	};
	model_arena_init(&readings->arena, memory, sizeof(memory));
	machine_pools_init(&readings->pools, &readings->arena);
	low_make(&readings->low, &readings->pools, &constants);
	low_make(&readings->before, &readings->pools, &constants);
	refine_make(&readings->refinement, &readings->pools);
	readings->low.hardware.table.constants.counted = true;
}

static void check_step(struct readings *readings, const struct low_step *step)
{
	struct refine_result result =
		refine_check_step(&readings->refinement, &readings->before, &readings->low, step);

	if (result.broken != NULL)
		FAIL("%s: %s", result.theorem, result.broken);
}

void readings_step(struct readings *readings, struct low_step step)
{
	EXPECT_TRUE(low_copy(&readings->before, &readings->low));
	EXPECT_TRUE(low_take(&readings->low, &step));
	if (step.kind == STEP_MAP)
		EXPECT_OK(step.status);
	check_step(readings, &step);
}

static void step_map(struct readings *readings, struct mapping mapping)
{
	readings_step(readings, (struct low_step){ .kind = STEP_MAP, .mapping = mapping });
}

static uint64_t next_word(struct readings *readings)
{
	if (++readings->number > UINT16_MAX)
		readings->number = FIRST_NUMBER;
	return reader_word(readings->number);
}

static void fill_word(struct readings *readings, uint64_t place)
{
	uint64_t value = next_word(readings);

	world_write(paddr(place), value);
	EXPECT_TRUE(words_set(&readings->low.hardware.mem, place / WORD_BYTES, value));
}

void readings_fill(struct readings *readings, struct paddr page)
{
	fill_word(readings, page.value);
	fill_word(readings, page.value + READINGS_LAST_WORD);
}

void readings_map(struct readings *readings, uint64_t ia, uint64_t pages,
		  struct page_property property)
{
	struct segment segment =
		world_segment(readings->world, pages, pages == 512 ? MIB(2) : PAGE_SIZE);
	const struct mapping mapping = { span(ia, pages * PAGE_SIZE), segment.start, property,
					 true };
	struct cursor cursor;

	for (uint64_t page = 0; page < pages; page++)
		readings_fill(readings, paddr(segment.start.value + page * PAGE_SIZE));
	open_at(readings->space, ia, pages * PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map_segment(&cursor, &segment, property));
	cursor_close(&cursor);
	step_map(readings, mapping);
}

void readings_share(struct readings *readings, uint64_t from, uint64_t to,
		    struct page_property property)
{
	struct cursor_item item;
	struct cursor cursor;
	frame_t frame;

	open_at(readings->space, from, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_query(&cursor, &item, &frame));
	cursor_close(&cursor);
	step_map(readings, (struct mapping){ span(to, PAGE_SIZE), frame.paddr, property, true });
	open_at(readings->space, to, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, property));
	cursor_close(&cursor);
}

void readings_unmap(struct readings *readings, uint64_t ia, uint64_t size,
		    void (*meanwhile)(struct readings *readings, uint64_t ia, uint64_t size))
{
	struct cursor cursor;

	open_at(readings->space, ia, size, &cursor);
	EXPECT_OK(cursor_unmap(&cursor, size, NULL));
	readings_step(readings,
		      (struct low_step){ .kind = STEP_UNMAP, .mapping.range = span(ia, size) });
	if (meanwhile != NULL)
		meanwhile(readings, ia, size);
	cursor_close(&cursor);
	readings_step(readings, (struct low_step){ .kind = STEP_FLUSH });
}

/* To the machine a change of a property is an unmap, a flush and a map. */
void readings_protect(struct readings *readings, uint64_t ia, uint64_t size,
		      struct page_property property)
{
	struct mappings *mappings = &readings->low.hardware.table.mappings;
	struct irange left = span(ia, size);
	struct mapping mapping;

	protect_at(readings->space, ia, size, property);
	for (; mappings_next_in(mappings, left, &mapping); left.start = mapping.range.end) {
		readings_step(readings, (struct low_step){ .kind = STEP_UNMAP,
							   .mapping.range = mapping.range });
		readings_step(readings, (struct low_step){ .kind = STEP_FLUSH });
		mapping.property = property;
		step_map(readings, mapping);
	}
}

static int own_stage(const struct readings *readings)
{
	return readings->reader == NULL ? 1 : 2;
}

/* What may be fetched must have reached where instructions are fetched from. */
static void sync_instructions(const struct readings *readings, const struct access *access)
{
	struct outcome outcomes[LOW_OUTCOMES_MAX];
	unsigned int count = low_outcomes(&readings->low, readings->stage1, access,
					  own_stage(readings), outcomes);

	for (unsigned int i = 0; i < count; i++)
		if (outcomes[i].fault == FAULT_NONE)
			instruction_cache_sync(mm_linear(outcomes[i].place), WORD_BYTES);
}

/* How many readings there are for one that is checked for refinement: a copy of the machine with its
 * thousand words costs more than a reading. */
#define CHECK_EVERY 64

const char *readings_try(struct readings *readings, const struct access *access)
{
	/* Through both stages the address is not one of this machine's. */
	bool checked = readings->taken++ % CHECK_EVERY == 0 && readings->stage1 == NULL;
	struct low_step step = { .kind = STEP_ACCESS, .access = *access };
	const char *broken;

	if (access->kind == ACCESS_EXECUTE)
		sync_instructions(readings, access);
	if (readings->reader == NULL)
		reader_el2(access, &step.outcome);
	else
		reader_guest(readings->reader, access, readings->user_program, &step.outcome);
	readings->met[step.outcome.fault]++;
	if (checked)
		EXPECT_TRUE(low_copy(&readings->before, &readings->low));
	broken = low_observe(&readings->low, readings->stage1, access, own_stage(readings),
			     &step.outcome);
	if (checked && broken == NULL)
		check_step(readings, &step);
	return broken;
}

void readings_take(struct readings *readings, const struct access *access)
{
	const char *broken = readings_try(readings, access);

	if (broken != NULL)
		FAIL("reading %llu, access %d%s at 0x%llx: %s", (unsigned long long)readings->taken,
		     (int)access->kind, access->user ? " by EL0" : "",
		     (unsigned long long)access->address.value, broken);
}

void readings_expect_all_met(const struct readings *readings)
{
	for (int fault = FAULT_NONE; fault < FAULT_ADDRESS_SIZE; fault++)
		if (readings->met[fault] == 0)
			FAIL("of %llu readings none came to %d",
			     (unsigned long long)readings->taken, fault);
}

void readings_take_all(struct readings *readings, uint64_t address)
{
	bool executes = readings->reader != NULL || READER_EL2_EXECUTES;
	unsigned int users = readings->stage1 != NULL && READER_HAS_EL0 ? 2 : 1;

	for (unsigned int user = 0; user < users; user++) {
		struct access access = { ACCESS_READ, user != 0, iaddr(address), 0 };

		readings_take(readings, &access);
		access.kind = ACCESS_WRITE;
		access.value = next_word(readings);
		readings_take(readings, &access);
		access.kind = ACCESS_EXECUTE;
		if (executes)
			readings_take(readings, &access);
		access.kind = ACCESS_READ;
		readings_take(readings, &access);
	}
}
