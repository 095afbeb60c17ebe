/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices.h"
#include "exit.h"
#include <inttypes.h>
#include <strata/io_mem.h>
#include <strata/kvirt_area.h>

/* Handles that nobody drops. */
static struct io_mem uart;
static struct io_mem gic[2];

/* What the device tree says need not be whole pages. */
static struct irange map(struct boot_info *info, struct prange registers, struct io_mem *out)
{
	const struct prange pages = prange(paddr(page_align_down(registers.start.value)),
					   paddr(page_align_up(registers.end.value)));
	enum mm_status status = io_mem_new(info->kvirt, pages, out);

	if (status != MM_OK)
		boot_refuse("mapping a device, 0x%" PRIx64 " to 0x%" PRIx64 ": %s",
			    registers.start.value, registers.end.value, mm_status_name(status));

	uint64_t start = io_mem_address(out).value + registers.start.value - pages.start.value;

	return irange(iaddr(start), iaddr(start + prange_size(registers)));
}

void devices_start(struct boot_info *info, struct vm_space *space)
{
	const struct prange console = page_range(info->uart);
	enum mm_status status = kvirt_space_new(space, BOOT_KVIRT_RANGE, &info->kvirt);

	if (status != MM_OK)
		boot_refuse("EL2's own addresses: %s", mm_status_name(status));
	info->uart_registers = map(info, console, &uart);
	if (info->gic == BOOT_GIC_NONE)
		return;
	for (unsigned int i = 0; i < 2; i++)
		info->gic_registers[i] = map(info, info->gic_regions[i], &gic[i]);
}
