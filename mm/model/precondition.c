/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When an operation may be asked for. What the store cannot know lives: objects from before the model
 * began, shares without a certificate, and what ended so long ago that others took its place among the
 * names of those that did (registry.h).
 */
#include "step.h"

static const void *name_of(store_id id)
{
	return (const void *)(uintptr_t)id;
}

static bool has_ended(const struct store *store, store_id id)
{
	return registry_ended(&store->registry, name_of(id));
}

/* A nonce is that of no other share, and younger shares have higher ones (share.h). */
static bool is_from_before(const struct store *store, store_id handle)
{
	return handle == 0 || store->first_handle == 0 ||
	       (int32_t)((uint32_t)handle - (uint32_t)store->first_handle) < 0;
}

static const char *handle_lacks(const struct store *store, const struct op *op,
				enum share_kind kind)
{
	const struct handle *handle = store_handle(store, op->handle);

	if (handle == NULL)
		return is_from_before(store, op->handle) ? NULL : "the handle has ended";
	if (handle->kind != kind)
		return "the handle is of another kind";
	return handle->raw ? "the handle is raw" : NULL;
}

/* Of a space that is known, all cursors are. */
static const char *cursor_lacks(const struct store *store, const struct op *op)
{
	const struct live_space *space = store_space(store, op->space);
	const struct open_cursor *cursor;

	if (has_ended(store, op->space))
		return "the cursor's space was destroyed";
	if (space == NULL)
		return NULL;
	cursor = registry_cursor(&store->registry, name_of(op->cursor));
	if (cursor == NULL || cursor->space != space)
		return "the cursor is not open";
	/* It stays on the CPU that opened it (strata/mm.h). */
	return cursor->cpu == op->cpu ? NULL : "the cursor is another CPU's";
}

/* Up to the first that makes them no set: of what is refused, nobody says how much is there. */
static bool member_has_ended(const struct store *store, const struct op *op)
{
	for (uint64_t i = 0; i < op->count && op->members[i] != NULL; i++) {
		for (uint64_t other = 0; other < i; other++) {
			if (op->members[other] == op->members[i])
				return false;
		}
		if (has_ended(store, (uintptr_t)op->members[i]))
			return true;
	}
	return false;
}

static const char *owners_lack(const struct store *store, const struct op *op)
{
	/* Whose end it is, has ended. */
	if (op->kind == OPERATION_OWNER_END)
		return NULL;
	return has_ended(store, op->from) || has_ended(store, op->to) || member_has_ended(store, op)
		       ? "an owner was destroyed"
		       : NULL;
}

/* A place is a frame of the list, or the ghost. */
static const char *place_lacks(const struct store *store, const struct op *op)
{
	const struct live_list *list = store_list(store, name_of(op->list));

	return list == NULL || op->place.value == PLACE_GHOST.value ||
			       store_listed(list, op->place) != NULL
		       ? NULL
		       : "the cursor's frame is not in the list";
}

/* Of a space that is known, everything that gives areas is; and all areas of that. */
static const char *area_lacks(const struct store *store, const struct op *op,
			      enum op_argument argument)
{
	if (argument == ARG_KVIRT && store_space(store, op->space) != NULL &&
	    store_kvirt(store, op->kvirt) == NULL)
		return "it gives no areas any more";
	if (argument == ARG_AREA && store_kvirt(store, op->kvirt) != NULL &&
	    store_area(store, op->area) == NULL)
		return "the area was given back";
	return NULL;
}

/* A list is one always, and begun anew when it has no frames. */
static const char *list_lacks(const struct store *store, const struct op *op)
{
	const struct live_list *list = store_list(store, name_of(op->list));

	return op->kind == OPERATION_LIST_NEW && list != NULL && list->size != 0
		       ? "the list has frames"
		       : NULL;
}

/* What an address becomes was a handle, and nobody's since. */
static const char *raw_lacks(const struct store *store, const struct op *op, enum share_kind kind)
{
	const struct page_record *record = regions_find(&store->regions, op->pages.start);
	bool may_be = record == NULL || record->state == PAGE_OTHER;

	if (!may_be)
		may_be = kind == SHARE_UNIQUE_FRAME
				 ? record->state == PAGE_UNIQUE_OWNER && record->unique == 0 &&
					   record->list == 0
				 : record->state == PAGE_SHARED && record->before != 0;
	return may_be || store_raw_handle(store, kind, op->pages) != NULL
		       ? NULL
		       : "no handle to it is raw";
}

/* The space that the bytes are looked up in. */
static const char *io_lacks(const struct store *store, const struct op *op,
			    enum op_argument argument)
{
	if (argument == ARG_READER && has_ended(store, op->reader_space))
		return "the reader's space was destroyed";
	if (argument == ARG_WRITER && has_ended(store, op->writer_space))
		return "the writer's space was destroyed";
	return NULL;
}

static const char *argument_lacks(const struct store *store, const struct op *op,
				  enum op_argument argument)
{
	switch (argument) {
	case ARG_SPACE:
	case ARG_GATHER: /* is one of its space, from its first use on */
		return has_ended(store, op->space) ? "the space was destroyed" : NULL;
	case ARG_CURSOR:
		return cursor_lacks(store, op);
	case ARG_FRAME:
		return handle_lacks(store, op, SHARE_FRAME);
	case ARG_UNIQUE:
		return handle_lacks(store, op, SHARE_UNIQUE_FRAME);
	case ARG_SEGMENT:
		return handle_lacks(store, op, SHARE_SEGMENT);
	case ARG_RAW_FRAME:
		return raw_lacks(store, op, SHARE_FRAME);
	case ARG_RAW_UNIQUE:
		return raw_lacks(store, op, SHARE_UNIQUE_FRAME);
	case ARG_RAW_SEGMENT:
		return raw_lacks(store, op, SHARE_SEGMENT);
	case ARG_LIST:
		return list_lacks(store, op);
	case ARG_PLACE:
		return place_lacks(store, op);
	case ARG_READER:
	case ARG_WRITER:
		return io_lacks(store, op, argument);
	case ARG_KVIRT:
	case ARG_AREA:
		return area_lacks(store, op, argument);
	case ARG_OWNERS:
		return owners_lack(store, op);
	case ARG_SHARING:
		return has_ended(store, op->sharing) ? "the sharing was destroyed" : NULL;
	case ARG_LOG:	/* one that does not run is refused */
	case ARG_STAGE: /* values: any may be asked with */
	case ARG_BITS:
	case ARG_RANGE:
	case ARG_ADDRESS:
	case ARG_ACCESS:
	case ARG_PROPERTY:
	case ARG_LENGTH:
	case ARG_OFFSET:
	case ARG_SIZE:
	case ARG_PAGE:
	case ARG_PAGES:
	case ARG_METADATA:
	case ARG_CONTENTS:
	case ARG_COUNT:
	case ARG_ALIGNMENT:
	case ARG_LIMIT:
	case ARG_COLOUR:
	case ARG_POINTER:
	case ARG_VALUE:
		break;
	}
	return NULL;
}

const char *op_pre(const struct store *store, const struct op *op)
{
	const char *lacks = NULL;

	for (uint64_t left = op_information(op->kind)->arguments; lacks == NULL && left != 0;
	     left &= left - 1)
		lacks = argument_lacks(store, op, (enum op_argument)(left & -left));
	return lacks;
}
