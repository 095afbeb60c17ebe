/* SPDX-License-Identifier: BSD-3-Clause */
#include "exit.h"
#include "boot_info.h"
#include "console.h"
#include "psci.h"
#include "stop.h"
#include "symbols.h"
#include <arch/cpu.h>
#include <strata/share.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Semihosting for AArch32 and AArch64, SYS_EXIT_EXTENDED. */
#define SEMIHOSTING_EXIT_EXTENDED 0x20
#define SEMIHOSTING_APPLICATION_EXIT 0x20026

static enum {
	EXIT_HALT,
	EXIT_SEMIHOSTING,
	EXIT_PSCI,
} exit_method;

static enum boot_psci psci_conduit;
static uint32_t psci_system_off_number;

void machine_exit_init(const struct boot_info *info)
{
	char value[16];

	psci_conduit = info->psci;
	psci_system_off_number = info->psci_system_off;
	if (boot_option(info, "exit", value, sizeof(value)) && strcmp(value, "semihosting") == 0)
		exit_method = EXIT_SEMIHOSTING;
	else
		exit_method = info->psci_system_off != 0 ? EXIT_PSCI : EXIT_HALT;
}

bool machine_is_emulated(void)
{
	return exit_method == EXIT_SEMIHOSTING;
}

static void semihosting_exit(int code)
{
	uint64_t block[2] = { SEMIHOSTING_APPLICATION_EXIT, (uint64_t)code };
	register uint64_t operation __asm__("x0") = SEMIHOSTING_EXIT_EXTENDED;
	register uint64_t argument __asm__("x1") = (uintptr_t)block;

	__asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}

void machine_exit(int code)
{
	stop_others();
	console_flush();

	/* A method that does not work ends in an exception, and that comes here again: try it once. */
	int method = exit_method;

	exit_method = EXIT_HALT;
	if (method == EXIT_SEMIHOSTING)
		semihosting_exit(code);
	else if (method == EXIT_PSCI)
		psci_system_off(psci_conduit, psci_system_off_number);
	for (;;)
		__asm__ volatile("msr daifset, #0xf\n\twfe");
}

void boot_refuse(const char *format, ...)
{
	va_list arguments;

	stop_others();
	printf("\nstrata: cannot start: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	machine_exit(1);
}

static void print_place(uint64_t frame)
{
	printf("  on CPU %u\n", cpu_index());
	symbols_backtrace(frame);
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
	stop_others();
	printf("\nstrata: broken invariant: %s (%s %#" PRIx64 "-%#" PRIx64 ")\n",
	       share_violation_name(violation->sort), share_kind_name(violation->kind),
	       violation->pages.start.value, violation->pages.end.value);
	print_owner("made by", violation->made_by);
	print_owner("ended by", violation->ended_by);
	print_owner("now", violation->caller);
	print_place((uintptr_t)__builtin_frame_address(0));
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
	stop_others();
	printf("\nstrata: broken invariant: %s (%#" PRIx64 ")\n", invariant, value);
	print_place((uintptr_t)__builtin_frame_address(0));
	machine_exit(1);
}
