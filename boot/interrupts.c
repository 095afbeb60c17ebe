/* SPDX-License-Identifier: BSD-3-Clause */
#include "interrupts.h"
#include "gic.h"
#include <aarch64/registers.h>
#include <arch/barrier.h>

/* EL2's physical timer: PPI 10, by Arm's Base System Architecture (DEN0094, "PPI assignments"). */
#define TIMER_INTERRUPT 26

/* CNTHP_CTL_EL2 */
#define TIMER_ENABLE 1

#define MICROSECONDS 1000000
/* The counter may run at 1 GHz and more; a longer wait than this would not fit the product. */
#define TIMER_MICROSECONDS_MAX (UINT64_C(1000) * MICROSECONDS)

static enum boot_gic controller;

bool interrupts_init(const struct boot_info *info)
{
	timer_stop();
	if (register_read(cntfrq_el0) == 0)
		return false;
	if (info->gic == BOOT_GIC_V2)
		gic_v2_init(info->gic_registers[0], info->gic_registers[1], TIMER_INTERRUPT);
	else if (info->gic != BOOT_GIC_V3 ||
		 !gic_v3_init(info->gic_registers[0], info->gic_registers[1], TIMER_INTERRUPT))
		return false;
	controller = info->gic;
	return true;
}

void timer_start(uint64_t microseconds)
{
	if (microseconds > TIMER_MICROSECONDS_MAX)
		microseconds = TIMER_MICROSECONDS_MAX;

	uint64_t ticks = microseconds * register_read(cntfrq_el0) / MICROSECONDS;

	isb(); /* the counter is not read early */

	uint64_t now = register_read(cntpct_el0);

	register_write(cnthp_cval_el2, now + ticks);
	register_write(cnthp_ctl_el2, TIMER_ENABLE);
	isb();
}

void timer_stop(void)
{
	register_write(cnthp_ctl_el2, 0);
	isb();
}

static unsigned int acknowledge(void)
{
	if (controller == BOOT_GIC_V2)
		return gic_v2_acknowledge();
	return controller == BOOT_GIC_V3 ? gic_v3_acknowledge() : GIC_SPURIOUS;
}

bool interrupts_take_timer(void)
{
	unsigned int interrupt = acknowledge();
	bool is_timer = interrupt == TIMER_INTERRUPT;

	if (interrupt >= GIC_SPURIOUS)
		return false;
	if (is_timer)
		timer_stop(); /* the line is level-sensitive: it must fall before the interrupt ends */
	if (controller == BOOT_GIC_V2)
		gic_v2_end(interrupt);
	else
		gic_v3_end(interrupt);
	return is_timer;
}
