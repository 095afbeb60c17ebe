/* SPDX-License-Identifier: BSD-3-Clause */
#include "interrupts.h"
#include "barriers.h"
#include "gic.h"
#include "stop.h"
#include <aarch64/registers.h>

/* EL2's physical timer: PPI 10, by Arm's Base System Architecture (DEN0094, "PPI assignments"). */
#define TIMER_INTERRUPT 26

/* CNTHP_CTL_EL2 */
#define TIMER_ENABLE 1

#define MICROSECONDS 1000000
#define DOZE_MICROSECONDS 50
/* The counter may run at 1 GHz and more; a longer wait than this would not fit the product. */
#define TIMER_MICROSECONDS_MAX (UINT64_C(1000) * MICROSECONDS)

/* From one CPU to another, the first of those that software sends. */
#define WAKE_INTERRUPT 0

#define ENABLED_INTERRUPTS (UINT32_C(1) << TIMER_INTERRUPT | UINT32_C(1) << WAKE_INTERRUPT)

/* The boot CPU's, written before any other is started. */
static enum boot_gic controller;
static bool is_started;
static uint64_t frequency;

static bool init_cpu(enum boot_gic gic)
{
	timer_stop();
	if (gic == BOOT_GIC_V2)
		gic_v2_init_cpu(ENABLED_INTERRUPTS);
	return gic == BOOT_GIC_V2 || (gic == BOOT_GIC_V3 && gic_v3_init_cpu(ENABLED_INTERRUPTS));
}

bool interrupts_init(const struct boot_info *info)
{
	if (is_started)
		return controller != BOOT_GIC_NONE;
	is_started = true;
	frequency = register_read(cntfrq_el0);
	if (frequency == 0)
		return false;
	if (info->gic == BOOT_GIC_V2)
		gic_v2_init(info->gic_registers[0], info->gic_registers[1]);
	else if (info->gic == BOOT_GIC_V3)
		gic_v3_init(info->gic_registers[0], info->gic_registers[1]);
	if (!init_cpu(info->gic))
		return false;
	controller = info->gic;
	return true;
}

bool interrupts_init_this_cpu(void)
{
	return controller == BOOT_GIC_NONE || init_cpu(controller);
}

void timer_start(uint64_t microseconds)
{
	if (microseconds > TIMER_MICROSECONDS_MAX)
		microseconds = TIMER_MICROSECONDS_MAX;

	uint64_t ticks = microseconds * frequency / MICROSECONDS;

	device_isb(); /* the counter is not read early */

	uint64_t now = register_read(cntpct_el0);

	register_write(cnthp_cval_el2, now + ticks);
	register_write(cnthp_ctl_el2, TIMER_ENABLE);
	device_isb();
}

void timer_stop(void)
{
	register_write(cnthp_ctl_el2, 0);
	device_isb();
}

static uint32_t acknowledge(void)
{
	if (controller == BOOT_GIC_V2)
		return gic_v2_acknowledge();
	return controller == BOOT_GIC_V3 ? gic_v3_acknowledge() : GIC_SPURIOUS;
}

bool interrupts_take_timer(void)
{
	uint32_t acknowledged = acknowledge();
	uint32_t interrupt = GIC_INTERRUPT(acknowledged);
	bool is_timer = interrupt == TIMER_INTERRUPT;

	if (interrupt >= GIC_SPURIOUS)
		return false;
	if (is_timer)
		timer_stop(); /* the line is level-sensitive: it must fall before the interrupt ends */
	if (controller == BOOT_GIC_V2)
		gic_v2_end(acknowledged);
	else
		gic_v3_end(acknowledged);
	return is_timer;
}

void interrupts_wake(unsigned int cpu)
{
	if (controller == BOOT_GIC_V2)
		gic_v2_send(WAKE_INTERRUPT, cpu);
	else if (controller == BOOT_GIC_V3)
		gic_v3_send(WAKE_INTERRUPT, cpu);
	else /* the DSB: who wakes sees what was stored before */
		__asm__ volatile("dsb ishst\n\tsev" : : : "memory");
}

/* An interrupt that is masked wakes all the same, and one that comes before WFI stays pending: so does an
 * event before WFE. */
void interrupts_wait(void)
{
	if (controller == BOOT_GIC_NONE) {
		__asm__ volatile("wfe" : : : "memory");
		return;
	}
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
	interrupts_take_timer();
}

/*
 * The timer may run for a guest's slice: it is given back as it was, and if it has fired, so it will again.
 * Whoever waits may be an observer, but not in the middle of taking an interrupt: while the timer's is active
 * there is nothing to end WFI.
 */
void interrupts_doze(void)
{
	const uint64_t control = register_read(cnthp_ctl_el2);
	const uint64_t value = register_read(cnthp_cval_el2);
	const uint64_t ticks = DOZE_MICROSECONDS * frequency / MICROSECONDS;

	stop_if_asked();
	if (controller == BOOT_GIC_NONE)
		return;
	register_write(cnthp_cval_el2, register_read(cntpct_el0) + ticks);
	register_write(cnthp_ctl_el2, TIMER_ENABLE);
	device_isb();
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
	register_write(cnthp_cval_el2, value);
	register_write(cnthp_ctl_el2, control & TIMER_ENABLE);
	device_isb();
}
