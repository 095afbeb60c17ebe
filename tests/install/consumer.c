/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Somebody else's hypervisor, as far as the library is concerned: it knows what is installed, and
 * nothing of this tree. It is linked, not run: what start-up code does is not the library's.
 */
#include <aarch64/vcpu.h>
#include <strata/cursor.h>
#include <strata/frame.h>
#include <strata/mm.h>
#include <strata/vm_space.h>

enum mm_status consumer(uint64_t base, uint64_t size, struct vm_space *space);

static void __attribute__((noreturn)) stop(const char *invariant, uint64_t value)
{
	(void)invariant;
	(void)value;
	for (;;)
		;
}

static enum mm_status give_page(struct vm_space *space, struct iaddr page)
{
	struct irange range = irange(page, iaddr(page.value + PAGE_SIZE));
	struct cursor cursor;
	frame_t frame;
	enum mm_status status = frame_alloc(FRAME_ZEROED, &frame);

	if (status != MM_OK)
		return status;
	status = cursor_open(space, range, CURSOR_MUTABLE, &cursor);
	if (status == MM_OK) {
		status = cursor_map(
			&cursor, &frame,
			page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK));
		cursor_close(&cursor);
	}
	if (status != MM_OK)
		frame_drop(&frame);
	return status;
}

enum mm_status consumer(uint64_t base, uint64_t size, struct vm_space *space)
{
	struct prange memory = prange(paddr(base), paddr(base + size));
	struct mm_config config = { .memory = &memory, .memory_count = 1, .panic = stop };
	enum mm_status status = mm_init(&config);

	if (status == MM_OK)
		status = vm_space_new_stage2(32, space);
	if (status == MM_OK)
		status = vm_space_activate(space);
	return status == MM_OK ? give_page(space, iaddr(0x80000000)) : status;
}
