/* SPDX-License-Identifier: BSD-3-Clause */
/* From the first line of C to the image's purpose. */
#include "boot_info.h"
#include "boot_table.h"
#include "console.h"
#include "cpus.h"
#include "device_tree.h"
#include "el2_space.h"
#include "exceptions.h"
#include "exit.h"
#include "image.h"
#include "log.h"
#include "memory_map.h"
#include "model_pool.h"
#include <aarch64/registers.h>
#include <aarch64/vcpu.h>
#include <arch/canary.h>
#include <arch/features.h>
#include <arch/observe.h>
#include <inttypes.h>
#include <string.h>

/* The boot protocol's limit ("Booting AArch64 Linux", 2. Setup the device tree). */
#define DEVICE_TREE_SIZE_MAX (UINT64_C(2) << 20)

void boot_main(uint64_t device_tree, uint64_t early_uart);

static struct boot_info info;
static struct boot_error error;

static void map(struct prange range, enum boot_mapping mapping)
{
	if (!boot_table_map(range, mapping))
		boot_refuse("the memory map has too many odd edges for the boot table");
}

static void read_device_tree(uint64_t address)
{
	const void *blob = (const void *)(uintptr_t)address;

	if (address == 0 || address % 8 != 0 || address >= UINT64_C(1) << ADDRESS_BITS_MAX)
		boot_refuse("x0 = 0x%" PRIx64 " is not the address of a device tree", address);

	uint64_t size = device_tree_size(blob);

	if (size == 0)
		boot_refuse("there is no device tree at x0 = 0x%" PRIx64, address);
	if (size > DEVICE_TREE_SIZE_MAX)
		boot_refuse("the device tree at 0x%" PRIx64 " says it has %" PRIu64 " bytes",
			    address, size);
	map(prange(paddr(address), paddr(address + size)), BOOT_MAP_DATA);

	bool parsed = device_tree_parse(blob, size, &info, &error);

	machine_exit_init(&info);
	if (!parsed)
		boot_refuse("%s", error.text);
	info.device_tree = paddr(address);
	info.device_tree_size = size;
}

static void set_log_level(void)
{
	char name[16];
	enum log_level level;

	if (!boot_option(&info, "log", name, sizeof(name)))
		return;
	if (log_level_parse(name, &level))
		log_set_level(level);
	else
		log_warning("log=%s is not error, warning, info or debug", name);
}

#if STRATA_CANARIES

static void choose_canary(void)
{
	char name[64];

	if (boot_option(&info, "canary", name, sizeof(name)) && !canary_choose(name))
		boot_refuse("canary=%s is no canary", name);
}

#endif

static void add_section(const char *name, const char *access, const char *start, const char *end)
{
	info.sections[info.section_count++] =
		(struct boot_section){ image_range(start, end), name, access };
}

static void describe_image(void)
{
	add_section("text", "r-x", image_start, text_end);
	add_section("rodata", "r--", text_end, rodata_end);
	add_section("relro", "r--", rodata_end, relro_end);
	add_section("data", "rw-", relro_end, data_end);
	add_section("per-CPU state and emergency stacks", "rw-", data_end, percpu_end);
	add_section("bss", "rw-", percpu_end, bss_end);
	add_section("stacks", "rw-", bss_end, image_end);
}

static void check_memory_map(void)
{
	if (!memory_map_complete(&info, image_range(image_start, image_end),
				 arch_features()->pa_bits, &error))
		boot_refuse("%s", error.text);
#if STRATA_CHECKED
	if (!model_pool_place(&info, &error))
		boot_refuse("%s", error.text);
#endif
}

/* Only a map that was checked says where the console is. */
static void start_console(void)
{
	map(page_range(info.uart), BOOT_MAP_DEVICE);
	console_init(iaddr(info.uart.value));
}

static void log_event(const char *event, uint64_t value)
{
	log_debug("%s: %" PRIu64, event, value);
}

#if STRATA_CHECKED

#define DAIF_I (UINT64_C(1) << 7)

/* No CPU has threads: as long as interrupts stay masked nothing comes in between what it does. Lists and
 * memory are used by one CPU at a time. */
static void assert_held(enum mm_held what, const void *object)
{
	(void)object;
	if (!(register_read(daif) & DAIF_I))
		boot_panic("EL2 runs with interrupts masked", what);
}

#endif

static void start_memory(void)
{
	for (size_t i = 0; i < info.memory_count; i++)
		map(info.memory[i], BOOT_MAP_DATA);

	struct mm_config config = {
		.memory = info.memory,
		.memory_count = info.memory_count,
		.reservations = info.reservations,
		.reservation_count = info.reserved_count,
		.linear_offset = 0,
		.panic = boot_panic,
		.violation = boot_violation,
		.log = log_event,
#if STRATA_CHECKED
		.assert_held = assert_held,
#endif
	};
	enum mm_status status = mm_init(&config);

	if (status != MM_OK)
		boot_refuse("the memory subsystem does not start: %s", mm_status_name(status));
}

/* Start-up is over. The counter began when the machine did, or firmware set it. */
static void report_ready(void)
{
	uint64_t count = register_read(cntpct_el0);
	uint64_t frequency = register_read(cntfrq_el0);

	if (frequency != 0)
		log_debug("ready at %" PRIu64 ".%06" PRIu64 " s of the system counter",
			  count / frequency, count % frequency * 1000000 / frequency);
}

/* Called by start.S, on the boot stack, MMU and caches on, VA = PA. */
void boot_main(uint64_t device_tree, uint64_t early_uart)
{
	console_init(iaddr(early_uart));
	exceptions_init();
	read_device_tree(device_tree);
	info.exception_level = (unsigned int)(register_read(CurrentEL) >> 2);
	describe_image();
	check_memory_map();
	start_console();
	set_log_level();
#if STRATA_CANARIES
	choose_canary();
#endif
	start_memory();
	image_prepare(&info);
	el2_space_start(&info);
	vcpu_host_init();
	cpus_start(&info);
	report_ready();
	machine_exit(image_main(&info));
}
