/* SPDX-License-Identifier: BSD-3-Clause */
/* Arm Generic Interrupt Controller, architecture version 2.0 (IHI 0048). */
#include "gic.h"
#include "mmio.h"

#define GICD_CTLR 0x000
#define GICD_CTLR_ENABLE 1 /* Group 1 as Non-secure software sees it, else Group 0 */
#define GICD_TYPER 0x004
#define GICD_TYPER_LINES(typer) ((typer)&0x1f) /* 32 interrupts each, less one */
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICPENDR 0x280
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400

#define GICC_CTLR 0x00
#define GICC_CTLR_ENABLE 1
#define GICC_PMR 0x04
#define GICC_PMR_ALL 0xff
#define GICC_BPR 0x08
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10
#define IAR_INTERRUPT 0x3ff

#define PRIORITY 0xa0

static struct iaddr cpu;

void gic_v2_init(struct irange distributor, struct irange cpu_interface, unsigned int interrupt)
{
	struct iaddr base = distributor.start;

	cpu = cpu_interface.start;
	mmio_write(cpu, GICC_CTLR, 0);
	mmio_write(base, GICD_CTLR, 0);
	for (uint32_t i = 0; i <= GICD_TYPER_LINES(mmio_read(base, GICD_TYPER)); i++)
		mmio_write(base, GICD_ICENABLER + i * 4, UINT32_MAX);
	mmio_write(base, GICD_ICPENDR, UINT32_MAX);
	mmio_write(base, GICD_ICACTIVER, UINT32_MAX);
	mmio_write_byte(base, GICD_IPRIORITYR + interrupt, PRIORITY);
	mmio_write(base, GICD_ISENABLER, UINT32_C(1) << interrupt);
	mmio_write(base, GICD_CTLR, GICD_CTLR_ENABLE);

	mmio_write(cpu, GICC_PMR, GICC_PMR_ALL);
	mmio_write(cpu, GICC_BPR, 0);
	mmio_write(cpu, GICC_CTLR, GICC_CTLR_ENABLE);
}

unsigned int gic_v2_acknowledge(void)
{
	return mmio_read(cpu, GICC_IAR) & IAR_INTERRUPT;
}

void gic_v2_end(unsigned int interrupt)
{
	mmio_write(cpu, GICC_EOIR, interrupt);
}
