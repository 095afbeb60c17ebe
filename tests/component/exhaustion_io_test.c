/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving bytes allocates nothing, whoever's memory it is. */
#include "exhaustion.h"

#if STRATA_CHECKED

#define READER (&scene->reader)
#define WRITER (&scene->writer)
#define GUEST_START scene->place.base
#define BYTES sizeof(scene->buffer)

/* A reader and a writer of the first bytes of a guest's page. */
static void a_guest(struct scene *scene)
{
	place_make(scene->world, &scene->place, VM_IO_GUEST, 2);
	scene->reader = place_reader(scene->world, &scene->place, 0, BYTES);
	scene->writer = place_writer(scene->world, &scene->place, 0, BYTES);
}

static void our_own(struct scene *scene)
{
	scene->reader = own_reader(scene->buffer, BYTES);
	scene->writer = own_writer(scene->buffer, BYTES);
}

static void a_guest_and_our_own(struct scene *scene)
{
	a_guest(scene);
	scene->reader = own_reader(scene->buffer, BYTES);
}

static void a_window(struct scene *scene)
{
	scene->position = world_el2_window(scene->world).start.value;
}

static enum mm_status translate(struct scene *scene)
{
	struct vm_guest_walk walk;

	return vm_guest_translate(&scene->place.guest, GUEST_START, PAGE_READ, &walk);
}

static enum mm_status exchange(struct scene *scene)
{
	uint64_t previous;
	bool exchanged;

	return vm_writer_atomic_compare_exchange(WRITER, READER, 8, 0, 1, &previous, &exchanged);
}

static const struct vm_object *object_of(struct scene *scene, struct vm_object *object)
{
	*object = vm_object_of(scene->reader.range);
	return object;
}

#define RANGE (&(struct vm_io_range){ 0 })
#define OBJECT object_of(scene, &(struct vm_object){ { 0 } })
#define NEW_READER (&(struct vm_reader){ { 0 } })
#define NEW_WRITER (&(struct vm_writer){ { 0 } })
#define WINDOW irange(iaddr(scene->position), iaddr(scene->position + PAGE_SIZE))

/* clang-format off */
#define IO_ROWS(X)                                                                                 \
	X(vm_guest_translate, NOTHING, a_guest, translate(scene))                                  \
	X(vm_io_hypervisor, NOTHING, our_own, vm_io_hypervisor(scene->buffer, BYTES, RANGE))       \
	X(vm_io_space, NOTHING, a_guest, vm_io_space(&scene->place.space, iaddr(0), 8, RANGE))     \
	X(vm_io_guest, NOTHING, a_guest, vm_io_guest(&scene->place.guest, GUEST_START, 8, RANGE))  \
	X(vm_io_window, NOTHING, a_window, vm_io_window(WINDOW, WINDOW.start, 8, RANGE))           \
	X(vm_reader_from_hypervisor, NOTHING, our_own,                                             \
	  vm_reader_from_hypervisor(scene->buffer, BYTES, NEW_READER))                             \
	X(vm_reader_from_space, NOTHING, a_guest,                                                  \
	  vm_reader_from_space(&scene->place.space, iaddr(0), 8, NEW_READER))                      \
	X(vm_reader_from_guest, NOTHING, a_guest,                                                  \
	  vm_reader_from_guest(&scene->place.guest, GUEST_START, 8, NEW_READER))                   \
	X(vm_reader_from_window, NOTHING, a_window,                                                \
	  vm_reader_from_window(WINDOW, WINDOW.start, 8, NEW_READER))                              \
	X(vm_reader_skip, NOTHING, a_guest, vm_reader_skip(READER, 8))                             \
	X(vm_reader_read, NOTHING, our_own, vm_reader_read(READER, WRITER, NULL))                  \
	X(vm_reader_read_fallible, NOTHING, a_guest, vm_reader_read_fallible(READER, WRITER, NULL)) \
	X(vm_reader_read_val, NOTHING, a_guest, vm_reader_read_val(READER, &scene->number, 8))     \
	X(vm_reader_read_once, NOTHING, our_own, vm_reader_read_once(READER, 8, &scene->number))   \
	X(vm_reader_atomic_load, NOTHING, a_guest, vm_reader_atomic_load(READER, 8, &scene->number)) \
	X(vm_reader_collect, NOTHING, a_guest,                                                     \
	  vm_reader_collect(READER, scene->buffer, BYTES, &scene->number))                         \
	X(vm_writer_from_hypervisor, NOTHING, our_own,                                             \
	  vm_writer_from_hypervisor(scene->buffer, BYTES, NEW_WRITER))                             \
	X(vm_writer_from_space, NOTHING, a_guest,                                                  \
	  vm_writer_from_space(&scene->place.space, iaddr(0), 8, NEW_WRITER))                      \
	X(vm_writer_from_guest, NOTHING, a_guest,                                                  \
	  vm_writer_from_guest(&scene->place.guest, GUEST_START, 8, NEW_WRITER))                   \
	X(vm_writer_from_window, NOTHING, a_window,                                                \
	  vm_writer_from_window(WINDOW, WINDOW.start, 8, NEW_WRITER))                              \
	X(vm_writer_skip, NOTHING, a_guest, vm_writer_skip(WRITER, 8))                             \
	X(vm_writer_write, NOTHING, our_own, vm_writer_write(WRITER, READER, NULL))                \
	X(vm_writer_write_fallible, NOTHING, a_guest_and_our_own,                                  \
	  vm_writer_write_fallible(WRITER, READER, NULL))                                          \
	X(vm_writer_write_val, NOTHING, a_guest, vm_writer_write_val(WRITER, scene->buffer, 8))    \
	X(vm_writer_write_once, NOTHING, our_own, vm_writer_write_once(WRITER, 8, 1))              \
	X(vm_writer_atomic_compare_exchange, NOTHING, a_guest, exchange(scene))                    \
	X(vm_writer_fill, NOTHING, a_guest, vm_writer_fill(WRITER, 8, 1, NULL))                    \
	X(vm_writer_fill_zeros, NOTHING, a_guest, vm_writer_fill_zeros(WRITER, BYTES, NULL))       \
	X(vm_object_reader, NOTHING, a_guest, vm_object_reader(OBJECT, 8, 8, NEW_READER))          \
	X(vm_object_writer, NOTHING, a_guest, vm_object_writer(OBJECT, 8, 8, NEW_WRITER))          \
	X(vm_object_read, NOTHING, a_guest, vm_object_read(OBJECT, 0, WRITER))                     \
	X(vm_object_write, NOTHING, a_guest, vm_object_write(OBJECT, 0, READER))                   \
	X(vm_object_read_bytes, NOTHING, a_guest, vm_object_read_bytes(OBJECT, 8, scene->buffer, 8)) \
	X(vm_object_write_bytes, NOTHING, a_guest,                                                 \
	  vm_object_write_bytes(OBJECT, 8, scene->buffer, 8))                                      \
	X(vm_object_fill_zeros, NOTHING, a_guest, vm_object_fill_zeros(OBJECT, 8, 8))              \
	X(vm_object_read_once, NOTHING, our_own, vm_object_read_once(OBJECT, 8, 8, &scene->number)) \
	X(vm_object_write_once, NOTHING, our_own, vm_object_write_once(OBJECT, 8, 8, 1))           \
	X(vm_object_write_vals, NOTHING, a_guest,                                                  \
	  vm_object_write_vals(OBJECT, 0, scene->buffer, 2, 8, 0, &scene->number))
/* clang-format on */

IO_ROWS(EXHAUSTION_RUN)

TEST(moving_bytes_allocates_nothing)
{
	static const struct exhaustion_row rows[] = { IO_ROWS(EXHAUSTION_ROW) };

	exhaust(world, rows, COUNT_OF(rows));
}

#endif
