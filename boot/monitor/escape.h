/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that tries to leave its space.
 *
 * Promise: every access it tries ends as computed beforehand from what was mapped for it: it takes
 * place, and moves the expected bytes, or it is aborted with exactly the expected ESR_EL2, FAR_EL2
 * and HPFAR_EL2. An abort is then taken to the guest's EL1, whose vector must see it, or the guest
 * is stopped. And what is another guest's, or the hypervisor's, cannot even be mapped for it.
 */
#pragma once

#include "../boot_info.h"
#include "job.h"

struct escape_result {
	uint64_t attempts;
	uint64_t wrong; /* of them, how many ended otherwise than expected */
	struct guest_statistics statistics;
};

/*
 * Makes the probing guest, lets it try everything while the guests of @job live, prints a line for
 * each attempt, and destroys it.
 *
 * MM_NOT_SUPPORTED, MM_NO_MEMORY: as vm_space_new_stage2, or no frame for a fault. MM_ACCESS_DENIED:
 * the probe does not answer. The result is that of the attempts so far.
 */
MM_MUST_CHECK enum mm_status escape_run(const struct boot_info *info, struct job *job,
					struct escape_result *result);
