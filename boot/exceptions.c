/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptions.h"
#include "exit.h"
#include "image.h"
#include "symbols.h"
#include <aarch64/exception.h>
#include <aarch64/registers.h>
#include <arch/barrier.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* Exception classes that EL2 can take from itself (Arm ARM D19.2.37, "ESR_EL2", EC). */
enum {
	EC_UNKNOWN = 0x00,
	EC_FP_ACCESS = 0x07,
	EC_BRANCH_TARGET = 0x0d,
	EC_ILLEGAL_STATE = 0x0e,
	EC_HVC = 0x16,
	EC_SMC = 0x17,
	EC_SYSTEM_REGISTER = 0x18,
	EC_SVE = 0x19,
	EC_PAC_FAIL = 0x1c,
	EC_INSTRUCTION_ABORT = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DATA_ABORT = 0x25,
	EC_SP_ALIGNMENT = 0x26,
	EC_FP_EXCEPTION = 0x2c,
	EC_SERROR = 0x2f,
	EC_BREAKPOINT = 0x3c,
};

#define ISS_WNR (1u << 6)  /* the abort was a write */
#define ISS_FNV (1u << 10) /* FAR is not valid */

/* The lower two bits of a fault status code are the level of the lookup. */
#define LEVEL_OF(status) ((status)&3)

static const char *class_name(unsigned int class)
{
	switch (class) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_FP_ACCESS:
		return "trapped floating point or SIMD";
	case EC_BRANCH_TARGET:
		return "branch target exception";
	case EC_ILLEGAL_STATE:
		return "illegal execution state";
	case EC_HVC:
		return "HVC";
	case EC_SMC:
		return "trapped SMC";
	case EC_SYSTEM_REGISTER:
		return "trapped system register or instruction";
	case EC_SVE:
		return "trapped SVE";
	case EC_PAC_FAIL:
		return "pointer authentication failure";
	case EC_INSTRUCTION_ABORT:
		return "instruction abort";
	case EC_PC_ALIGNMENT:
		return "misaligned PC";
	case EC_DATA_ABORT:
		return "data abort";
	case EC_SP_ALIGNMENT:
		return "misaligned SP";
	case EC_FP_EXCEPTION:
		return "trapped floating-point exception";
	case EC_SERROR:
		return "SError";
	case EC_BREAKPOINT:
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

static void print_syndrome(const struct exception_frame *frame)
{
	unsigned int class = (unsigned int)FIELD_GET(ESR_ELx_EC, frame->esr);
	unsigned int iss = (unsigned int)FIELD_GET(ESR_ELx_ISS, frame->esr);
	bool has_level;

	printf("%s", class_name(class));
	if (class == EC_DATA_ABORT || class == EC_INSTRUCTION_ABORT) {
		const char *fault = fault_name(iss & 0x3f, &has_level);

		printf(", %s", fault);
		if (has_level)
			printf(" at level %u", LEVEL_OF(iss));
		printf(" on a %s", class == EC_INSTRUCTION_ABORT ? "fetch"
				   : iss & ISS_WNR		 ? "write"
								 : "read");
		if (!(iss & ISS_FNV))
			printf(" of 0x%016" PRIx64, frame->far);
		if (frame->far >= image_address(boot_stack_guard) &&
		    frame->far < image_address(boot_stack_bottom))
			printf(": the stack overflowed into its guard page");
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
	static bool nested;

	if (nested)
		machine_exit(1);
	nested = true;
	printf("\nstrata: unexpected exception: %s\n  ", exception_vector_name(frame->vector));
	print_syndrome(frame);
	print_registers(frame);
	symbols_backtrace(frame->x[29]);
	machine_exit(1);
}

void exceptions_init(void)
{
	exception_handler_set(dump);
	register_write(vbar_el2, (uintptr_t)el2_vectors);
	isb();
}
