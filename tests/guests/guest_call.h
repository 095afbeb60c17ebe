/* SPDX-License-Identifier: BSD-3-Clause */
/* The hypercall, from the guest's side. */
#pragma once

#include <stdint.h>
#include "monitor/guest_calls.h"

/* HVC #@number; returns x0. @number is a constant. */
#define guest_call(number, first, second, third)                                                   \
	guest_call_registers((number), (uint64_t)(first), (uint64_t)(second), (uint64_t)(third))

static inline __attribute__((always_inline)) uint64_t
guest_call_registers(const unsigned int number, uint64_t first, uint64_t second, uint64_t third)
{
	register uint64_t x0 __asm__("x0") = first;
	register uint64_t x1 __asm__("x1") = second;
	register uint64_t x2 __asm__("x2") = third;

	__asm__ volatile("hvc %1" : "+r"(x0) : "i"(number), "r"(x1), "r"(x2) : "memory");
	return x0;
}
