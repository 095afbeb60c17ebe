/* SPDX-License-Identifier: BSD-3-Clause */
/* One event, and who looks at it. */
#include "discipline_state.h"

void discipline_begin(struct discipline *discipline, void *arena, size_t size,
		      void (*complain)(const char *text))
{
	*discipline = (struct discipline){ .complain = complain };
	model_arena_init(&discipline->arena, arena, size);
	model_pool_init(&discipline->shadow_pool, &discipline->arena, sizeof(struct shadow));
	model_pool_init(&discipline->context_pool, &discipline->arena, sizeof(struct context));
	model_pool_init(&discipline->debt_pool, &discipline->arena, sizeof(struct debt));
	RB_INIT(&discipline->shadows);
	LIST_INIT(&discipline->contexts);
}

static void see_tlbi(struct discipline *discipline, const struct observe_event *event)
{
	const bool by_vmid =
		event->kind == OBSERVE_TLBI_IPA_ADDRESS || event->kind == OBSERVE_TLBI_IPA_RANGE ||
		event->kind == OBSERVE_TLBI_VMID_STAGE1 || event->kind == OBSERVE_TLBI_VMID_STAGE12;

	if (by_vmid && discipline->cpus[event->cpu].register_written)
		discipline_broken(discipline, DISCIPLINE_isb_missing, event,
				  "VTTBR_EL2 was written, and no ISB since");
	debts_see_tlbi(discipline, event);
	contexts_see_tlbi(discipline, event);
}

static void see_dsb(struct discipline *discipline, const struct observe_event *event)
{
	discipline->cpus[event->cpu].dsb = discipline->events;
	debts_see_dsb(discipline, event);
	contexts_see_dsb(discipline, event);
}

void discipline_step(struct discipline *discipline, const struct observe_event *event)
{
	struct cpu_state *cpu = &discipline->cpus[event->cpu];

	discipline->events++;
	switch (event->kind) {
	case OBSERVE_DESCRIPTOR_WRITE:
		shadows_see_write(discipline, event);
		break;
	case OBSERVE_TLBI_EL2_ADDRESS:
	case OBSERVE_TLBI_EL2_RANGE:
	case OBSERVE_TLBI_EL2_ALL:
	case OBSERVE_TLBI_IPA_ADDRESS:
	case OBSERVE_TLBI_IPA_RANGE:
	case OBSERVE_TLBI_VMID_STAGE1:
	case OBSERVE_TLBI_VMID_STAGE12:
	case OBSERVE_TLBI_ALL_VMIDS:
		see_tlbi(discipline, event);
		break;
	case OBSERVE_DSB_NSH: /* no walker but this CPU's waits for it */
		break;
	case OBSERVE_DSB_ISHST:
	case OBSERVE_DSB_ISH:
		see_dsb(discipline, event);
		break;
	case OBSERVE_ISB:
		cpu->isb = cpu->dsb;
		cpu->register_written = false;
		cpu->el2_written = false;
		break;
	case OBSERVE_STAGE2_LOAD:
	case OBSERVE_STAGE2_UNLOAD:
	case OBSERVE_STAGE1_LOAD:
		contexts_see_load(discipline, event);
		break;
	case OBSERVE_TABLE_ALLOC:
	case OBSERVE_TABLE_LEVEL:
		shadows_see_table(discipline, event);
		break;
	case OBSERVE_TABLE_FREE:
		shadows_see_free(discipline, event);
		break;
	case OBSERVE_PAGES_RELEASE:
		shadows_see_release(discipline, event);
		break;
	case OBSERVE_LOCK:
	case OBSERVE_UNLOCK:
		shadows_see_lock(discipline, event);
		break;
	}
}
