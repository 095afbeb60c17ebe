/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a trace works on: a few objects of each kind, known by number, and the words of acts.def that
 * are not the subsystem's. A printed trace uses nothing else.
 */
#pragma once

#include <strata/ageing.h>
#include <strata/dirty_log.h>
#include <strata/fault.h>
#include <strata/frame_list.h>
#include <strata/frame_request.h>
#include <strata/io_mem.h>
#include <strata/memory.h>
#include <strata/migration.h>
#include <strata/ownership.h>
#include <strata/reclaim.h>
#include <strata/unique_frame.h>
#include <strata/vm_guest.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include <strata/write_protect.h>

/* X(kind, type, name, how many) */
#define OBJECTS(X)                                                                                 \
	X(SPACE, struct vm_space, spaces, 3)                                                       \
	X(CURSOR, struct cursor, cursors, 3)                                                       \
	X(FRAME, frame_t, frames, 12)                                                              \
	X(UNIQUE, unique_frame_t, uniques, 6)                                                      \
	X(SEGMENT, struct segment, segments, 6)                                                    \
	X(LIST, struct frame_list, lists, 2)                                                       \
	X(PLACE, struct frame_list_cursor, places, 2)                                              \
	X(READER, struct vm_reader, readers, 3)                                                    \
	X(WRITER, struct vm_writer, writers, 3)                                                    \
	X(KVIRT, struct kvirt_space *, kvirts, 1)                                                  \
	X(AREA, struct kvirt_area *, areas, 2)                                                     \
	X(IO_MEM, struct io_mem, io_mems, 1)                                                       \
	X(LOG, struct dirty_log, logs, 1)                                                          \
	X(SHARING, struct sharing *, sharings, 2)                                                  \
	X(RAW_FRAME, struct paddr, raw_frames, 2)                                                  \
	X(RAW_UNIQUE, struct paddr, raw_uniques, 2)                                                \
	X(RAW_SEGMENT, struct prange, raw_segments, 2)

enum object_kind {
#define OBJECT_KIND(kind, type, name, count) OBJECT_##kind,
	OBJECTS(OBJECT_KIND)
#undef OBJECT_KIND
		OBJECT_KINDS
};

#define OBJECT_BYTES 8192
#define LOG_PAGES 1024
#define WITHHELD_MAX 16

struct objects {
#define OBJECT_ARRAY(kind, type, name, count) type name[count];
	OBJECTS(OBJECT_ARRAY)
#undef OBJECT_ARRAY

	/* The world's: memory, pages of it that are reserved and a device's, memory that may be added. */
	struct prange memory, reserved, device, extra;

	/* What EL2 runs on; its root is 0 where it runs on a table outside of the world. */
	struct vm_space el2;

	/* Arguments and results that are no objects. */
	_Atomic uint64_t log_words[DIRTY_LOG_WORDS(LOG_PAGES)];
	uint64_t log_list[DIRTY_LIST_WORDS(LOG_PAGES)];
	struct prange region;
	struct vm_guest guests[3];
	struct frame_metadata metadata[2];
	struct frame_request request;
	struct frame_metadata *metadata_found;
	struct paddr page_found;
	struct page_property property;
	struct cursor_item item;
	struct irange changed;
	struct vm_io_range io;
	uint64_t number;
	bool exchanged;
	struct paddr withheld[WITHHELD_MAX]; /* pages that are unused and that nobody is given */
	unsigned int withheld_count;
	uint8_t value[OBJECT_BYTES];
	uint8_t bytes[2][OBJECT_BYTES]; /* to be read, to be written */
};

#define DONE(call) ((call), MM_OK)

/* MM_NOT_MAPPED stands for false. */
static inline enum mm_status taken(bool answer)
{
	return answer ? MM_OK : MM_NOT_MAPPED;
}

static inline struct irange span(uint64_t start, uint64_t length)
{
	return irange(iaddr(start), iaddr(start + length));
}

static inline struct prange part(struct paddr start, uint64_t offset, uint64_t length)
{
	return prange(paddr(start.value + offset), paddr(start.value + offset + length));
}

static inline struct prange memory(const struct objects *o, uint64_t offset, uint64_t length)
{
	return part(o->memory.start, offset, length);
}

static inline struct paddr page(const struct objects *o, uint64_t offset)
{
	return paddr(o->memory.start.value + offset);
}

static inline struct prange reserved(const struct objects *o, uint64_t offset, uint64_t length)
{
	return part(o->reserved.start, offset, length);
}

static inline struct prange device(const struct objects *o, uint64_t offset, uint64_t length)
{
	return part(o->device.start, offset, length);
}

static inline struct prange extra(const struct objects *o, uint64_t offset, uint64_t length)
{
	return part(o->extra.start, offset, length);
}

static inline struct iaddr inside(const struct cursor *cursor, uint64_t offset)
{
	return iaddr(cursor->range.start.value + offset);
}

static inline struct page_property *property(struct objects *o, uint8_t flags, uint8_t cache)
{
	o->property = (struct page_property){ flags, cache };
	return &o->property;
}

/* A window, of EL2's own addresses, where nothing is mapped. */
static inline struct irange window(void)
{
	return irange(iaddr(UINT64_C(7) << 44), iaddr((UINT64_C(7) << 44) + 16 * PAGE_SIZE));
}

static inline struct iaddr window_at(uint64_t offset)
{
	return iaddr(window().start.value + offset);
}

/* NULL for an offset of the whole. */
static inline void *bytes(struct objects *o, int side, uint64_t offset)
{
	return offset == OBJECT_BYTES ? NULL : &o->bytes[side][offset];
}

/* A property that does not depend on what was. */
struct page_property becomes(struct page_property was, void *context);

void receive(const struct reclaimed_page *reclaimed, void *context);

const struct frame_request *request(struct objects *o, uint64_t count, uint64_t alignment,
				    uint64_t limit, uint32_t colours, uint32_t colour);

/* What a query has found is a frame only if it is counted; MM_EXISTS: it is not, or nothing is mapped. */
enum mm_status found(const struct objects *o, enum mm_status status);

/* Takes frames out of @segment to the last; what that says at last. */
bool drained(struct segment *segment);

enum mm_status reset_as_unused(struct objects *o, unique_frame_t *unique);

/* The guest whose Stage 1 is off. */
const struct vm_guest *guest(struct objects *o, struct vm_space *space);

enum mm_status reader(struct objects *o, enum mm_status status, struct vm_reader *out);
enum mm_status writer(struct objects *o, enum mm_status status, struct vm_writer *out);

/* With what is there, or what is not. */
enum mm_status compare_exchange(struct objects *o, const struct vm_writer *writer,
				unsigned int size, uint64_t expected);

/* @owner NULL: of the hypervisor. */
enum mm_status sharing_between(struct vm_space *owner, struct vm_space *member,
			       struct sharing **out);
