/* SPDX-License-Identifier: BSD-3-Clause */
/* Arm Generic Interrupt Controller, architecture versions 3 and 4 (IHI 0069). */
#include "barriers.h"
#include "gic.h"
#include "mmio.h"
#include <aarch64/registers.h>
#include <aarch64/trap_controls.h>
#include <arch/cpu.h>
#include <stdatomic.h>

#define GICD_CTLR 0x0000
#define GICD_CTLR_ENABLE (1u << 0 | 1u << 1) /* Group 1, under either Security view */
#define GICD_CTLR_ARE (1u << 4)
#define GICD_CTLR_RWP (1u << 31)
#define GICD_TYPER 0x0004
#define GICD_TYPER_LINES(typer) ((typer)&0x1f) /* 32 interrupts each, less one */
#define GICD_ICENABLER 0x0180

#define GICR_CTLR 0x0000
#define GICR_CTLR_RWP (1u << 3)
#define GICR_TYPER 0x0008 /* 64 bits */
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_LAST (1u << 4)
#define GICR_WAKER 0x0014
#define GICR_WAKER_PROCESSOR_SLEEP (1u << 1)
#define GICR_WAKER_CHILDREN_ASLEEP (1u << 2)
/* The second frame of a redistributor has what the distributor has for other interrupts. */
#define GICR_SGI_FRAME 0x10000
#define GICR_IGROUPR0 0x0080
#define GICR_ISENABLER0 0x0100
#define GICR_ICENABLER0 0x0180
#define GICR_ICPENDR0 0x0280
#define GICR_ICACTIVER0 0x0380
#define GICR_IPRIORITYR 0x0400
#define GICR_IGRPMODR0 0x0d00
#define GICR_SIZE 0x20000
#define GICR_SIZE_WITH_VLPIS 0x40000

/* System registers, by encoding: an Armv8.0 assembler does not know them. */
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define SGI1R_INTERRUPT 24
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define IAR_INTERRUPT 0xffffff
#define PRIORITY_ALL 0xff

#define PRIORITY 0xa0
#define PRIVATE_INTERRUPTS 32

static struct irange redistributors;

/* Of each CPU: by index, written by itself. */
static _Atomic uint32_t affinities[STRATA_MAX_CPUS];

static bool system_registers(void)
{
	return FIELD_GET(ID_AA64PFR0_EL1_GIC, register_read(id_aa64pfr0_el1)) != 0 &&
	       (register_read(REGISTER_ICC_SRE_EL2) & ICC_SRE_EL2_SRE);
}

/* MPIDR_EL1's affinity in the order of GICR_TYPER: Aff3.Aff2.Aff1.Aff0. */
static uint32_t own_affinity(void)
{
	uint64_t mpidr = register_read(mpidr_el1);

	return (uint32_t)(mpidr >> 32 << 24 | (mpidr & 0xffffff));
}

static bool find_redistributor(struct iaddr *out)
{
	struct iaddr frame = redistributors.start;
	uint32_t type;

	while (redistributors.end.value - frame.value >= GICR_SIZE) {
		type = mmio_read(frame, GICR_TYPER);
		if (mmio_read(frame, GICR_TYPER + 4) == own_affinity()) {
			*out = frame;
			return true;
		}
		if (type & GICR_TYPER_LAST)
			return false;

		uint64_t size = type & GICR_TYPER_VLPIS ? GICR_SIZE_WITH_VLPIS : GICR_SIZE;

		if (redistributors.end.value - frame.value < size)
			return false;
		frame.value += size;
	}
	return false;
}

static void wait_while(struct iaddr base, uint64_t offset, uint32_t bit)
{
	while (mmio_read(base, offset) & bit)
		;
}

void gic_v3_init(struct irange distributor, struct irange redistributor_registers)
{
	const struct iaddr base = distributor.start;

	redistributors = redistributor_registers;
	mmio_write(base, GICD_CTLR, 0);
	wait_while(base, GICD_CTLR, GICD_CTLR_RWP);
	mmio_write(base, GICD_CTLR, GICD_CTLR_ARE);
	wait_while(base, GICD_CTLR, GICD_CTLR_RWP);
	for (uint32_t i = 1; i <= GICD_TYPER_LINES(mmio_read(base, GICD_TYPER)); i++)
		mmio_write(base, GICD_ICENABLER + i * 4, UINT32_MAX);
	wait_while(base, GICD_CTLR, GICD_CTLR_RWP);
	mmio_write(base, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_ENABLE);
	wait_while(base, GICD_CTLR, GICD_CTLR_RWP);
}

static void redistributor_init(struct iaddr base, uint32_t enabled)
{
	struct iaddr sgi = iaddr(base.value + GICR_SGI_FRAME);

	mmio_write(base, GICR_WAKER, mmio_read(base, GICR_WAKER) & ~GICR_WAKER_PROCESSOR_SLEEP);
	wait_while(base, GICR_WAKER, GICR_WAKER_CHILDREN_ASLEEP);
	mmio_write(sgi, GICR_ICENABLER0, UINT32_MAX);
	wait_while(base, GICR_CTLR, GICR_CTLR_RWP);
	mmio_write(sgi, GICR_ICPENDR0, UINT32_MAX);
	mmio_write(sgi, GICR_ICACTIVER0, UINT32_MAX);
	mmio_write(sgi, GICR_IGROUPR0, UINT32_MAX);
	mmio_write(sgi, GICR_IGRPMODR0, 0);
	for (unsigned int i = 0; i < PRIVATE_INTERRUPTS; i++)
		mmio_write_byte(sgi, GICR_IPRIORITYR + i, PRIORITY);
	mmio_write(sgi, GICR_ISENABLER0, enabled);
}

bool gic_v3_init_cpu(uint32_t enabled)
{
	struct iaddr redistributor;

	if (!system_registers() || !find_redistributor(&redistributor))
		return false;

	register_write(ICC_IGRPEN1_EL1, 0);
	redistributor_init(redistributor, enabled);
	register_write(ICC_PMR_EL1, PRIORITY_ALL);
	register_write(ICC_BPR1_EL1, 0);
	register_write(ICC_CTLR_EL1, 0); /* ending an interrupt also deactivates it */
	register_write(ICC_IGRPEN1_EL1, 1);
	device_isb();
	/* Relaxed: a CPU is sent to once it has said that it is up. */
	atomic_store_explicit(&affinities[cpu_index()], own_affinity(), memory_order_relaxed);
	return true;
}

/* Aff3.Aff2.Aff1 name a cluster; of sixteen CPUs of it (RS), one bit is this one. */
static uint64_t sgi_target(uint32_t affinity)
{
	const uint64_t aff0 = affinity & 0xff, aff1 = affinity >> 8 & 0xff;
	const uint64_t aff2 = affinity >> 16 & 0xff, aff3 = affinity >> 24;

	return aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | aff1 << 16 | UINT64_C(1) << aff0 % 16;
}

void gic_v3_send(unsigned int interrupt, unsigned int cpu)
{
	const uint32_t affinity = atomic_load_explicit(&affinities[cpu], memory_order_relaxed);

	device_dsb();
	register_write(ICC_SGI1R_EL1,
		       sgi_target(affinity) | (uint64_t)interrupt << SGI1R_INTERRUPT);
	device_isb();
}

uint32_t gic_v3_acknowledge(void)
{
	uint32_t interrupt = (uint32_t)(register_read(ICC_IAR1_EL1) & IAR_INTERRUPT);

	device_dsb(); /* the acknowledge is seen by the redistributor before what follows */
	return interrupt;
}

void gic_v3_end(uint32_t acknowledged)
{
	register_write(ICC_EOIR1_EL1, acknowledged);
	device_isb();
}
