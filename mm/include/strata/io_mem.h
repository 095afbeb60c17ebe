/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices' registers at addresses of the hypervisor.
 *
 * Invariant: an io_mem is an area (kvirt_area.h), guard pages included, that maps the physical range it
 * remembers, all of it and nothing else, as Device-nGnRE, readable, writable and never executable;
 * no page of it is memory that is counted, or becomes so while the io_mem is there (MM_IN_USE of
 * mm_memory_add). Registers have no reference count: several
 * io_mem may map the same ones.
 *
 * What a guest's space was given of devices the space itself remembers (vm_space_find_iomem); each
 * region that it names is one that io_mem_new takes.
 *
 * Locks: those of the area.
 */
#pragma once

#include <strata/kvirt_area.h>

struct device_region;

/* A handle, to be dropped once. Move it by assignment and forget the source. */
struct io_mem {
	struct kvirt_area *area;
	struct prange registers;      /* physical */
	struct device_region *region; /* private */
};

/*
 * Maps @registers in an area of @kvirt.
 *
 * MM_NOT_ALIGNED; MM_INVALID_ARGS: empty or reversed.
 * MM_OUT_OF_BOUND: it ends above the CPU's physical addresses, or is larger than the range of @kvirt.
 * MM_ACCESS_DENIED: some page of it is memory and not PAGE_MMIO.
 * MM_NO_MEMORY: no free addresses that fit, or no memory for a table or to remember it.
 * MM_BUSY: this CPU holds a cursor in the way.
 */
MM_MUST_CHECK enum mm_status io_mem_new(struct kvirt_space *kvirt, struct prange registers,
					struct io_mem *out);

/* Unmaps the registers and gives the addresses back. @io_mem is void afterwards, unless it is
 * MM_BUSY: this CPU holds a cursor in the way. */
MM_MUST_CHECK enum mm_status io_mem_drop(struct io_mem *io_mem);

/* Where the hypervisor finds the first register; the others follow as in the physical range. */
struct iaddr io_mem_address(const struct io_mem *io_mem);
