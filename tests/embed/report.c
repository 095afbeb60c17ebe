/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"
#include "layout.h"

/* Arm DDI 0183, "PrimeCell UART (PL011)". QEMU's transmits at once. */
#define UART_DATA 0x00
#define UART_FLAGS 0x18
#define UART_FLAGS_TRANSMIT_FULL (1u << 5)

/* Semihosting for AArch32 and AArch64, SYS_EXIT. */
#define SEMIHOSTING_EXIT 0x18
#define SEMIHOSTING_APPLICATION_EXIT 0x20026

static unsigned int points;
static unsigned int failed;

static volatile uint32_t *uart_register(unsigned int offset)
{
	return (volatile uint32_t *)(uintptr_t)(UART_START + offset);
}

static void put(const char *text)
{
	for (; *text != '\0'; text++) {
		while (*uart_register(UART_FLAGS) & UART_FLAGS_TRANSMIT_FULL)
			;
		*uart_register(UART_DATA) = (unsigned char)*text;
	}
}

static void put_number(uint64_t value, unsigned int base)
{
	char digits[21];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		*--first = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	put(first);
}

static void __attribute__((noreturn)) leave(uint64_t code)
{
	uint64_t block[2] = { SEMIHOSTING_APPLICATION_EXIT, code };
	register uint64_t operation __asm__("x0") = SEMIHOSTING_EXIT;
	register uint64_t argument __asm__("x1") = (uintptr_t)block;

	__asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
	for (;;)
		__asm__ volatile("wfe");
}

bool check(bool holds, const char *claim)
{
	points++;
	failed += !holds;
	put(holds ? "ok " : "not ok ");
	put_number(points, 10);
	put(" - ");
	put(claim);
	put("\n");
	return holds;
}

void comment(const char *text, uint64_t value)
{
	put("# library: ");
	put(text);
	put(", ");
	put_number(value, 10);
	put("\n");
}

void finish(void)
{
	put("1..");
	put_number(points, 10);
	put("\n");
	leave(failed != 0);
}

void bail_out(const char *reason, uint64_t value)
{
	put("Bail out! ");
	put(reason);
	put(" (0x");
	put_number(value, 16);
	put(")\n");
	leave(2);
}
