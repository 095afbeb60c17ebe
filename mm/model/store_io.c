/* SPDX-License-Identifier: BSD-3-Clause */
/* The readers and writers that were used last. */
#include "store.h"

#include <strata/vm_guest.h>

/* The entry for @name, taken out of the sequence; of a new one, that which was not used for longest. */
static struct live_io *take_io(struct store *store, store_id name)
{
	struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		if (io->name == name)
			break;
	}
	if (io == NULL && store->io_count == STORE_IOS_MAX)
		io = TAILQ_LAST(&store->ios, live_io_sequence);
	if (io != NULL) {
		TAILQ_REMOVE(&store->ios, io, link);
		return io;
	}
	io = model_pool_take(&store->io_pool);
	store->io_count += io != NULL;
	store->out_of_storage |= io == NULL;
	return io;
}

static void give_io(struct store *store, struct live_io *io)
{
	model_pool_give(&store->io_pool, io);
	store->io_count--;
}

const struct vm_space *store_io_space(const struct vm_io_range *range)
{
	switch ((enum vm_io_kind)range->kind) {
	case VM_IO_SPACE:
	case VM_IO_WINDOW_SPACE:
		return range->space;
	case VM_IO_GUEST:
		return range->guest->space;
	case VM_IO_HYPERVISOR:
	case VM_IO_WINDOW:
		break;
	}
	return NULL;
}

void store_note_io(struct store *store, store_id name, const struct vm_io_range *range)
{
	const struct vm_space *space = store_io_space(range);
	struct live_io *io = take_io(store, name);

	if (io == NULL)
		return;
	if (space != NULL && registry_space(&store->registry, space) == NULL) {
		give_io(store, io);
		return;
	}
	io->name = name;
	io->space = space;
	io->range = *range;
	TAILQ_INSERT_HEAD(&store->ios, io, link);
}

const struct vm_io_range *store_io(const struct store *store, store_id name)
{
	const struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		if (io->name == name)
			return &io->range;
	}
	return NULL;
}

void store_forget_ios(struct store *store, const struct vm_space *space)
{
	struct live_io *io = TAILQ_FIRST(&store->ios);

	while (io != NULL) {
		struct live_io *next = TAILQ_NEXT(io, link);

		if (io->space == space) {
			TAILQ_REMOVE(&store->ios, io, link);
			give_io(store, io);
		}
		io = next;
	}
}
