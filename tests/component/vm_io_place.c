/* SPDX-License-Identifier: BSD-3-Clause */
#include "vm_io_place.h"

#define SPACE_BASE UINT64_C(0x7fe00000)
#define GUEST_BASE UINT64_C(0x7000201000) /* an address that is nobody's IPA */

static struct vm_space *table_of(struct world *world, struct place *place)
{
	return place->kind == VM_IO_WINDOW ? world_el2_space(world) : &place->space;
}

/* Where the table that place_unmap changes has the page. */
static uint64_t mapped_at(const struct place *place, unsigned int index)
{
	uint64_t base = place->kind == VM_IO_WINDOW ? place->base : place->ipa;

	return base + index * PAGE_SIZE;
}

static void map_page(struct world *world, struct place *place, unsigned int index)
{
	uint64_t ia = mapped_at(place, index);
	struct paddr page = map_frame_at(world, table_of(world, place), ia, READ_WRITE);

	EXPECT_OK(frame_from_in_use(page, &place->frames[index]));
}

void guest_put(struct place *place, unsigned int table, uint64_t index, uint64_t descriptor)
{
	world_write(paddr(place->tables[table].value + index * 8), descriptor);
}

static void make_guest(struct world *world, struct place *place)
{
	for (unsigned int i = 0; i < GUEST_TABLES; i++)
		place->tables[i] = map_frame_at(world, &place->space,
						GUEST_TABLES_IPA + i * PAGE_SIZE, READ_WRITE);
	place->guest = (struct vm_guest){
		.space = &place->space,
		.ttbr0 = GUEST_TABLES_IPA,
		.ttbr1 = GUEST_TABLES_IPA + 3 * PAGE_SIZE,
		.tcr = GUEST_TCR,
		.sctlr = 1,
		.level = VM_GUEST_EL1,
	};
	guest_put(place, 0, place->base >> 30 & 511, GUEST_TABLE(1));
	guest_put(place, 1, place->base >> 21 & 511, GUEST_TABLE(2));
	for (unsigned int i = 0; i < place->pages; i++)
		guest_put(place, 2, (place->base >> 12 & 511) + i,
			  mapped_at(place, i) | GUEST_PAGE);
}

void place_make(struct world *world, struct place *place, enum vm_io_kind kind, unsigned int pages)
{
	*place = (struct place){ .kind = kind, .pages = pages };
	if (kind == VM_IO_HYPERVISOR) {
		place->segment = world_segment(world, pages, PAGE_SIZE);
		place->base = (uintptr_t)mm_linear(place->segment.start);
		for (unsigned int i = 0; i < pages; i++)
			EXPECT_OK(
				frame_from_in_use(paddr(place->segment.start.value + i * PAGE_SIZE),
						  &place->frames[i]));
		return;
	}
	if (kind == VM_IO_WINDOW) {
		place->base = world_el2_window(world).start.value;
	} else if (kind == VM_IO_WINDOW_SPACE) {
		EXPECT_OK(vm_space_new_window(world_el2_space(world), &place->space));
		EXPECT_OK(vm_space_activate(&place->space));
		place->ipa = VM_SPACE_WINDOW.start.value + SPACE_BASE;
		place->base = place->ipa;
	} else {
		world_space(world, &place->space);
		place->ipa = SPACE_BASE;
		place->base = kind == VM_IO_GUEST ? GUEST_BASE : SPACE_BASE;
	}
	for (unsigned int i = 0; i < pages; i++)
		map_page(world, place, i);
	if (kind == VM_IO_GUEST)
		make_guest(world, place);
}

static void end_space(struct place *place)
{
	if (place->kind == VM_IO_WINDOW_SPACE)
		vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&place->space));
}

void place_end(struct world *world, struct place *place)
{
	for (unsigned int i = 0; i < place->pages; i++)
		frame_drop(&place->frames[i]);
	if (place->kind == VM_IO_HYPERVISOR)
		segment_drop(&place->segment);
	else if (place->kind == VM_IO_WINDOW)
		unmap_at(world_el2_space(world), place->base, place->pages * PAGE_SIZE);
	else
		end_space(place);
}

void place_unmap(struct world *world, struct place *place, unsigned int index)
{
	EXPECT_EQUAL(unmap_at(table_of(world, place), mapped_at(place, index), PAGE_SIZE), 1);
}

void place_protect(struct world *world, struct place *place, unsigned int index,
		   struct page_property property)
{
	protect_at(table_of(world, place), mapped_at(place, index), PAGE_SIZE, property);
}

uint8_t *place_byte(const struct place *place, uint64_t offset)
{
	uint8_t *page = mm_linear(place->frames[offset / PAGE_SIZE].paddr);

	return page + offset % PAGE_SIZE;
}

uint8_t pattern_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 13 + 5);
}

void place_fill_pattern(const struct place *place)
{
	for (uint64_t i = 0; i < place->pages * PAGE_SIZE; i++)
		*place_byte(place, i) = pattern_at(i);
}

struct vm_io_range place_range(struct world *world, struct place *place, uint64_t offset,
			       uint64_t length)
{
	uint64_t start = place->base + offset;
	struct vm_io_range range = { 0 };

	switch (place->kind) {
	case VM_IO_HYPERVISOR:
		EXPECT_OK(vm_io_hypervisor((void *)(uintptr_t)start, length, &range));
		break;
	case VM_IO_WINDOW_SPACE:
	case VM_IO_SPACE:
		EXPECT_OK(vm_io_space(&place->space, iaddr(start), length, &range));
		break;
	case VM_IO_GUEST:
		EXPECT_OK(vm_io_guest(&place->guest, start, length, &range));
		break;
	case VM_IO_WINDOW:
		EXPECT_OK(vm_io_window(world_el2_window(world), iaddr(start), length, &range));
		break;
	}
	return range;
}

struct vm_reader place_reader(struct world *world, struct place *place, uint64_t offset,
			      uint64_t length)
{
	return vm_reader_of(place_range(world, place, offset, length));
}

struct vm_writer place_writer(struct world *world, struct place *place, uint64_t offset,
			      uint64_t length)
{
	return vm_writer_of(place_range(world, place, offset, length));
}

struct vm_reader own_reader(const void *start, uint64_t length)
{
	struct vm_reader reader;

	EXPECT_OK(vm_reader_from_hypervisor(start, length, &reader));
	return reader;
}

struct vm_writer own_writer(void *start, uint64_t length)
{
	struct vm_writer writer;

	EXPECT_OK(vm_writer_from_hypervisor(start, length, &writer));
	return writer;
}
