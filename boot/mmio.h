/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers of devices, at the addresses of EL2 that they are mapped at. */
#pragma once

#include <arch/address.h>
#include <stdint.h>

static inline volatile uint32_t *mmio_register(struct iaddr base, uint64_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(base.value + offset);
}

static inline uint32_t mmio_read(struct iaddr base, uint64_t offset)
{
	return *mmio_register(base, offset);
}

static inline void mmio_write(struct iaddr base, uint64_t offset, uint32_t value)
{
	*mmio_register(base, offset) = value;
}

/* For registers of which each byte is a field of its own. */
static inline void mmio_write_byte(struct iaddr base, uint64_t offset, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)(base.value + offset) = value;
}
