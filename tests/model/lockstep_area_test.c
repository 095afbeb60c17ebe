/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about areas of EL2's own addresses, and about the registers that are shown in one. */
#include "story.h"

#define EL2_ROOT fake_page(20)
#define EL2_LEAVES fake_page(21)
#define DEVICE UINT64_C(0x1000000)
/* Readable, writable, accessed, never executed: Device-nGnRE. */
#define EL2_DEVICE_LEAF (UINT64_C(0x0040000000000647) | NOT_COUNTED)

static struct vm_space el2;
static struct cursor cursor;
static int kvirt, area; /* names */

static void tell_area(struct mm_operation operation)
{
	operation.space = &el2;
	operation.kvirt = &kvirt;
	fake_operation(&operation);
}

/* EL2's own space, and areas from its pages 8 to 23. */
static void make_areas(void)
{
	el2 = story_space;
	el2.stage = STAGE_1;
	el2.root = EL2_ROOT;
	fake_set_state(EL2_ROOT, PAGE_TABLE, 1);
	fake_set_state(EL2_LEAVES, PAGE_TABLE, 1);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_SPACE_NEW, .space = &el2 });
	*fake_descriptor(EL2_ROOT, 0) = EL2_LEAVES.value | TABLE_TYPE;
	tell_area((struct mm_operation){ .kind = OPERATION_KVIRT_NEW, .range = pages(8, 16) });
}

static void tell_alloc(const void *name, uint64_t first, uint64_t count, enum mm_status status)
{
	tell_area((struct mm_operation){ .kind = OPERATION_AREA_ALLOC,
					 .status = status,
					 .area = name,
					 .range = pages(first, status == MM_OK ? count : 0),
					 .length = count * PAGE_SIZE });
}

static void tell_drop(uint64_t first, uint64_t count)
{
	tell_area((struct mm_operation){
		.kind = OPERATION_AREA_DROP, .area = &area, .range = pages(first, count) });
}

/* @count pages from @first on show the device. */
static void tell_registers(uint64_t first, uint64_t count, uint64_t device)
{
	struct mm_operation operation = { .kind = OPERATION_CURSOR_OPEN,
					  .space = &el2,
					  .cursor = &cursor,
					  .position = pages(first, 0).start,
					  .range = pages(first, count) };

	cursor = (struct cursor){ .space = &el2,
				  .range = operation.range,
				  .position = operation.range.start,
				  .access = CURSOR_MUTABLE };
	fake_operation(&operation);
	for (uint64_t i = 0; i < count; i++)
		*fake_descriptor(EL2_LEAVES, (unsigned int)(first + i)) =
			EL2_DEVICE_LEAF | (device + i * PAGE_SIZE);
	operation.kind = OPERATION_CURSOR_MAP_IOMEM;
	operation.output = paddr(device);
	operation.property = page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE);
	cursor.position = operation.range.end;
	fake_operation(&operation);
	operation.kind = OPERATION_CURSOR_CLOSE;
	fake_operation(&operation);
}

static void tell_io_mem(uint64_t start, uint64_t count, enum mm_status status)
{
	tell_area((struct mm_operation){
		.kind = OPERATION_IO_MEM_NEW,
		.status = status,
		.area = status == MM_OK ? &area : NULL,
		.pages = prange(paddr(start), paddr(start + count * PAGE_SIZE)) });
}

static void areas_as_they_should_be(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_registers(9, 3, DEVICE);
	tell_io_mem(DEVICE, 3, MM_OK);
	tell_alloc(NULL, 0, 15, MM_OUT_OF_BOUND);
	tell_alloc(NULL, 0, 10, MM_NO_MEMORY);
	tell_alloc(&kvirt, 14, 9, MM_OK);
	tell_area((struct mm_operation){ .kind = OPERATION_KVIRT_DESTROY, .status = MM_BUSY });
	tell_io_mem(fake_page(50).value, 1, MM_ACCESS_DENIED);
	model_check_all();
	expect_truth();
}

static void areas_from_where_something_is_mapped(void **state)
{
	(void)state;
	make_areas();
	tell_registers(30, 1, DEVICE);
	tell_area((struct mm_operation){
		.kind = OPERATION_KVIRT_NEW, .status = MM_EXISTS, .range = pages(24, 16) });
	expect_truth();
	tell_area((struct mm_operation){ .kind = OPERATION_KVIRT_NEW, .range = pages(24, 16) });
	expect_lie("status is MM_OK, model says MM_EXISTS");
}

static void areas_of_a_guest(void **state)
{
	(void)state;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_KVIRT_NEW,
					       .space = &story_space,
					       .kvirt = &kvirt,
					       .range = pages(100, 4) });
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void an_end_while_there_is_an_area(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_area((struct mm_operation){ .kind = OPERATION_KVIRT_DESTROY });
	expect_lie("status is MM_OK, model says MM_BUSY");
}

static void a_busy_end_without_an_area(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_drop(9, 3);
	tell_area((struct mm_operation){ .kind = OPERATION_KVIRT_DESTROY, .status = MM_BUSY });
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void an_area_without_its_guard(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 8, 3, MM_OK);
	expect_lie("the area, or its guard page, is not in the range that it comes from");
}

static void an_area_where_there_is_no_room(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_alloc(&kvirt, 15, 10, MM_OK);
	assert_int_equal(model_report().differences, 2); /* the status, and where it ends */
}

static void an_area_beside_another(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_alloc(&kvirt, 13, 3, MM_OK);
	expect_lie("the area, or its guard page, is part of another");
}

static void an_area_given_back_with_something_in_it(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_registers(9, 3, DEVICE);
	tell_drop(9, 3);
	expect_lie("given back, model says something is mapped there");
}

static void something_mapped_beside_an_area(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_registers(12, 1, DEVICE);
	model_check_all();
	expect_lie("invariant X7 (areas_alone_are_mapped)");
}

static void registers_that_are_others(void **state)
{
	(void)state;
	make_areas();
	tell_alloc(&area, 9, 3, MM_OK);
	tell_registers(9, 3, DEVICE + PAGE_SIZE);
	tell_io_mem(DEVICE, 3, MM_OK);
	expect_lie("model says the registers are not what the area shows");
}

static void registers_that_are_memory(void **state)
{
	(void)state;
	make_areas();
	tell_io_mem(fake_page(50).value, 1, MM_OK);
	assert_int_equal(model_report().differences,
			 2); /* the status, and that no area shows them */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(areas_as_they_should_be),
		STORY(areas_from_where_something_is_mapped),
		STORY(areas_of_a_guest),
		STORY(an_end_while_there_is_an_area),
		STORY(a_busy_end_without_an_area),
		STORY(an_area_without_its_guard),
		STORY(an_area_where_there_is_no_room),
		STORY(an_area_beside_another),
		STORY(an_area_given_back_with_something_in_it),
		STORY(something_mapped_beside_an_area),
		STORY(registers_that_are_others),
		STORY(registers_that_are_memory),
	};

	return cmocka_run_group_tests_name("lockstep-area", tests, NULL, NULL);
}
