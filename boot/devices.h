/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers that EL2 uses, the console's and the interrupt controller's, as io_mem
 * (strata/io_mem.h).
 *
 * Invariant: once EL2 runs on its own table each of them is mapped once, between guard pages, until the
 * machine ends: whoever panics can print. No device is mapped at its physical address.
 */
#pragma once

#include "boot_info.h"

/* EL2's own addresses for the image: the highest 2^40. Images for tests have those below. */
#define BOOT_KVIRT_RANGE irange(iaddr(UINT64_C(255) << 40), iaddr(UINT64_C(256) << 40))

/*
 * Maps the registers in @space, which is EL2's and need not be live yet: info->kvirt,
 * info->uart_registers and info->gic_registers are set. Refuses to go on if there is no memory for that.
 */
void devices_start(struct boot_info *info, struct vm_space *space);
