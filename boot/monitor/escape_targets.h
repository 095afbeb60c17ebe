/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the probe's guest lives, and the addresses it tries. */
#pragma once

#include "../boot_info.h"
#include "job.h"

#define ESCAPE_TARGETS_MAX 24

struct escape_target {
	const char *name;
	struct iaddr address; /* 8-byte aligned */
	uint8_t allowed; /* enum page_flag: what the guest may do there; 0 outside its regions */
	bool physical;	 /* a physical address, tried as an IPA */
	uint64_t holds;	 /* what its 8 bytes are, if the guest has a page there */
};

struct escape_targets {
	struct escape_target list[ESCAPE_TARGETS_MAX];
	size_t count;
};

/* Gives @probe its regions, in the highest 1 GiB of its IPA space; @start is where its program starts.
 * @read_only is one page. MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status
escape_add_regions(struct guest *probe, const struct segment *read_only, struct iaddr *start);

/*
 * Lists the addresses: in the probe's regions, beside them at every level, above its IPA space, and
 * the physical addresses of the hypervisor, of its tables and metadata, of devices and of the job's
 * guests. Activates spaces to learn where their tables are; @probe's is active afterwards.
 *
 * MM_NO_MEMORY: as vm_space_activate.
 */
MM_MUST_CHECK enum mm_status escape_list_targets(const struct boot_info *info, struct job *job,
						 struct guest *probe, struct escape_targets *out);
