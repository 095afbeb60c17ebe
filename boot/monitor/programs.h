/* SPDX-License-Identifier: BSD-3-Clause */
/* The guests' programs, as they lie in the image. */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const uint8_t guest_crc_start[], guest_crc_end[];
extern const uint8_t guest_probe_start[], guest_probe_end[];

/* Bytes. */
static inline size_t guest_crc_size(void)
{
	return (size_t)(guest_crc_end - guest_crc_start);
}

static inline size_t guest_probe_size(void)
{
	return (size_t)(guest_probe_end - guest_probe_start);
}
