/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run. */
#pragma once

/* Ends the machine with @code: semihosting SYS_EXIT_EXTENDED where "exit=semihosting" is in bootargs
 * (an emulator that can return a code), else PSCI SYSTEM_OFF, else halt. */
_Noreturn void machine_exit(int code);

/* Says why and halts, or ends the machine with code 1: something start-up cannot go on without. */
_Noreturn void boot_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
