/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the world switch. */
#pragma once

#include <aarch64/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

/* HCR_EL2 for @vcpu as it is now. Needs vcpu_host_init on this CPU. */
uint64_t vcpu_hypervisor_configuration(const struct vcpu *vcpu);

/* Every EL1 and EL0 system register that a guest can reach: into the CPU, and out of it. */
void vcpu_registers_load(struct vcpu *vcpu);
void vcpu_registers_save(struct vcpu *vcpu);

/*
 * Completes an abort whose HPFAR_EL2 the CPU left UNKNOWN, by a walk of the guest's own Stage 1.
 * False if that walk ends in a fault. The guest's system registers are still loaded, and PAR_EL1 is
 * saved already.
 */
bool vcpu_resolve_ipa(struct vcpu_exit *exit);

/* Whether nothing in the TLB under the active VMID could mislead @vcpu on this CPU. */
bool vcpu_tlb_is_its_own(const struct vcpu *vcpu, bool stage1_is_off);

/* Sees to that, for a run that follows. The EL1&0 regime is closed. */
void vcpu_tlb_claim(struct vcpu *vcpu, bool stage1_is_off);

/* switch.S */
enum vcpu_exit_reason vcpu_enter(struct vcpu *vcpu);
