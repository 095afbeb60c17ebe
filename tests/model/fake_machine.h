/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model takes from the subsystem, faked: a few pages of memory whose usage and contents the
 * test decides, and a stream of operations that the test tells. So the model can be shown tables and
 * results that the subsystem would never make.
 */
#pragma once

#include <strata/frame.h>
#include <strata/operation.h>

#define FAKE_BASE UINT64_C(0x80000000)
#define FAKE_PAGES 96
#define FAKE_PAGES_MORE 16 /* after those: memory while a test says so */

/* All pages zero, unused, unreferenced. */
void fake_machine_reset(void);

void fake_have_more(bool more);

/* The physical address of page @index. */
struct paddr fake_page(unsigned int index);

/* Descriptor @index of the table in @page. */
uint64_t *fake_descriptor(struct paddr page, unsigned int index);

void fake_set_state(struct paddr page, enum page_usage usage, uint32_t references);

/* The page is private to @space; NULL: it is the hypervisor's, as it is before. */
void fake_set_owner(struct paddr page, const struct vm_space *space);

/* The page is in @sharing. */
void fake_set_sharing(struct paddr page, const struct sharing *sharing, bool lent);

/* CPU 1 is in a function that changes counts, and has said that it gives up a reference of @page. When @page
 * has been looked at @looks times, the reference is gone and CPU 1 is out. */
void fake_give_up(struct paddr page, unsigned int looks);

/* Tells the attached observer. A new space is as it was asked for, unless it says what was. */
void fake_operation(const struct mm_operation *operation);
bool fake_observer_attached(void);

/* Whether the CPU keeps dirty state (arch/features.h); it does after a reset. */
extern bool fake_dirty_state;
/* What vm_space_vmid says of every space. */
extern uint16_t fake_vmid;
/* The root of the Stage 1 that EL2 has loaded. */
extern struct paddr fake_el2_root;
extern _Thread_local unsigned int machine_current_cpu;
