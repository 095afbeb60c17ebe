/* SPDX-License-Identifier: BSD-3-Clause */
#include "exit.h"
#include "boot_info.h"
#include "symbols.h"
#include <strata/share.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Semihosting for AArch32 and AArch64, SYS_EXIT_EXTENDED. */
#define SEMIHOSTING_EXIT_EXTENDED 0x20
#define SEMIHOSTING_APPLICATION_EXIT 0x20026

/* Arm Power State Coordination Interface (DEN0022), SYSTEM_OFF. */
#define PSCI_SYSTEM_OFF 0x84000008

static enum {
	EXIT_HALT,
	EXIT_SEMIHOSTING,
	EXIT_PSCI_SMC,
} exit_method;

void machine_exit_init(const struct boot_info *info)
{
	char value[16];

	if (boot_option(info, "exit", value, sizeof(value)) && strcmp(value, "semihosting") == 0)
		exit_method = EXIT_SEMIHOSTING;
	else if (info->psci == BOOT_PSCI_SMC)
		exit_method = EXIT_PSCI_SMC;
	else /* PSCI by HVC is for EL1: from here it would arrive in our own vectors. */
		exit_method = EXIT_HALT;
}

static void semihosting_exit(int code)
{
	uint64_t block[2] = { SEMIHOSTING_APPLICATION_EXIT, (uint64_t)code };
	register uint64_t operation __asm__("x0") = SEMIHOSTING_EXIT_EXTENDED;
	register uint64_t argument __asm__("x1") = (uintptr_t)block;

	__asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}

static void psci_system_off(void)
{
	register uint64_t function __asm__("x0") = PSCI_SYSTEM_OFF;

	__asm__ volatile("smc #0"
			 : "+r"(function)
			 :
			 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "memory");
}

void machine_exit(int code)
{
	/* A method that does not work ends in an exception, and that comes here again: try it once. */
	int method = exit_method;

	exit_method = EXIT_HALT;
	if (method == EXIT_SEMIHOSTING)
		semihosting_exit(code);
	else if (method == EXIT_PSCI_SMC)
		psci_system_off();
	for (;;)
		__asm__ volatile("msr daifset, #0xf\n\twfe");
}

void boot_refuse(const char *format, ...)
{
	va_list arguments;

	printf("\nstrata: cannot start: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	machine_exit(1);
}

#if STRATA_CHECKED

static void print_owner(const char *what, uintptr_t address)
{
	if (address == 0)
		return;
	printf("  %s ", what);
	symbols_print(address);
	printf("\n");
}

void boot_violation(const struct share_violation *violation)
{
	printf("\nstrata: broken invariant: %s (%s %#" PRIx64 "-%#" PRIx64 ")\n",
	       share_violation_name(violation->sort), share_kind_name(violation->kind),
	       violation->pages.start.value, violation->pages.end.value);
	print_owner("made by", violation->made_by);
	print_owner("ended by", violation->ended_by);
	print_owner("now", violation->caller);
	symbols_backtrace((uintptr_t)__builtin_frame_address(0));
	machine_exit(1);
}

#else

void boot_violation(const struct share_violation *violation)
{
	(void)violation;
}

#endif

void boot_panic(const char *invariant, uint64_t value)
{
	printf("\nstrata: broken invariant: %s (%#" PRIx64 ")\n", invariant, value);
	symbols_backtrace((uintptr_t)__builtin_frame_address(0));
	machine_exit(1);
}
