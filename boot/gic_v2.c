/* SPDX-License-Identifier: BSD-3-Clause */
/* Arm Generic Interrupt Controller, architecture version 2.0 (IHI 0048). */
#include "barriers.h"
#include "gic.h"
#include "mmio.h"
#include <arch/cpu.h>
#include <stdatomic.h>

#define GICD_CTLR 0x000
#define GICD_CTLR_ENABLE 1 /* Group 1 as Non-secure software sees it, else Group 0 */
#define GICD_TYPER 0x004
#define GICD_TYPER_LINES(typer) ((typer)&0x1f) /* 32 interrupts each, less one */
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICPENDR 0x280
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_SGIR 0xf00
#define GICD_SGIR_TARGETS 16
#define GICD_CPENDSGIR 0xf10

#define GICC_CTLR 0x00
#define GICC_CTLR_ENABLE 1
#define GICC_PMR 0x04
#define GICC_PMR_ALL 0xff
#define GICC_BPR 0x08
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10

#define PRIORITY 0xa0
#define SENT_INTERRUPTS 16
#define PRIVATE_INTERRUPTS 32

static struct iaddr distributor;
static struct iaddr cpu_interface;

/* Of each CPU, its bit as an interrupt's target: by index, written by itself. */
static _Atomic uint8_t targets[STRATA_MAX_CPUS];

void gic_v2_init(struct irange distributor_registers, struct irange cpu_interface_registers)
{
	distributor = distributor_registers.start;
	cpu_interface = cpu_interface_registers.start;
	mmio_write(distributor, GICD_CTLR, 0);
	for (uint32_t i = 1; i <= GICD_TYPER_LINES(mmio_read(distributor, GICD_TYPER)); i++)
		mmio_write(distributor, GICD_ICENABLER + i * 4, UINT32_MAX);
	mmio_write(distributor, GICD_CTLR, GICD_CTLR_ENABLE);
}

/* What the distributor has of private interrupts it has for each CPU. */
void gic_v2_init_cpu(uint32_t enabled)
{
	mmio_write(cpu_interface, GICC_CTLR, 0);
	mmio_write(distributor, GICD_ICENABLER, UINT32_MAX);
	mmio_write(distributor, GICD_ICPENDR, UINT32_MAX);
	for (unsigned int i = 0; i < SENT_INTERRUPTS; i += 4)
		mmio_write(distributor, GICD_CPENDSGIR + i, UINT32_MAX);
	mmio_write(distributor, GICD_ICACTIVER, UINT32_MAX);
	for (unsigned int i = 0; i < PRIVATE_INTERRUPTS; i++)
		mmio_write_byte(distributor, GICD_IPRIORITYR + i, PRIORITY);
	mmio_write(distributor, GICD_ISENABLER, enabled);
	/* A private interrupt's target is who reads it; with one CPU there is none, and nobody sends.
	 * Relaxed: a CPU is sent to once it has said that it is up. */
	atomic_store_explicit(&targets[cpu_index()], mmio_read(distributor, GICD_ITARGETSR) & 0xff,
			      memory_order_relaxed);

	mmio_write(cpu_interface, GICC_PMR, GICC_PMR_ALL);
	mmio_write(cpu_interface, GICC_BPR, 0);
	mmio_write(cpu_interface, GICC_CTLR, GICC_CTLR_ENABLE);
}

void gic_v2_send(unsigned int interrupt, unsigned int cpu)
{
	const uint32_t target = atomic_load_explicit(&targets[cpu], memory_order_relaxed);

	device_dsb();
	mmio_write(distributor, GICD_SGIR, target << GICD_SGIR_TARGETS | interrupt);
}

uint32_t gic_v2_acknowledge(void)
{
	return mmio_read(cpu_interface, GICC_IAR);
}

void gic_v2_end(uint32_t acknowledged)
{
	mmio_write(cpu_interface, GICC_EOIR, acknowledged);
}
