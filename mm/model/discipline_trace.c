/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events in casemate's words (docs/model.md has the table). Each is a record with its number and its
 * CPU. What is one event here and several of theirs, a TLBI of a range, is as many records.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "discipline_state.h"

#define LINE_LENGTH 400
#define VMID_SHIFT 48
#define TTL_SHIFT 44
#define TTL_4K 4 /* the granule, in the upper bits of TTL */

/*
 * What casemate must know of Stage 2 before the first table: 4 KiB pages, and the level that a walk begins
 * at, which it takes from the size of addresses. VTCR_EL2 is written with VTTBR_EL2, for each space its
 * own; this is that of a space of 39 bits, whose root is of level 1, in inner shareable write-back memory.
 */
#define VTCR_OF_39_BITS UINT64_C(0x80003559)

struct record {
	const struct observe_event *event;
	uint64_t number;
	void (*print)(const char *line);
};

/* Without the way from where it was compiled to the tree. */
static const char *source_of(const struct observe_event *event)
{
	const char *source = event->source;

	while (strncmp(source, "../", 3) == 0)
		source += 3;
	return source;
}

__attribute__((format(printf, 3, 4))) static void say(const struct record *record, const char *name,
						      const char *format, ...)
{
	char line[LINE_LENGTH];
	va_list arguments;
	int length = snprintf(line, sizeof(line), "(%s (id %" PRIu64 ") (tid %u)", name,
			      record->number, record->event->cpu);

	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	va_end(arguments);
	if ((size_t)length < sizeof(line))
		snprintf(line + length, sizeof(line) - (size_t)length, " (src \"%s\"))",
			 source_of(record->event));
	record->print(line);
}

/* The operand of a TLBI by address: a page number, and TTL if there is a hint. */
static uint64_t operand(uint64_t address, int level)
{
	uint64_t value = address >> PAGE_SHIFT;

	if (level != TLB_LEVEL_ANY)
		value |= (uint64_t)(TTL_4K | level) << TTL_SHIFT;
	return value;
}

static void say_by_address(const struct record *record, const char *all_levels,
			   const char *leaf_only)
{
	const struct observe_event *event = record->event;
	const uint64_t step =
		event->level == TLB_LEVEL_ANY ? PAGE_SIZE : discipline_span(event->level);

	for (uint64_t at = event->range.start.value; at < event->range.end.value; at += step)
		say(record, "tlbi", " %s (value 0x%" PRIx64 ")",
		    event->depth == TLB_ALL_LEVELS ? all_levels : leaf_only,
		    operand(at, event->level));
}

static void say_whole(const struct record *record, const char *broadcast, const char *local)
{
	say(record, "tlbi", " %s",
	    record->event->scope == OBSERVE_INNER_SHAREABLE ? broadcast : local);
}

static void say_register(const struct record *record, const char *name, uint64_t value)
{
	say(record, "sysreg-write", " (sysreg %s) (value 0x%" PRIx64 ")", name, value);
}

static void say_alloc(const struct record *record)
{
	const uint64_t page = record->event->address.value;

	say(record, "mem-init", " (address 0x%" PRIx64 ") (size 0x1000)", page);
	if (record->event->root.value == page)
		say(record, "hint",
		    " (kind set_root_lock) (location 0x%" PRIx64 ") (value 0x%" PRIx64 ")", page,
		    page);
}

void discipline_describe_machine(uint64_t number, void (*print)(const char *line))
{
	const struct observe_event attach = { .source = OBSERVE_SOURCE(__LINE__) };
	const struct record record = { &attach, number, print };

	say_register(&record, "vtcr_el2", VTCR_OF_39_BITS);
}

void discipline_describe(const struct observe_event *event, uint64_t number,
			 void (*print)(const char *line))
{
	const struct record record = { event, number, print };
	const bool broadcast = event->scope == OBSERVE_INNER_SHAREABLE;
	const uint64_t address = event->address.value;

	switch (event->kind) {
	case OBSERVE_DESCRIPTOR_WRITE:
		say(&record, "mem-write",
		    " (mem-order %s) (address 0x%" PRIx64 ") (value 0x%" PRIx64 ")",
		    event->order == OBSERVE_RELEASE ? "release" : "plain", address, event->value);
		break;
	case OBSERVE_TLBI_EL2_ADDRESS:
	case OBSERVE_TLBI_EL2_RANGE:
		say_by_address(&record, broadcast ? "vae2is" : "vae2",
			       broadcast ? "vale2is" : "vale2");
		break;
	case OBSERVE_TLBI_IPA_ADDRESS:
	case OBSERVE_TLBI_IPA_RANGE:
		say_by_address(&record, broadcast ? "ipas2e1is" : "ipas2e1",
			       broadcast ? "ipas2le1is" : "ipas2le1");
		break;
	case OBSERVE_TLBI_EL2_ALL:
		say_whole(&record, "alle2is", "alle2");
		break;
	case OBSERVE_TLBI_VMID_STAGE1:
		say_whole(&record, "vmalle1is", "vmalle1");
		break;
	case OBSERVE_TLBI_VMID_STAGE12:
		say_whole(&record, "vmalls12e1is", "vmalls12e1");
		break;
	case OBSERVE_TLBI_ALL_VMIDS:
		say_whole(&record, "alle1is", "alle1");
		break;
	case OBSERVE_DSB_NSH:
		say(&record, "barrier", " dsb (kind nsh)");
		break;
	case OBSERVE_DSB_ISHST:
		say(&record, "barrier", " dsb (kind ishst)");
		break;
	case OBSERVE_DSB_ISH:
		say(&record, "barrier", " dsb (kind ish)");
		break;
	case OBSERVE_ISB:
		say(&record, "barrier", " isb");
		break;
	case OBSERVE_STAGE2_LOAD:
		say_register(&record, "vttbr_el2", event->value << VMID_SHIFT | address);
		break;
	case OBSERVE_STAGE2_UNLOAD:
		say_register(&record, "vttbr_el2", 0);
		break;
	case OBSERVE_STAGE1_LOAD:
		say_register(&record, "ttbr0_el2", address);
		break;
	case OBSERVE_TABLE_ALLOC:
		say_alloc(&record);
		break;
	case OBSERVE_TABLE_FREE:
		say(&record, "mem-free", " (address 0x%" PRIx64 ") (size 0x1000)", address);
		break;
	case OBSERVE_LOCK:
		say(&record, "lock", " (address 0x%" PRIx64 ")", address);
		break;
	case OBSERVE_UNLOCK:
		say(&record, "unlock", " (address 0x%" PRIx64 ")", address);
		break;
	case OBSERVE_TABLE_LEVEL:
	case OBSERVE_PAGES_RELEASE:
		break;
	}
}
