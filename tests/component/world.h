/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world a test runs in: a machine whose memory the subsystem has taken over.
 *
 * On the host every test gets a fresh simulated machine. In the image there is one machine for all;
 * a test finds it as the one before left it, which is as it was: world_end sees to that.
 *
 * WORLD_SIMULATED says which one this is: claims that need another machine, faults at will or a TLB
 * that forgets nothing can only be tested on the simulated one, and their files are not part of the
 * image.
 */
#pragma once

#include <strata/cursor.h>
#include <strata/frame.h>
#include <strata/mm.h>
#include <strata/segment.h>
#include <strata/statistics.h>
#include <strata/vm_space.h>

#if __STDC_HOSTED__
#define WORLD_SIMULATED 1
#define WORLD_ASKS_FORBIDDEN 1
#include <host/machine.h>
#else
#define WORLD_SIMULATED 0
/* QEMU (10.0) ends with a failed assertion when AT S12E1R or AT S12E1W meets a Stage-2 permission
 * fault: "do_ats_write: Assertion `!res.cacheattrs.is_s2_format'". */
#define WORLD_ASKS_FORBIDDEN 0
#endif

struct world {
	struct mm_usage before;
	struct vm_space el2; /* the Stage-1 space that is live, if the world made it */
	struct vm_space *el2_space;
};

/* ---- What tests use ------------------------------------------------------------------------ */

enum world_access {
	WORLD_READ,
	WORLD_WRITE,
	WORLD_EXECUTE,
};

/*
 * Where an access by a guest in @space (Stage 2, its own Stage 1 off), or by EL2 (@space is
 * world_el2_space), at @ia goes: the MMU is asked, not the subsystem. False if it faults.
 * @space is the active one afterwards. In the image WORLD_EXECUTE cannot be asked, and accesses that
 * Stage 2 forbids by permission only if WORLD_ASKS_FORBIDDEN.
 */
bool world_translate(struct world *world, struct vm_space *space, struct iaddr ia,
		     enum world_access access, struct paddr *output);

/* No space is active any more, and this CPU remembers none that world_translate activated. */
void world_rest(struct world *world);

/* EL2's own live space, and addresses there, aligned to 1 GiB and at least 4 GiB, that nobody else
 * maps. */
struct vm_space *world_el2_space(struct world *world);
struct irange world_el2_window(struct world *world);

/* One frame, or @pages pages aligned to @alignment bytes, zeroed; the test fails if there are none. */
frame_t world_frame(struct world *world);
struct segment world_segment(struct world *world, uint64_t pages, uint64_t alignment);

/* A Stage-2 space of 40 bits, or of what the CPU has if that is less. */
void world_space(struct world *world, struct vm_space *space);

/* From here on the test changes tables by hand, as another CPU could at any moment. */
void world_not_alone(struct world *world);

/* A word of physical memory, through the hypervisor's linear map. */
uint64_t world_read(struct paddr paddr);
void world_write(struct paddr paddr, uint64_t value);

/* Pages of @usage now. */
uint64_t world_pages(enum page_usage usage);

#if WORLD_SIMULATED

/*
 * Ends the machine and begins another: @config and @reservations are copied. Everything of the old
 * one is void. world_start of the runner begins with world_default_config.
 */
struct world_config {
	struct machine_config machine;
	struct mm_reservation reservations[16];
	size_t reservation_count;
};

/* Two ranges of RAM of 128 MiB and 64 MiB with a hole between them; in the first one reserved pages,
 * pages of the hypervisor, and a device. */
struct world_config world_default_config(void);
#define WORLD_IMAGE_BASE UINT64_C(0x40000000) /* PAGE_HYPERVISOR */
#define WORLD_IMAGE_PAGES 512
#define WORLD_FILE_BASE UINT64_C(0x42000000) /* PAGE_RESERVED */
#define WORLD_FILE_PAGES 64
#define WORLD_DEVICE_BASE UINT64_C(0x43000000) /* PAGE_MMIO */
#define WORLD_DEVICE_PAGES 16

void world_restart(struct world *world, const struct world_config *config);

/* A machine with two ranges of RAM, and no reservations. */
struct world_config world_config_of(struct prange first, struct prange second);

/* The same, but the subsystem is told of the first range of memory only, and has @hooks instead of the
 * runner's: of these, the functions count, and of a panic the runner knows if there is none. */
void world_restart_told(struct world *world, const struct world_config *config,
			struct mm_config hooks);

#endif

/* ---- What runners use ---------------------------------------------------------------------- */

/* Notes what the world is like before a test. */
void world_begin(struct world *world);

/* Fails the test if the world is not as it was: pages by usage, active spaces, rules of the MMU. */
void world_end(struct world *world);
