/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An operation, as the store machine sees it: what it is asked with, by ids, and what came of it.
 *
 * Which operations there are, and what each is asked with, is in one table (strata/ops.def). An
 * argument of each kind has its own member of struct op, so whoever draws operations at random can
 * fill in what the table asks for and nothing else.
 */
#pragma once

#include "page_table_spec.h"

#include <strata/frame_request.h>
#include <strata/operation.h>

/* The kinds of arguments, and the members that they are: a row is asked with a set of them. */
enum op_argument {
	ARG_STAGE = UINT64_C(1) << 0,	   /* stage: of a translation */
	ARG_BITS = UINT64_C(1) << 1,	   /* count: input address bits */
	ARG_SPACE = UINT64_C(1) << 2,	   /* space: an id */
	ARG_CURSOR = UINT64_C(1) << 3,	   /* cursor: an id */
	ARG_RANGE = UINT64_C(1) << 4,	   /* range: input addresses */
	ARG_ADDRESS = UINT64_C(1) << 5,	   /* address: an input address */
	ARG_ACCESS = UINT64_C(1) << 6,	   /* access: of a cursor */
	ARG_PROPERTY = UINT64_C(1) << 7,   /* property: of a mapping; PROTECT: changes */
	ARG_LENGTH = UINT64_C(1) << 8,	   /* length: bytes */
	ARG_OFFSET = UINT64_C(1) << 9,	   /* length: bytes */
	ARG_SIZE = UINT64_C(1) << 10,	   /* length: bytes of a value or an element */
	ARG_PAGE = UINT64_C(1) << 11,	   /* pages.start: a physical address */
	ARG_PAGES = UINT64_C(1) << 12,	   /* pages: physical addresses */
	ARG_FRAME = UINT64_C(1) << 13,	   /* handle: the id of a frame */
	ARG_UNIQUE = UINT64_C(1) << 14,	   /* handle: the id of a unique frame */
	ARG_SEGMENT = UINT64_C(1) << 15,   /* handle: the id of a segment */
	ARG_LIST = UINT64_C(1) << 16,	   /* list: an id */
	ARG_PLACE = UINT64_C(1) << 17,	   /* place: the page at a list's cursor, or PLACE_GHOST */
	ARG_GATHER = UINT64_C(1) << 18,	   /* gather: an id */
	ARG_METADATA = UINT64_C(1) << 19,  /* metadata: an object, or NULL */
	ARG_CONTENTS = UINT64_C(1) << 20,  /* request.contents */
	ARG_COUNT = UINT64_C(1) << 21,	   /* request.page_count; SERVICE: count */
	ARG_ALIGNMENT = UINT64_C(1) << 22, /* request.alignment */
	ARG_LIMIT = UINT64_C(1) << 23,	   /* request.limit */
	ARG_COLOUR = UINT64_C(1) << 24,	   /* request.colours and request.colour */
	ARG_READER = UINT64_C(1) << 25,	   /* reader: an id */
	ARG_WRITER = UINT64_C(1) << 26,	   /* writer: an id */
	ARG_POINTER = UINT64_C(1) << 27,   /* pointer: to memory of the hypervisor */
	ARG_VALUE = UINT64_C(1) << 28,	   /* value: of an element; what is expected, and desired */
	ARG_KVIRT = UINT64_C(1) << 29,	   /* kvirt: an id */
	ARG_AREA = UINT64_C(1) << 30,	   /* area: an id */
	ARG_OWNERS = UINT64_C(1) << 31,	   /* from, to: ids of spaces, 0 the hypervisor; members */
	ARG_SHARING = UINT64_C(1) << 32,   /* sharing: an id */
	ARG_LOG = UINT64_C(1) << 33,	   /* log: an id */
	ARG_RAW_FRAME = UINT64_C(1) << 34, /* pages: of a frame that is raw */
	ARG_RAW_UNIQUE = UINT64_C(1) << 35,  /* pages: of a unique frame that is */
	ARG_RAW_SEGMENT = UINT64_C(1) << 36, /* pages: of a segment that is */
};

enum op_category {
	CATEGORY_SPACE,
	CATEGORY_CURSOR,
	CATEGORY_FLUSH,
	CATEGORY_FRAME,
	CATEGORY_UNIQUE,
	CATEGORY_SEGMENT,
	CATEGORY_LIST,
	CATEGORY_IO,
	CATEGORY_AREA,
	CATEGORY_OWNER,
	CATEGORY_MEMORY,
	CATEGORY_SERVICE,
	CATEGORY_COUNT
};

/*
 * The operations of each category, numbered as among all. Whoever decides by the operation does it by a
 * switch over one of these that has no default: its labels, OPERATION_, are all rows of the category, or it
 * does not compile (-Wswitch). So a new row is forgotten nowhere, and where it has nothing to do that is said
 * by its name.
 */
#define ROW(name) ROW_##name = OPERATION_##name,

enum space_operation {
#define OF_SPACE(name) ROW(name)
#include "category.def"
};

enum cursor_operation {
#define OF_CURSOR(name) ROW(name)
#include "category.def"
};

enum flush_operation {
#define OF_FLUSH(name) ROW(name)
#include "category.def"
};

enum frame_operation {
#define OF_FRAME(name) ROW(name)
#include "category.def"
};

enum unique_operation {
#define OF_UNIQUE(name) ROW(name)
#include "category.def"
};

enum segment_operation {
#define OF_SEGMENT(name) ROW(name)
#include "category.def"
};

enum list_operation {
#define OF_LIST(name) ROW(name)
#include "category.def"
};

enum io_operation {
#define OF_IO(name) ROW(name)
#include "category.def"
};

enum area_operation {
#define OF_AREA(name) ROW(name)
#include "category.def"
};

enum owner_operation {
#define OF_OWNER(name) ROW(name)
#include "category.def"
};

enum memory_operation {
#define OF_MEMORY(name) ROW(name)
#include "category.def"
};

enum service_operation {
#define OF_SERVICE(name) ROW(name)
#include "category.def"
};

#undef ROW

/* A line of the table. */
struct op_information {
	const char *name;     /* "FRAME_CLONE" */
	const char *function; /* "frame_clone"; "" if it is a step within others */
	enum op_category category;
	uint64_t arguments; /* set of ARG_ */
	bool looks;	    /* it only looks at a handle, and reports no event */
	const char *upstream;
	const char *section;
	const char *meaning;
};

const struct op_information *op_information(enum mm_operation_kind kind);

/* "frames" and so on, for reports. */
const char *op_category_name(enum op_category category);

/* Names an object of a registry; 0 is nobody. */
typedef uint64_t store_id;

/* What is asked. */
struct op {
	enum mm_operation_kind kind;
	unsigned int cpu; /* that does it */

	store_id space;
	store_id cursor;
	store_id handle;
	store_id list;
	store_id gather;
	store_id reader;
	store_id writer;
	store_id reader_space; /* that its bytes are looked up in; 0: none */
	store_id writer_space;
	store_id kvirt;
	store_id area;
	store_id sharing;
	store_id log;
	store_id from; /* a space, as its owner; 0: the hypervisor */
	store_id to;

	const struct vm_space *const *members; /* names, @count of them */
	enum translation_stage stage;
	enum vm_space_part part;
	enum cursor_access access;
	struct irange range;
	struct iaddr address;
	struct prange pages;
	struct prange handle_pages; /* those of the handle, as whoever asks has it */
	struct page_property property;
	struct property_changes changes; /* what becomes of each there is, as the caller says */
	struct paddr place;
	struct frame_request request;
	const void *metadata;
	void *pointer;
	bool dispatched; /* FLUSH_ISSUE: the table above was detached, and that is invalidated */
	uint64_t length;
	uint64_t count;
	uint64_t value;
	uint64_t desired;
};

/* A new object: its id, which nobody has yet, and what it is of. */
struct op_made {
	store_id id;
	enum share_kind kind;
	struct prange pages; /* empty: there is none */
};

/*
 * What comes of it. The machine computes all of it from its state and the operation, but for what it
 * leaves open: that, it takes from what happened, if it is one of the things that may happen.
 *
 *	status		one of those that are allowed
 *	made[].id	any fresh one
 *	made[].pages	of an allocation: any free ones that satisfy the request
 *	place		of what is not done at a list's cursor: none is told
 */
struct op_outcome {
	enum mm_status status;
	struct op_made made[2];
	bool answer;
	uint64_t result;
	struct paddr place;
	const void *metadata;
};
