/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run. Whichever CPU comes to it first ends it, and the others stop (stop.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct boot_info;
struct share_violation;

/* Ends the machine with @code: semihosting SYS_EXIT_EXTENDED where "exit=semihosting" is in bootargs
 * (an emulator that can return a code), else PSCI SYSTEM_OFF, else halt. */
_Noreturn void machine_exit(int code);

/* Whether bootargs say that this is an emulator. */
bool machine_is_emulated(void);

/* How machine_exit ends it, from bootargs and the PSCI node. Before, it halts. */
void machine_exit_init(const struct boot_info *info);

/* Says why and halts, or ends the machine with code 1: something start-up cannot go on without. */
_Noreturn void boot_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An invariant is broken: says which one and the @value that contradicts it, and ends the machine
 * with code 1. Fit for struct mm_config. */
void boot_panic(const char *invariant, uint64_t value) __attribute__((noreturn));

/* A handle is not what it should be: says what is wrong with it and whose it was, and ends the machine
 * with code 1. Fit for struct mm_config. */
void boot_violation(const struct share_violation *violation);
