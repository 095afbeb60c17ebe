/* SPDX-License-Identifier: BSD-3-Clause */
#include "view.h"

#include <strata/vm_reader.h>

enum mm_status view_word(struct windows *windows, struct paddr address, uint64_t *out)
{
	const struct paddr page = paddr(page_align_down(address.value));
	const uint64_t offset = address.value - page.value;
	struct vm_reader reader;
	struct iaddr at;
	enum mm_status status = window_map(
		windows, page, page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK), &at);

	if (status != MM_OK)
		return status;
	status = vm_reader_from_window(irange(at, iaddr(at.value + PAGE_SIZE)),
				       iaddr(at.value + offset), sizeof(*out), &reader);
	if (status == MM_OK)
		status = vm_reader_atomic_load(&reader, sizeof(*out), out);

	enum mm_status unmapped = window_unmap(windows);

	return status == MM_OK ? unmapped : status;
}
