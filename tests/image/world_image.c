/* SPDX-License-Identifier: BSD-3-Clause */
/* The one machine of an image: the MMU is asked by address translation instructions (Arm ARM C5.4,
 * "AT S12E1R", "AT S1E2R"). */
#include "world_image.h"
#include "harness.h"
#if STRATA_CHECKED
#include <discipline.h>
#include <stdio.h>
#endif

#define HCR_VM (UINT64_C(1) << 0)  /* Stage 2 is on */
#define HCR_DC (UINT64_C(1) << 12) /* Stage 1 of EL1&0 is off, whatever SCTLR_EL1 says */
#define HCR_RW (UINT64_C(1) << 31)
#define PAR_FAILED UINT64_C(1)
#define PAR_ADDRESS UINT64_C(0x0000fffffffff000)

static struct vm_space *live_space;

#if STRATA_CHECKED

/*
 * The discipline goes beside all tests, from the making of EL2's own table on: what it did not see made it
 * does not know. Its memory is a part of the machine's, as is that of the tables which a test can make: one
 * fills nine tenths of what is free.
 */
#define ARENA_SHARE 4

static void say_discipline(const char *text)
{
	printf("# discipline: %s\n", text);
}

void image_prepare(const struct boot_info *info)
{
	struct segment arena;

	(void)info;
	if (segment_alloc(world_pages(PAGE_UNUSED) / ARENA_SHARE, PAGE_SIZE, FRAME_UNDEFINED,
			  &arena) == MM_OK)
		discipline_start(mm_linear(arena.start), arena.end.value - arena.start.value,
				 say_discipline);
}

static void ask_discipline(void)
{
	const struct discipline_report report = discipline_report();

	if (report.events == 0)
		FAIL("the discipline saw nothing");
	if (report.reports != 0)
		FAIL("the discipline has %llu reports", (unsigned long long)report.reports);
}

#else

static void ask_discipline(void)
{
}

#endif

void world_finish(struct world *world)
{
	ask_discipline();
	world_end(world);
}

void world_start(struct world *world, const struct boot_info *info)
{
	live_space = info->el2_space;
	*world = (struct world){ .el2_space = live_space };
	world_begin(world);
}

struct vm_space *world_el2_space(struct world *world)
{
	return world->el2_space;
}

/* Above all memory and devices: the last of what the linear map may have. */
struct irange world_el2_window(struct world *world)
{
	(void)world;
	return irange(iaddr((UINT64_C(1) << 47) - (UINT64_C(64) << 30)), iaddr(UINT64_C(1) << 47));
}

static uint64_t ask_el2(uint64_t ia, bool write)
{
	uint64_t par;

	if (write)
		__asm__ volatile("at s1e2w, %0" : : "r"(ia) : "memory");
	else
		__asm__ volatile("at s1e2r, %0" : : "r"(ia) : "memory");
	__asm__ volatile("isb\n\tmrs %0, par_el1" : "=r"(par) : : "memory");
	return par;
}

static uint64_t ask_guest(uint64_t ia, bool write)
{
	uint64_t hcr, par;

	__asm__ volatile("mrs %0, hcr_el2" : "=r"(hcr));
	__asm__ volatile("msr hcr_el2, %0\n\tisb"
			 :
			 : "r"(hcr | HCR_VM | HCR_DC | HCR_RW)
			 : "memory");
	if (write)
		__asm__ volatile("at s12e1w, %0" : : "r"(ia) : "memory");
	else
		__asm__ volatile("at s12e1r, %0" : : "r"(ia) : "memory");
	__asm__ volatile("isb\n\tmrs %0, par_el1" : "=r"(par) : : "memory");
	__asm__ volatile("msr hcr_el2, %0\n\tisb" : : "r"(hcr) : "memory");
	return par;
}

bool world_translate(struct world *world, struct vm_space *space, struct iaddr ia,
		     enum world_access access, struct paddr *output)
{
	uint64_t par;

	if (access == WORLD_EXECUTE)
		FAIL("no instruction asks the MMU about execution");
	if (space == world->el2_space) {
		par = ask_el2(ia.value, access == WORLD_WRITE);
	} else {
		EXPECT_OK(vm_space_activate(space));
		par = ask_guest(ia.value, access == WORLD_WRITE);
	}
	if ((par & PAR_FAILED) != 0)
		return false;
	*output = paddr((par & PAR_ADDRESS) | (ia.value & (PAGE_SIZE - 1)));
	return true;
}

void world_rest(struct world *world)
{
	(void)world;
	vm_space_deactivate();
}

/* No model goes beside the tests here. */
void world_not_alone(struct world *world)
{
	(void)world;
}
