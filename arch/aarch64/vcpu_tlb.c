/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a virtual CPU may find in the TLB when it comes in.
 *
 * Entries are tagged with the VMID, and that is the space's: another virtual CPU of the same space
 * that ran on this CPU has left its own Stage-1 translations under the same tag, and its ASIDs are
 * not this one's. Nor are translations from a time when its Stage 1 was in another state (the CPU
 * may cache HCR_EL2.DC and SCTLR_EL1.M in its TLB). Both are thrown away.
 */
#include <aarch64/percpu.h>
#include <aarch64/vcpu_host.h>
#include <arch/barrier.h>
#include <arch/canary.h>
#include <arch/observe.h>
#include <arch/tlb.h>
#include <stddef.h>

static struct percpu_vmid_owner *owner_slot(uint16_t vmid)
{
	return &percpu_this()->vmid_owners[vmid % PERCPU_VMID_OWNERS];
}

/* Stage-1 and combined entries of the active VMID, on this CPU only. */
static void forget_here(void)
{
	if (CANARY(tlbi_missing))
		return;
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh" : : : "memory");
	percpu_this()->counters.tlbi_vmid++;
	percpu_this()->counters.dsb++;
	OBSERVE(.kind = OBSERVE_TLBI_VMID_STAGE1, .scope = OBSERVE_THIS_CPU,
		.value = stage2_active()->vmid);
	OBSERVE(.kind = OBSERVE_DSB_NSH);
}

static bool ran_here_last(const struct vcpu *vcpu, uint16_t vmid)
{
	const struct percpu_vmid_owner *owner = owner_slot(vmid);

	return owner->vmid == vmid && owner->vcpu == vcpu;
}

static enum vcpu_stage1_view view_of(bool stage1_is_off)
{
	return stage1_is_off ? VCPU_VIEW_STAGE1_OFF : VCPU_VIEW_STAGE1_ON;
}

bool vcpu_tlb_is_its_own(const struct vcpu *vcpu, bool stage1_is_off)
{
	return vcpu->view == view_of(stage1_is_off) && ran_here_last(vcpu, stage2_active()->vmid);
}

void vcpu_tlb_claim(struct vcpu *vcpu, bool stage1_is_off)
{
	const uint16_t vmid = stage2_active()->vmid;

	/* It may have left entries on any CPU that it ran on. */
	if (vcpu->view != view_of(stage1_is_off)) {
		tlbi_vmid_stage1();
		dsb_ish();
	} else if (!ran_here_last(vcpu, vmid)) {
		forget_here();
	}
	vcpu->view = view_of(stage1_is_off);
	*owner_slot(vmid) = (struct percpu_vmid_owner){ .vmid = vmid, .vcpu = vcpu };
}
