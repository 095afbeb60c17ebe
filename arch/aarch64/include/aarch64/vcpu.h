/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual CPUs: everything of EL1 and EL0 that a guest can see, and the way in and out.
 *
 * Invariant: between two runs the whole state of a virtual CPU is in its structure; nothing of one
 * guest is left in a register when another runs. FP and SIMD registers are saved and loaded eagerly
 * on every exit and entry: 64 registers cost less than the trap a lazy scheme takes, and no path at
 * EL2 can forget them.
 *
 * The guest sees the architecture without SVE, SME, MTE, pointer authentication, PMU, RAS, the
 * physical timer and the GIC's system registers: their ID fields read as absent and their registers
 * as undefined (UNDEF is injected). Two exceptions, where the CPU gives no choice: ICC_SRE_EL1 reads
 * as a constant if ICC_SRE_EL2.Enable is fixed to 1, and a guest's own CPACR_EL1 makes SVE and SME
 * trap to its EL1 with their syndromes. Self-hosted debug, which Armv8 has no way to deny, has
 * registers that read as zero and ignore writes.
 *
 * A guest whose Stage 1 is off has Normal write-back memory (HCR_EL2.DC), coherent with what EL2
 * writes there. A guest that turned its Stage 1 off again has it from its next exit on.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>
#include <stdint.h>

/* System registers of EL1 and EL0. */
struct vcpu_system_registers {
	uint64_t sctlr_el1, cpacr_el1, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, amair_el1;
	uint64_t vbar_el1, esr_el1, far_el1, afsr0_el1, afsr1_el1, par_el1;
	uint64_t elr_el1, spsr_el1, sp_el0, sp_el1;
	uint64_t tpidr_el0, tpidrro_el0, tpidr_el1, contextidr_el1, csselr_el1;
	uint64_t cntkctl_el1, cntv_ctl_el0, cntv_cval_el0, cntvoff_el2;
	uint64_t vmpidr_el2, vpidr_el2;
};

struct vcpu_vector_registers {
	_Alignas(16) uint8_t v[32][16];
	uint64_t fpcr, fpsr;
};

/* How the guest's own translation was in the last run: what the TLB may hold of it. */
enum vcpu_stage1_view {
	VCPU_VIEW_NONE, /* it has not run since its reset */
	VCPU_VIEW_STAGE1_OFF,
	VCPU_VIEW_STAGE1_ON,
};

struct vcpu {
	/* switch.S knows the places of these (vcpu_offsets.h). */
	uint64_t x[31];
	uint64_t pc;	 /* ELR_EL2 */
	uint64_t pstate; /* SPSR_EL2 */
	struct vcpu_vector_registers vector;

	struct vcpu_system_registers system;
	uint8_t instruction_bytes; /* of the instruction that caused the last synchronous exit: 2 or 4 */
	enum vcpu_stage1_view view;
};

enum vcpu_exit_reason {
	VCPU_EXIT_SYNCHRONOUS, /* syndrome, far and hpfar say why */
	VCPU_EXIT_IRQ,	       /* a physical interrupt is pending; it is not acknowledged yet */
	VCPU_EXIT_FIQ,
	VCPU_EXIT_SERROR,
};

struct vcpu_exit {
	enum vcpu_exit_reason reason;
	uint64_t syndrome; /* ESR_EL2 */
	uint64_t far;	   /* FAR_EL2 */
	uint64_t hpfar;	   /* HPFAR_EL2, or what it would be where the CPU leaves it UNKNOWN */
	bool ipa_unknown;  /* an abort, and nothing says at which IPA */
};

/* The state after a reset of the virtual CPU: EL1h, interrupts masked, Stage 1 off, x0..x30 zero,
 * starting at @entry. @affinity becomes MPIDR_EL1.Aff0. */
void vcpu_reset(struct vcpu *vcpu, struct iaddr entry, unsigned int affinity);

/*
 * Runs @vcpu in the Stage-2 space that is active on this CPU until it exits. Interrupts stay masked
 * at EL2 throughout. Mode bits of @vcpu->pstate that are not EL0's or EL1's become EL1h.
 */
void vcpu_run(struct vcpu *vcpu, struct vcpu_exit *exit);

/* Why a synchronous exit happened, decoded from the syndrome (Arm ARM D19.2.37, "ESR_EL2"). */
enum vcpu_exit_class {
	VCPU_CLASS_STAGE2_ABORT,    /* stage2_abort_decode says more */
	VCPU_CLASS_HYPERCALL,	    /* HVC: @immediate; pc is already past it */
	VCPU_CLASS_MONITOR_CALL,    /* SMC, trapped: @immediate; pc is at it */
	VCPU_CLASS_WAIT,	    /* WFI or WFE, trapped; pc is at it */
	VCPU_CLASS_SYSTEM_REGISTER, /* MSR, MRS or system instruction, trapped; pc is at it */
	VCPU_CLASS_GUEST_FAULT, /* an abort that is the guest's own affair, or one nobody can serve */
	VCPU_CLASS_OTHER,	/* anything else that was trapped */
};

enum vcpu_exit_class vcpu_exit_class(const struct vcpu_exit *exit);

/* The 16-bit immediate of HVC or SMC. */
uint16_t vcpu_exit_immediate(const struct vcpu_exit *exit);

enum stage2_access {
	STAGE2_READ,
	STAGE2_WRITE,
	STAGE2_EXECUTE,
};

enum stage2_fault {
	STAGE2_FAULT_ADDRESS_SIZE,
	STAGE2_FAULT_TRANSLATION,
	STAGE2_FAULT_ACCESS_FLAG,
	STAGE2_FAULT_PERMISSION,
	STAGE2_FAULT_OTHER, /* external abort, TLB conflict, no IPA known and so on */
};

struct stage2_abort {
	struct iaddr ipa; /* of the access; of its page if a table walk faulted or FAR is not
				       valid; 0 for STAGE2_FAULT_OTHER */
	uint64_t va;	  /* FAR_EL2; only if va_valid */
	bool va_valid;
	enum stage2_access
		access; /* of the walk, not of the instruction, if a table walk faulted */
	enum stage2_fault fault;
	int level;		    /* of the lookup that faulted; -1 if the fault has none */
	bool table_walk;	    /* the guest's own Stage-1 walk faulted (S1PTW) */
	bool instruction_described; /* ISV: the three below are valid */
	uint8_t access_bytes;	    /* 1, 2, 4, 8 */
	uint8_t access_register;    /* 0..31 */
	bool access_sign_extends;
};

/* False if @exit is not an abort that a guest took to EL2. */
bool stage2_abort_decode(const struct vcpu_exit *exit, struct stage2_abort *out);

/* Skips the instruction that trapped. */
void vcpu_skip_instruction(struct vcpu *vcpu);

/*
 * Takes an exception to EL1 in @vcpu, as the architecture does it (Arm ARM D1.3.5,
 * AArch64.TakeException): ESR_EL1, FAR_EL1, ELR_EL1, SPSR_EL1, PSTATE and the vector by the
 * source's level and stack.
 *
 * Aborts are synchronous external ones: what a bus says of an address where nothing is. A
 * translation fault would accuse the guest's own tables, which may be in order.
 */
void vcpu_inject_data_abort(struct vcpu *vcpu, uint64_t far, bool write);
void vcpu_inject_instruction_abort(struct vcpu *vcpu, uint64_t far);
void vcpu_inject_undefined(struct vcpu *vcpu);

/*
 * Serves a trapped system-register access (VCPU_CLASS_SYSTEM_REGISTER) by the rules above: ID
 * registers read masked, the registers that are trapped while Stage 1 is off are written, cache
 * maintenance by set and way does nothing (memory is coherent without it), everything else is
 * injected as UNDEF.
 */
void vcpu_emulate_system_register(struct vcpu *vcpu, const struct vcpu_exit *exit);

/* Once on each CPU, before the first vcpu_run: HCR_EL2, CPTR_EL2, MDCR_EL2, CNTHCTL_EL2, HSTR_EL2
 * and the other trap controls, every field of them. */
void vcpu_host_init(void);
