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

/* EL2's own addresses for the image: 2^40 near the end of what the linear map may have. The rest of that
 * 2^47, and KVIRT_RANGE, are for who else uses the table. */
#define BOOT_KVIRT_RANGE irange(iaddr(UINT64_C(126) << 40), iaddr(UINT64_C(127) << 40))

/*
 * Maps the registers in @space, which is EL2's and need not be live yet: info->kvirt,
 * info->uart_registers and info->gic_registers are set. Refuses to go on if there is no memory for that.
 */
void devices_start(struct boot_info *info, struct vm_space *space);
