/* SPDX-License-Identifier: BSD-3-Clause */
/* An image that does one thing at EL2, named by "do=" in bootargs. Most of them must end in a dump. */
#include "control.h"
#include "cpus_probe.h"
#include <aarch64/exception.h>
#include <aarch64/registers.h>
#include <arch/barrier.h>
#include <arch/memory.h>
#include <boot_info.h>
#include <exceptions.h>
#include <exit.h>
#include <image.h>
#include <interrupts.h>
#include <inttypes.h>
#include <log.h>
#include <report.h>
#include <stdlib.h>
#include <string.h>
#include <strata/frame.h>

#define EXIT_PROBE 3	/* as the driver expects of do=exit */
#define EXIT_SURVIVED 4 /* what should have ended the run did not */

/* Far more than any delay of the emulator, in timer interrupts waited for and in microseconds. */
#define TIMER_SHOTS 3
#define TIMER_PERIOD 2000

/* CPUs 1 to 3 wait a second each times their number. */
#define WAIT_SECONDS 4

static uint32_t code_in_data[] = { 0xd65f03c0 /* RET */ };
static const uint32_t code_in_rodata[] = { 0xd65f03c0 };

/* Relocated at start-up, constant from then on. */
static const char *const words[] = { "in", "order" };

static int survived(const char *what)
{
	log_error("%s was possible", what);
	return EXIT_SURVIVED;
}

static int report(const struct boot_info *info)
{
	report_entry(info);
	report_memory_map(info);
	report_el2_space(info);
	return 0;
}

static int exit_code(const struct boot_info *info)
{
	(void)info;
	return EXIT_PROBE;
}

static __attribute__((noinline)) int undefined(const struct boot_info *info)
{
	(void)info;
	__asm__ volatile("udf #0x5a");
	return survived("an undefined instruction");
}

static __attribute__((noinline)) int hvc_from_el2(const struct boot_info *info)
{
	(void)info;
	__asm__ volatile("hvc #0" : : : "memory");
	return survived("an HVC of EL2");
}

static int write_text(const struct boot_info *info)
{
	(void)info;
	*(volatile uint32_t *)(uintptr_t)image_address(image_start) = 0;
	return survived("a write to text");
}

static int write_rodata(const struct boot_info *info)
{
	(void)info;
	*(volatile uint32_t *)(uintptr_t)code_in_rodata = 0;
	return survived("a write to rodata");
}

static int write_relro(const struct boot_info *info)
{
	(void)info;
	*(const char *volatile *)(uintptr_t)&words[1] = words[0];
	return survived("a write to relocated constants");
}

static int execute(const uint32_t *code, size_t size)
{
	instruction_cache_sync(code, size);
	((void (*)(void))(uintptr_t)code)();
	return survived("execution outside text");
}

static int execute_data(const struct boot_info *info)
{
	(void)info;
	return execute(code_in_data, sizeof(code_in_data));
}

static int execute_rodata(const struct boot_info *info)
{
	(void)info;
	return execute(code_in_rodata, sizeof(code_in_rodata));
}

/* The last page of RAM: free memory, or the model's. */
static int execute_memory(const struct boot_info *info)
{
	uint64_t page = info->memory[info->memory_count - 1].end.value - PAGE_SIZE;
	uint32_t *code = (uint32_t *)(uintptr_t)page;

	*(volatile uint32_t *)code = code_in_data[0];
	return execute(code, sizeof(*code));
}

static int execute_stack(const struct boot_info *info)
{
	uint32_t code[2];

	(void)info;
	*(volatile uint32_t *)code = code_in_data[0];
	return execute(code, sizeof(code));
}

static int jump(const struct boot_info *info)
{
	(void)info;
	((void (*)(void))(uintptr_t)0x1000)();
	return survived("a jump to nowhere");
}

/* The tree of this test takes a page out of RAM at 0x60000000. */
static __attribute__((noinline)) int read_hole(const struct boot_info *info)
{
	(void)info;
	(void)*(volatile uint8_t *)(uintptr_t)0x60000000;
	return survived("a read of memory that is not ours");
}

static int read_unmapped(const struct boot_info *info)
{
	(void)*(volatile uint8_t *)(uintptr_t)info->memory[info->memory_count - 1].end.value;
	return survived("a read behind memory");
}

static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
	volatile uint64_t frame[64];

	frame[depth % 64] = depth;
	return depth == UINT64_MAX ? 0 : recurse(depth + 1) + frame[depth % 64];
}

static int overflow(const struct boot_info *info)
{
	(void)info;
	return (int)recurse(0);
}

/* The handler of the first exception overflows its own stack, that of the second is the usual one. */
static void recurse_in_handler(const struct exception_frame *frame)
{
	(void)frame;
	exceptions_init();
	recurse(0);
}

static int overflow_emergency(const struct boot_info *info)
{
	exception_handler_set(recurse_in_handler);
	return undefined(info);
}

static __attribute__((noinline)) void smash(volatile char *buffer, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer[i] = 'x';
}

static int smash_frame(const struct boot_info *info)
{
	volatile char buffer[16];

	smash(buffer, sizeof(buffer) + strlen(info->command_line));
	return EXIT_SURVIVED;
}

static int panic(const struct boot_info *info)
{
	(void)info;
	boot_panic("the probe holds nothing", 0x5a);
}

/* A checked build knows by the handle's certificate, any other once it has come to the page's count. */
static int drop_twice(const struct boot_info *info)
{
	frame_t frame;

	(void)info;
	if (frame_alloc(FRAME_UNDEFINED, &frame) != MM_OK)
		return survived("an allocation without memory");
	frame_drop(&frame);
	frame_drop(&frame);
	return survived("a frame dropped twice");
}

static int refuse(const struct boot_info *info)
{
	boot_refuse("asked to by %s", info->command_line);
}

/* The timer ends a wait for an interrupt, again and again, and only it. */
static int timer(const struct boot_info *info)
{
	if (!interrupts_init(info))
		return survived("a start without interrupts");
	if (interrupts_take_timer())
		return survived("a timer interrupt before the timer was started");
	for (int i = 0; i < TIMER_SHOTS; i++) {
		timer_start(TIMER_PERIOD);
		__asm__ volatile("wfi");
		while (!interrupts_take_timer())
			;
		if (interrupts_take_timer())
			return survived("a second interrupt of one shot");
	}
	log_info("the timer fired %d times", TIMER_SHOTS);
	return 0;
}

/* Long enough for a CPU that waits for its turn to see that it has none. */
static int wait(const struct boot_info *info)
{
	static volatile int starts = 1; /* in .data: another start does not begin at 1 again */
	uint64_t now = register_read(cntvct_el0);
	uint64_t end = now + WAIT_SECONDS * register_read(cntfrq_el0);

	(void)info;
	if (starts++ != 1)
		return survived("a second start");
	while (now < end)
		now = register_read(cntvct_el0);
	log_info("nobody came");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct boot_info *info);
} probes[] = {
	{ "report", report },
	{ "control", control },
	{ "wait", wait },
	{ "exit", exit_code },
	{ "undefined", undefined },
	{ "hvc", hvc_from_el2 },
	{ "write-text", write_text },
	{ "write-rodata", write_rodata },
	{ "write-relro", write_relro },
	{ "execute-data", execute_data },
	{ "execute-rodata", execute_rodata },
	{ "execute-memory", execute_memory },
	{ "execute-stack", execute_stack },
	{ "jump", jump },
	{ "read-unmapped", read_unmapped },
	{ "read-hole", read_hole },
	{ "overflow", overflow },
	{ "overflow-emergency", overflow_emergency },
	{ "smash", smash_frame },
	{ "panic", panic },
	{ "drop-twice", drop_twice },
	{ "refuse", refuse },
	{ "timer", timer },
	{ "cpus", cpus_probe },
	{ "cpus-rounds", cpus_rounds },
	{ "cpus-lines", cpus_lines },
	{ "cpus-panic", cpus_panic },
	{ "cpus-overflow", cpus_overflow },
	{ "cpus-late", cpus_late },
};

int image_main(const struct boot_info *info)
{
	char name[32];

	if (!boot_option(info, "do", name, sizeof(name)))
		return report(info);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		if (strcmp(probes[i].name, name) == 0)
			return probes[i].run(info);
	}
	boot_refuse("there is no probe %s", name);
}
