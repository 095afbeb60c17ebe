/* SPDX-License-Identifier: BSD-3-Clause */
#include "fault.h"

#include <aarch64/registers.h>
#include <arch/canary.h>
#include <strata/ageing.h>
#include "../interrupts.h"
#include "fill.h"
#include "guest_calls.h"

/* What the guest needs of a page to do @abort's access. */
static uint8_t access_needed(const struct stage2_abort *abort)
{
	if (abort->access == STAGE2_WRITE)
		return PAGE_WRITE;
	return abort->access == STAGE2_EXECUTE ? PAGE_EXECUTE : PAGE_READ;
}

static enum exit_outcome inject_undefined(struct guest *guest, struct vcpu *vcpu)
{
	vcpu_inject_undefined(vcpu);
	guest->statistics.injected++;
	return EXIT_RESUME;
}

static bool is_instruction_fetch(const struct vcpu_exit *exit)
{
	return FIELD_GET(ESR_ELx_EC, exit->syndrome) == ESR_EC_INSTRUCTION_ABORT_LOWER;
}

/* What the guest did is not possible, @why if it ends there. */
static enum exit_outcome violate(struct guest *guest, struct vcpu *vcpu,
				 const struct vcpu_exit *exit, const struct stage2_abort *abort,
				 const char *why)
{
	if (guest->violation == VIOLATION_STOP) {
		guest->stopped = why;
		return EXIT_STOPPED;
	}

	/* Of a fetch whose table walk faulted, the abort says that the walk read. */
	if (is_instruction_fetch(exit))
		vcpu_inject_instruction_abort(vcpu, exit->far);
	else
		vcpu_inject_data_abort(vcpu, exit->far, abort->access == STAGE2_WRITE);
	guest->statistics.injected++;
	return EXIT_RESUME;
}

static struct page_property with_write(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

/*
 * Something is mapped at @page of a region that allows the access: either it is valid by now, as
 * when two CPUs fault on one page, or the Access flag or write access was taken away to learn of this
 * access.
 */
static enum mm_status serve_mapped(struct guest *guest, struct cursor *cursor,
				   const struct cursor_item *item, uint8_t needed)
{
	const struct iaddr page = cursor_virt_addr(cursor);

	if (!(item->property.flags & PAGE_ACCESSED))
		return ageing_fault(cursor);
	if (item->property.flags & needed) {
		if (CANARY(spurious_fault_refused))
			return MM_IN_USE;
		guest->statistics.spurious++;
		return MM_OK;
	}
	if (snapshot_touches(guest, irange(page, iaddr(page.value + PAGE_SIZE))))
		return cursor_protect(cursor, PAGE_SIZE, with_write, NULL, NULL);
	return dirty_log_fault(&guest->dirty_round.log, cursor);
}

/* Makes the access to @page possible, which @region allows. */
static enum mm_status serve(struct guest *guest, const struct guest_region *region,
			    struct iaddr page, uint8_t needed)
{
	struct evicted_page *evicted = evicted_find(&guest->evicted, page);

	if (evicted)
		return guest_refill(guest, evicted);

	struct cursor cursor;
	struct cursor_item item;
	struct irange range = irange(page, iaddr(page.value + PAGE_SIZE));
	enum mm_status status = MM_OK;

	if (needed & PAGE_WRITE)
		status = snapshot_before_write(guest, page);
	if (status == MM_OK)
		status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);
	if (status != MM_OK)
		return status;

	status = cursor_peek(&cursor, &item);
	if (status == MM_OK && item.mapped)
		status = serve_mapped(guest, &cursor, &item, needed);
	cursor_close(&cursor);
	if (status != MM_OK || item.mapped)
		return status;

	return guest_fill(guest, region, page);
}

static enum exit_outcome handle_abort(struct guest *guest, struct vcpu *vcpu,
				      const struct vcpu_exit *exit)
{
	struct stage2_abort abort;

	if (!stage2_abort_decode(exit, &abort))
		return inject_undefined(guest, vcpu);
	guest->statistics.faults[abort.fault][abort.access]++;

	const struct guest_region *region = guest_region_at(guest, abort.ipa);
	uint8_t needed = access_needed(&abort);
	bool servable = abort.fault == STAGE2_FAULT_TRANSLATION ||
			abort.fault == STAGE2_FAULT_PERMISSION ||
			abort.fault == STAGE2_FAULT_ACCESS_FLAG;

	if (!servable || !region || !(region->property.flags & needed))
		return violate(guest, vcpu, exit, &abort, "it did what no region of it allows");

	switch (serve(guest, region, iaddr(page_align_down(abort.ipa.value)), needed)) {
	case MM_OK:
		return EXIT_RESUME;
	case MM_NO_MEMORY:
		return EXIT_NO_MEMORY;
	default:
		return violate(guest, vcpu, exit, &abort,
			       "a fault of it was not served that a region allows");
	}
}

static enum exit_outcome handle_hypercall(struct guest *guest, struct vcpu *vcpu,
					  const struct vcpu_exit *exit)
{
	uint16_t number = vcpu_exit_immediate(exit);

	if (number < 32 && guest->calls >> number & 1)
		return EXIT_CALL;
	vcpu->x[0] = (uint64_t)GUEST_CALL_UNKNOWN;
	return EXIT_RESUME;
}

static enum exit_outcome handle_synchronous(struct guest *guest, struct vcpu *vcpu,
					    const struct vcpu_exit *exit)
{
	enum vcpu_exit_class class = vcpu_exit_class(exit);

	guest->statistics.exits[class]++;
	switch (class) {
	case VCPU_CLASS_STAGE2_ABORT:
	case VCPU_CLASS_GUEST_FAULT:
		return handle_abort(guest, vcpu, exit);
	case VCPU_CLASS_HYPERCALL:
		return handle_hypercall(guest, vcpu, exit);
	case VCPU_CLASS_MONITOR_CALL:
		/* No firmware is behind it: "not supported" of the SMC calling convention. */
		vcpu->x[0] = (uint64_t)GUEST_CALL_UNKNOWN;
		vcpu_skip_instruction(vcpu);
		return EXIT_RESUME;
	case VCPU_CLASS_WAIT:
		vcpu_skip_instruction(vcpu);
		return EXIT_YIELD;
	case VCPU_CLASS_SYSTEM_REGISTER:
		vcpu_emulate_system_register(vcpu, exit);
		return EXIT_RESUME;
	case VCPU_CLASS_OTHER:
		break;
	}
	return inject_undefined(guest, vcpu);
}

static enum exit_outcome handle_exit(struct guest *guest, struct vcpu *vcpu,
				     const struct vcpu_exit *exit)
{
	switch (exit->reason) {
	case VCPU_EXIT_SYNCHRONOUS:
		return handle_synchronous(guest, vcpu, exit);
	case VCPU_EXIT_IRQ:
		guest->statistics.interrupts++;
		return interrupts_take_timer() ? EXIT_SLICE_OVER : EXIT_RESUME;
	case VCPU_EXIT_FIQ:
		/* None is enabled: whoever made it pending, another guest gets its turn. */
		guest->statistics.interrupts++;
		return EXIT_SLICE_OVER;
	case VCPU_EXIT_SERROR:
		break;
	}
	guest->stopped = "an SError came while it ran";
	return EXIT_STOPPED;
}

enum exit_outcome guest_handle_exit(struct guest *guest, struct vcpu *vcpu,
				    const struct vcpu_exit *exit)
{
	guest_lock_take(&guest->lock);
	const enum exit_outcome outcome = handle_exit(guest, vcpu, exit);
	guest_lock_give(&guest->lock);
	return outcome;
}
