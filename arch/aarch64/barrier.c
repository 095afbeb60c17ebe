/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <arch/barrier.h>
#include <arch/observe.h>

void dsb_ishst(void)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	percpu_this()->counters.dsb++;
	OBSERVE(.kind = OBSERVE_DSB_ISHST);
}

void dsb_ish(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
	percpu_this()->counters.dsb++;
	OBSERVE(.kind = OBSERVE_DSB_ISH);
}

void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
	percpu_this()->counters.isb++;
	OBSERVE(.kind = OBSERVE_ISB);
}
