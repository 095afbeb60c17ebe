/* SPDX-License-Identifier: BSD-3-Clause */
#include "escape_targets.h"

#include <strata/cursor.h>
#include <strata/vm_object.h>
#include <string.h>
#include "guest_calls.h"
#include "programs.h"

/*
 * The probe's space, in the highest 1 GiB of its IPA space: far above RAM, so that no physical
 * address that it tries is, as an IPA, its own.
 *
 *	+0                program                    r-x
 *	+2 MiB + 0        a copy of a page of input  r--
 *	+2 MiB + 4 KiB    data                       rw-  (never executable)
 *	+2 MiB + 8 KiB    write-only memory          -w-
 *	+2 MiB + 12 KiB   execute-only program       --x
 */
#define REGIONS_SIZE (UINT64_C(1) << 30)
#define PAGES_OFFSET BLOCK_SIZE

static enum mm_status add_page(struct guest *probe, const char *name, uint64_t address,
			       uint8_t flags, enum region_backing backing,
			       const struct segment *shared)
{
	return guest_add_region(
		probe, &(struct guest_region){
			       .name = name,
			       .range = irange(iaddr(address), iaddr(address + PAGE_SIZE)),
			       .property = page_property(flags | PAGE_ACCESSED, CACHE_WRITEBACK),
			       .backing = backing,
			       .program = guest_probe_start,
			       .program_size = guest_probe_size(),
			       .shared = shared,
		       });
}

enum mm_status escape_add_regions(struct guest *probe, const struct segment *read_only,
				  struct iaddr *start)
{
	uint64_t base = vm_space_range(&probe->space).end.value - REGIONS_SIZE;
	const struct {
		const char *name;
		uint64_t offset;
		uint8_t flags;
		enum region_backing backing;
	} pages[] = {
		{ "program", 0, PAGE_READ | PAGE_EXECUTE, BACKING_PROGRAM },
		{ "read-only page", PAGES_OFFSET, PAGE_READ, BACKING_SHARED },
		{ "never-execute page", PAGES_OFFSET + PAGE_SIZE, PAGE_READ | PAGE_WRITE,
		  BACKING_ZERO },
		{ "write-only page", PAGES_OFFSET + 2 * PAGE_SIZE, PAGE_WRITE, BACKING_ZERO },
		{ "execute-only page", PAGES_OFFSET + 3 * PAGE_SIZE, PAGE_EXECUTE,
		  BACKING_PROGRAM },
	};
	enum mm_status status = MM_OK;

	for (size_t i = 0; status == MM_OK && i < sizeof(pages) / sizeof(pages[0]); i++)
		status = add_page(probe, pages[i].name, base + pages[i].offset, pages[i].flags,
				  pages[i].backing, read_only);
	*start = iaddr(base);
	return status;
}

static void add(struct escape_targets *targets, struct escape_target target)
{
	if (targets->count < ESCAPE_TARGETS_MAX)
		targets->list[targets->count++] = target;
}

static void add_physical(struct escape_targets *targets, const char *name, struct paddr address)
{
	add(targets, (struct escape_target){
			     .name = name, .address = iaddr(address.value), .physical = true });
}

static void shared_contents(const struct segment *segment, uint64_t offset, uint64_t *out)
{
	const struct vm_object object = vm_object_of_segment(segment);
	/* The hypervisor's own memory, inside the segment: this does not fail. */
	enum mm_status status = vm_object_read_bytes(&object, offset, out, sizeof(*out));

	(void)status;
}

/* The 8 bytes at @offset of what @region is filled from. */
static uint64_t first_contents(const struct guest_region *region, uint64_t offset)
{
	uint64_t word = 0;

	if (region->backing == BACKING_PROGRAM)
		memcpy(&word, region->program + offset, sizeof(word));
	else if (region->backing == BACKING_SHARED)
		shared_contents(region->shared, offset, &word);
	return word;
}

static void add_own(struct escape_targets *targets, const struct guest *probe)
{
	uint64_t last = 0;

	for (size_t i = 0; i < probe->region_count; i++) {
		const struct guest_region *region = &probe->regions[i];
		uint64_t offset =
			region->backing == BACKING_PROGRAM ? GUEST_PROBE_RETURN_OFFSET : 0;

		add(targets, (struct escape_target){
				     .name = region->name,
				     .address = iaddr(region->range.start.value + offset),
				     .allowed = region->property.flags &
						(PAGE_READ | PAGE_WRITE | PAGE_EXECUTE),
				     .holds = first_contents(region, offset),
			     });
		last = region->range.end.value;
	}

	uint64_t end = vm_space_range(&probe->space).end.value;
	add(targets, (struct escape_target){ .name = "unmapped page", .address = iaddr(last) });
	add(targets, (struct escape_target){ .name = "unmapped 2 MiB",
					     .address = iaddr(last + BLOCK_SIZE) });
	add(targets, (struct escape_target){ .name = "unmapped 1 GiB",
					     .address = iaddr(end - 2 * REGIONS_SIZE) });
	add(targets,
	    (struct escape_target){ .name = "beyond the IPA space", .address = iaddr(end) });
}

/* Of each kind of access that the hypervisor has to its own image, the first section. */
static void add_image(struct escape_targets *targets, const struct boot_info *info)
{
	static const struct {
		const char *access, *name;
	} kinds[] = {
		{ "r-x", "hypervisor's code" },
		{ "r--", "hypervisor's rodata" },
		{ "rw-", "hypervisor's data" },
	};

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		for (size_t i = 0; i < info->section_count; i++) {
			const struct boot_section *section = &info->sections[i];

			if (strcmp(section->access, kinds[kind].access) != 0)
				continue;
			add_physical(targets, kinds[kind].name, section->range.start);
			break;
		}
	}
}

/* The slots of a range take 1/256 of it, in one piece: this many samples cannot miss them. */
static void add_metadata(struct escape_targets *targets, const struct boot_info *info)
{
	for (size_t i = 0; i < info->memory_count; i++) {
		struct prange range = info->memory[i];
		uint64_t step = page_align_down(prange_size(range) / 1024);

		if (step < PAGE_SIZE)
			step = PAGE_SIZE;
		for (uint64_t page = range.start.value; page < range.end.value; page += step) {
			struct page_state state;

			if (page_state(paddr(page), &state) == MM_OK && state.usage == PAGE_META) {
				add_physical(targets, "frame metadata", paddr(page));
				return;
			}
		}
	}
}

/* The first page of @guest's working area that is mapped. */
static bool working_page(struct guest *guest, struct paddr *out)
{
	const struct irange work = guest->regions[guest->region_count - 1].range;
	struct cursor cursor;
	struct cursor_item item;

	if (cursor_open(&guest->space, work, CURSOR_READ_ONLY, &cursor) != MM_OK)
		return false;

	bool found = cursor_find_next(&cursor, irange_size(work)) == MM_OK &&
		     cursor_peek(&cursor, &item) == MM_OK;
	if (found)
		*out = paddr(item.output.value + cursor_virt_addr(&cursor).value -
			     item.range.start.value);
	cursor_close(&cursor);
	return found;
}

static const char *const memory_names[JOB_GUESTS] = { "guest 1's memory", "guest 2's memory" };
static const char *const table_names[JOB_GUESTS] = { "guest 1's table", "guest 2's table" };

enum mm_status escape_list_targets(const struct boot_info *info, struct job *job,
				   struct guest *probe, struct escape_targets *out)
{
	out->count = 0;
	add_own(out, probe);
	add_image(out, info);
	add_metadata(out, info);
	add_physical(out, "console device", info->uart);

	for (size_t i = 0; i < JOB_GUESTS; i++) {
		struct guest *guest = &job->guests[i].guest;
		struct paddr page;
		enum mm_status status = vm_space_activate(&guest->space);

		if (status != MM_OK)
			return status;
		if (working_page(guest, &page))
			add_physical(out, memory_names[i], page);
		add_physical(out, table_names[i], stage2_active()->root);
	}

	enum mm_status status = vm_space_activate(&probe->space);
	if (status == MM_OK)
		add_physical(out, "its own table", stage2_active()->root);
	return status;
}
