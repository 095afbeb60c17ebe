/* SPDX-License-Identifier: BSD-3-Clause */
/* What -fstack-protector-strong asks of the image, and libfdt as it is packaged. */
#include "stack_protector.h"
#include "exit.h"
#include <stdint.h>

/* The compiler's names. */
extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

uintptr_t __stack_chk_guard;

/* The counter is all that differs between two boots at this point. Its bits are spread by an odd
 * constant (2^64 divided by the golden ratio); the zero byte stops a string from reading past. */
__attribute__((no_stack_protector)) void stack_protector_seed(void)
{
	uint64_t count;

	__asm__ volatile("mrs %0, cntpct_el0" : "=r"(count));
	__stack_chk_guard = (count * UINT64_C(0x9e3779b97f4a7c15)) & ~UINT64_C(0xff);
}

void __stack_chk_fail(void)
{
	boot_panic("a function returns through the frame it was called with",
		   (uint64_t)(uintptr_t)__builtin_return_address(0));
}
