/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptions.h"
#include "exit.h"
#include "image.h"
#include "stacks.h"
#include "stop.h"
#include "symbols.h"
#include <aarch64/exception.h>
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static const char *class_name(unsigned int class)
{
	switch (class) {
	case ESR_EC_UNKNOWN:
		return "undefined instruction";
	case ESR_EC_FP_ACCESS:
		return "trapped floating point or SIMD";
	case ESR_EC_BRANCH_TARGET:
		return "branch target exception";
	case ESR_EC_ILLEGAL_STATE:
		return "illegal execution state";
	case ESR_EC_HVC64:
		return "HVC";
	case ESR_EC_SMC64:
		return "trapped SMC";
	case ESR_EC_MSR_MRS:
		return "trapped system register or instruction";
	case ESR_EC_SVE:
		return "trapped SVE";
	case ESR_EC_PAC_FAIL:
		return "pointer authentication failure";
	case ESR_EC_INSTRUCTION_ABORT_SAME:
		return "instruction abort";
	case ESR_EC_PC_ALIGNMENT:
		return "misaligned PC";
	case ESR_EC_DATA_ABORT_SAME:
		return "data abort";
	case ESR_EC_SP_ALIGNMENT:
		return "misaligned SP";
	case ESR_EC_FP_EXCEPTION:
		return "trapped floating-point exception";
	case ESR_EC_SERROR:
		return "SError";
	case ESR_EC_BRK64:
		return "BRK instruction";
	default:
		return "exception of another class";
	}
}

/* DFSC and IFSC, in their groups of four levels. */
static const char *fault_name(unsigned int status, bool *has_level)
{
	*has_level = status < 0x10;
	switch (status >> 2) {
	case 0:
		return "address size fault";
	case 1:
		return "translation fault";
	case 2:
		return "access flag fault";
	case 3:
		return "permission fault";
	case 4:
		return "external abort";
	case 5:
		*has_level = true;
		return "external abort on a table walk";
	case 8:
		return status == 0x21 ? "alignment fault" : "another fault";
	case 12:
		return status == 0x30 ? "TLB conflict abort" : "another fault";
	default:
		return "another fault";
	}
}

static void print_overflow(uint64_t address)
{
	for (unsigned int i = 0; i < STACK_GUARDS; i++) {
		struct prange guard = stack_guard(i);

		if (address >= guard.start.value && address < guard.end.value)
			printf(": the %sstack of CPU %u overflowed into its guard page",
			       stack_guard_is_emergency(i) ? "emergency " : "", stack_guard_cpu(i));
	}
}

static void print_syndrome(const struct exception_frame *frame)
{
	unsigned int class = (unsigned int)FIELD_GET(ESR_ELx_EC, frame->esr);
	unsigned int iss = (unsigned int)FIELD_GET(ESR_ELx_ISS, frame->esr);
	bool has_level;

	printf("%s", class_name(class));
	if (class == ESR_EC_DATA_ABORT_SAME || class == ESR_EC_INSTRUCTION_ABORT_SAME) {
		unsigned int status = (unsigned int)FIELD_GET(ESR_ISS_ABORT_FSC, iss);
		const char *fault = fault_name(status, &has_level);

		printf(", %s", fault);
		if (has_level)
			printf(" at level %u", (unsigned int)FIELD_GET(FSC_LEVEL, status));
		printf(" on a %s", class == ESR_EC_INSTRUCTION_ABORT_SAME ? "fetch"
				   : FIELD_GET(ESR_ISS_ABORT_WnR, iss)	  ? "write"
									  : "read");
		if (!FIELD_GET(ESR_ISS_ABORT_FnV, iss))
			printf(" of 0x%016" PRIx64, frame->far);
		print_overflow(frame->far);
	}
	printf("\n");
}

static void print_registers(const struct exception_frame *frame)
{
	for (int i = 0; i < 31; i++)
		printf("%sx%-2d 0x%016" PRIx64 "%s", i % 3 == 0 ? "  " : "   ", i, frame->x[i],
		       i % 3 == 2 ? "\n" : "");
	printf("   sp  0x%016" PRIx64 "\n", frame->sp);
	printf("  ELR_EL2   ");
	symbols_print(frame->elr);
	printf("\n  SPSR_EL2  0x%016" PRIx64 "   ESR_EL2   0x%016" PRIx64 "\n", frame->spsr,
	       frame->esr);
	printf("  FAR_EL2   0x%016" PRIx64 "   HPFAR_EL2 0x%016" PRIx64 "\n", frame->far,
	       frame->hpfar);
	printf("  image at  0x%016" PRIx64 "\n", image_address(image_start));
}

static void dump(const struct exception_frame *frame)
{
	static bool nested; /* of the one CPU that comes past this */

	stop_others();
	if (nested) {
		/* Overflow during a dump is said in a line; a way to end that does not work is not. */
		if (percpu_this()->overflowed) {
			printf("\nstrata: exception during a dump: ");
			print_syndrome(frame);
		}
		machine_exit(1);
	}
	nested = true;
	printf("\nstrata: unexpected exception on CPU %u: %s\n  ", cpu_index(),
	       exception_vector_name(frame->vector));
	print_syndrome(frame);
	print_registers(frame);
	symbols_backtrace(frame->x[29]);
	machine_exit(1);
}

void exceptions_init(void)
{
	exception_handler_set(dump);
	exceptions_init_this_cpu();
}

void exceptions_init_this_cpu(void)
{
	register_write(vbar_el2, (uintptr_t)el2_vectors);
	isb();
}
