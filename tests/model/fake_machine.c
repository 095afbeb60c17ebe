/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_machine.h"

#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/translation.h>
#include <stdlib.h>
#include <string.h>
#include <strata/mm.h>

static _Alignas(PAGE_SIZE) unsigned char memory[FAKE_PAGES + FAKE_PAGES_MORE][PAGE_SIZE];
static struct page_state states[FAKE_PAGES + FAKE_PAGES_MORE];
static struct page_owner owners[FAKE_PAGES + FAKE_PAGES_MORE];
static size_t page_count = FAKE_PAGES;
/* What another CPU is about to give up. */
static struct {
	struct paddr page;
	unsigned int looks; /* 0: nothing */
} giving_up;
static mm_operation_observer observer;
bool fake_dirty_state;
uint16_t fake_vmid;
struct paddr fake_el2_root;
_Thread_local unsigned int machine_current_cpu;

void fake_machine_reset(void)
{
	memset(memory, 0, sizeof(memory));
	memset(states, 0, sizeof(states));
	memset(owners, 0, sizeof(owners));
	page_count = FAKE_PAGES;
	observer = NULL;
	fake_dirty_state = true;
	fake_vmid = 1;
	fake_el2_root = paddr(0);
	machine_current_cpu = 0;
	giving_up.looks = 0;
}

struct paddr fake_page(unsigned int index)
{
	return paddr(FAKE_BASE + index * PAGE_SIZE);
}

static bool is_memory(struct paddr paddr)
{
	return paddr.value >= FAKE_BASE && paddr.value < FAKE_BASE + page_count * PAGE_SIZE;
}

void fake_have_more(bool more)
{
	page_count = FAKE_PAGES + (more ? FAKE_PAGES_MORE : 0);
}

static size_t page_index(struct paddr paddr)
{
	return (paddr.value - FAKE_BASE) / PAGE_SIZE;
}

uint64_t *fake_descriptor(struct paddr page, unsigned int index)
{
	return (uint64_t *)mm_linear(page) + index;
}

void fake_set_state(struct paddr page, enum page_usage usage, uint32_t references)
{
	states[page_index(page)] = (struct page_state){ usage, references };
}

void fake_set_owner(struct paddr page, const struct vm_space *space)
{
	owners[page_index(page)] =
		(struct page_owner){ .kind = space == NULL ? OWNER_HYPERVISOR : OWNER_SPACE,
				     .space = space };
}

void fake_set_sharing(struct paddr page, const struct sharing *sharing, bool lent)
{
	owners[page_index(page)] =
		(struct page_owner){ .kind = OWNER_SHARING, .sharing = sharing, .lent = lent };
}

void fake_give_up(struct paddr page, unsigned int looks)
{
	giving_up.page = page;
	giving_up.looks = looks;
}

void fake_operation(const struct mm_operation *operation)
{
	struct mm_operation new = *operation;

	if (new.kind == OPERATION_SPACE_NEW &&new.ia_bits == 0) {
		new.stage = new.space->stage;
		new.ia_bits = new.space->geometry.ia_bits;
		new.part = new.space->part;
	}
	observer(&new);
}

bool fake_observer_attached(void)
{
	return observer != NULL;
}

/* ---- The subsystem's public interface, as far as the model uses it ------------------------- */

void *mm_linear(struct paddr paddr)
{
	if (!is_memory(paddr))
		abort(); /* the model followed an address that it should not trust */
	return (unsigned char *)memory + (paddr.value - FAKE_BASE);
}

enum mm_status page_state(struct paddr paddr, struct page_state *out)
{
	if (!is_page_aligned(paddr.value))
		return MM_NOT_ALIGNED;
	if (!is_memory(paddr))
		return MM_OUT_OF_BOUND;
	*out = states[page_index(paddr)];
	if (giving_up.looks > 0 && giving_up.page.value == paddr.value && --giving_up.looks == 0)
		states[page_index(paddr)].references--;
	return MM_OK;
}

struct page_owner page_owner(struct paddr paddr)
{
	return is_memory(paddr) ? owners[page_index(paddr)]
				: (struct page_owner){ .kind = OWNER_DEVICE };
}

void mm_operation_attach(mm_operation_observer function)
{
	observer = function;
}

struct iaddr cursor_virt_addr(const struct cursor *cursor)
{
	return cursor->position;
}

bool el2_stage1_is(struct paddr root)
{
	return fake_el2_root.value == root.value;
}

const struct arch_features *arch_features(void)
{
	static struct arch_features features = { .pa_bits = 40, .granule_4k = true };

	features.dirty_state = fake_dirty_state;
	return &features;
}

uint16_t vm_space_vmid(const struct vm_space *space)
{
	(void)space;
	return fake_vmid;
}

const char *mm_status_name(enum mm_status status)
{
	static const char *const names[] = {
#define STATUS_NAME(name, meaning) [name] = #name,
		MM_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
	};

	return names[status];
}

const char *page_usage_name(enum page_usage usage)
{
	static const char *const names[] = {
#define USAGE_NAME(name, text) [name] = text,
		PAGE_USAGE_LIST(USAGE_NAME)
#undef USAGE_NAME
	};

	return names[usage];
}

void *cpu_local_of(unsigned int index)
{
	static _Alignas(CPU_LOCAL_ALIGNMENT) char local[STRATA_MAX_CPUS][CPU_LOCAL_SIZE];

	return local[index];
}

struct mm_usage mm_usage(void)
{
	struct mm_usage usage = { .pages = { 0 } };

	for (size_t i = 0; i < page_count; i++)
		usage.pages[states[i].usage]++;
	return usage;
}

/* What there is at first, as one range. */
bool mm_memory_range(size_t index, struct prange *out)
{
	*out = prange(fake_page(0), fake_page(FAKE_PAGES));
	return index == 0;
}

uint32_t mm_cpus_in_flight(void)
{
	return UINT32_C(1) << cpu_index() | (giving_up.looks > 0 ? UINT32_C(1) << 1 : 0);
}

void cpu_relax(void)
{
}
