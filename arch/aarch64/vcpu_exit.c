/* SPDX-License-Identifier: BSD-3-Clause */
/* What a syndrome says. Pure. */
#include <aarch64/registers.h>
#include <aarch64/vcpu.h>

static uint64_t exception_class(const struct vcpu_exit *exit)
{
	return FIELD_GET(ESR_ELx_EC, exit->syndrome);
}

static bool is_abort(const struct vcpu_exit *exit)
{
	const uint64_t class = exception_class(exit);

	return exit->reason == VCPU_EXIT_SYNCHRONOUS &&
	       (class == ESR_EC_DATA_ABORT_LOWER || class == ESR_EC_INSTRUCTION_ABORT_LOWER);
}

enum vcpu_exit_class vcpu_exit_class(const struct vcpu_exit *exit)
{
	struct stage2_abort abort;

	if (exit->reason != VCPU_EXIT_SYNCHRONOUS)
		return VCPU_CLASS_OTHER;
	if (stage2_abort_decode(exit, &abort))
		return abort.fault == STAGE2_FAULT_OTHER ? VCPU_CLASS_GUEST_FAULT
							 : VCPU_CLASS_STAGE2_ABORT;

	switch (exception_class(exit)) {
	case ESR_EC_WFX:
		return VCPU_CLASS_WAIT;
	case ESR_EC_HVC64:
		return VCPU_CLASS_HYPERCALL;
	case ESR_EC_SMC64:
		return VCPU_CLASS_MONITOR_CALL;
	case ESR_EC_MSR_MRS:
		return VCPU_CLASS_SYSTEM_REGISTER;
	default:
		return VCPU_CLASS_OTHER;
	}
}

uint16_t vcpu_exit_immediate(const struct vcpu_exit *exit)
{
	return (uint16_t)FIELD_GET(ESR_ISS_CALL_imm16, exit->syndrome);
}

static enum stage2_fault fault_kind(uint64_t status)
{
	switch (FIELD_GET(FSC_KIND, status)) {
	case FSC_KIND_ADDRESS_SIZE:
		return STAGE2_FAULT_ADDRESS_SIZE;
	case FSC_KIND_TRANSLATION:
		return STAGE2_FAULT_TRANSLATION;
	case FSC_KIND_ACCESS_FLAG:
		return STAGE2_FAULT_ACCESS_FLAG;
	case FSC_KIND_PERMISSION:
		return STAGE2_FAULT_PERMISSION;
	default:
		return STAGE2_FAULT_OTHER;
	}
}

/*
 * The guest's Stage-1 walk reads descriptors; a permission fault of it comes from the hardware
 * update of one, since a table that nobody may read is not made by this subsystem's users.
 */
static enum stage2_access access_kind(const struct vcpu_exit *exit, bool walk,
				      enum stage2_fault fault)
{
	if (walk)
		return fault == STAGE2_FAULT_PERMISSION ? STAGE2_WRITE : STAGE2_READ;
	if (exception_class(exit) == ESR_EC_INSTRUCTION_ABORT_LOWER)
		return STAGE2_EXECUTE;
	return FIELD_GET(ESR_ISS_ABORT_WnR, exit->syndrome) ? STAGE2_WRITE : STAGE2_READ;
}

static struct iaddr abort_address(const struct vcpu_exit *exit, bool offset_known)
{
	const uint64_t page = FIELD_GET(HPFAR_EL2_FIPA, exit->hpfar) << PAGE_SHIFT;

	return iaddr(offset_known ? page | (exit->far & (PAGE_SIZE - 1)) : page);
}

bool stage2_abort_decode(const struct vcpu_exit *exit, struct stage2_abort *out)
{
	if (!is_abort(exit))
		return false;

	const uint64_t syndrome = exit->syndrome;
	const uint64_t status = FIELD_GET(ESR_ISS_ABORT_FSC, syndrome);
	const bool is_data = exception_class(exit) == ESR_EC_DATA_ABORT_LOWER;
	const bool va_valid = !FIELD_GET(ESR_ISS_ABORT_FnV, syndrome);
	const bool walk = FIELD_GET(ESR_ISS_ABORT_S1PTW, syndrome);
	const enum stage2_fault fault = exit->ipa_unknown ? STAGE2_FAULT_OTHER : fault_kind(status);
	struct stage2_abort abort = {
		.va = va_valid ? exit->far : 0,
		.va_valid = va_valid,
		.access = access_kind(exit, walk, fault),
		.fault = fault,
		.level = fault == STAGE2_FAULT_OTHER ? -1 : (int)FIELD_GET(FSC_LEVEL, status),
		.table_walk = walk,
		.instruction_described = is_data && FIELD_GET(ESR_ISS_ABORT_ISV, syndrome),
	};

	if (fault != STAGE2_FAULT_OTHER)
		abort.ipa = abort_address(exit, va_valid && !walk);
	if (abort.instruction_described) {
		abort.access_bytes = (uint8_t)(1u << FIELD_GET(ESR_ISS_ABORT_SAS, syndrome));
		abort.access_register = (uint8_t)FIELD_GET(ESR_ISS_ABORT_SRT, syndrome);
		abort.access_sign_extends = FIELD_GET(ESR_ISS_ABORT_SSE, syndrome);
	}
	*out = abort;
	return true;
}
