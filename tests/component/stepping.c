/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* REG_EFL */
#include "stepping.h"
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#define TRAP_FLAG INT64_C(0x100)

static bool (*called)(void *context);
static void *with;

/* Once because it is raised, then after each instruction. The flag is that of the interrupted code. */
static void on_trap(int number, siginfo_t *info, void *interrupted)
{
	greg_t *flags = &((ucontext_t *)interrupted)->uc_mcontext.gregs[REG_EFL];

	(void)number;
	(void)info;
	if (called(with))
		*flags |= TRAP_FLAG;
	else
		*flags &= ~TRAP_FLAG;
}

static bool nothing(void *context)
{
	(void)context;
	return false;
}

void step_through(void (*operation)(void *context), bool (*between)(void *context), void *context)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sigaction before;

	called = between;
	with = context;
	sigaction(SIGTRAP, &action, &before);
	raise(SIGTRAP);
	operation(context);
	called = nothing;
	/* Whether it still steps or not: the flag is off after this. */
	raise(SIGTRAP);
	sigaction(SIGTRAP, &before, NULL);
}
