/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arm DDI 0183, "PrimeCell UART (PL011)". Baud rate and line format are the firmware's: nothing
 * tells us the clock they derive from.
 */
#include "console.h"
#include "stop.h"
#include <arch/cpu.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define UART_DATA 0x00
#define UART_FLAGS 0x18
#define UART_FLAGS_TRANSMIT_FULL (1u << 5)
#define UART_CONTROL 0x30
#define UART_CONTROL_ENABLE (1u << 0 | 1u << 8) /* UART and transmitter */
#define UART_INTERRUPT_MASK 0x38

static volatile uint32_t *uart_base;

static volatile uint32_t *uart_register(unsigned int offset)
{
	return uart_base + offset / sizeof(*uart_base);
}

static void uart_put(char c)
{
	while (*uart_register(UART_FLAGS) & UART_FLAGS_TRANSMIT_FULL)
		;
	*uart_register(UART_DATA) = (unsigned char)c;
}

/* A longer line is sent in parts. */
#define LINE_BYTES 248

struct line {
	unsigned int used;
	char bytes[LINE_BYTES];
};

/* Each CPU's own. */
static struct line lines[STRATA_MAX_CPUS];

/*
 * The CPU that sends, + 1. By its owner, so that an exception in the middle of a line can be told. Acquire
 * and release keep the characters of two lines apart: the device's registers are reached in program order
 * on each CPU.
 */
static _Atomic unsigned int sender;

static bool sender_become(void)
{
	const unsigned int self = cpu_index() + 1;
	unsigned int nobody = 0;

	if (atomic_load_explicit(&sender, memory_order_relaxed) == self)
		return false;
	while (!atomic_compare_exchange_weak_explicit(&sender, &nobody, self, memory_order_acquire,
						      memory_order_relaxed)) {
		nobody = 0;
		stop_if_asked();
		cpu_relax();
	}
	/* Once more: who ends the run asked before it sent its first line. */
	stop_if_asked();
	return true;
}

void console_release(void)
{
	unsigned int self = cpu_index() + 1;

	atomic_compare_exchange_strong_explicit(&sender, &self, 0, memory_order_release,
						memory_order_relaxed);
}

void console_flush(void)
{
	struct line *line = &lines[cpu_index()];
	const unsigned int used = line->used;

	/* Emptied first: an exception in here prints too. */
	line->used = 0;

	const bool became = sender_become();

	for (unsigned int i = 0; i < used; i++) {
		if (line->bytes[i] == '\n')
			uart_put('\r');
		uart_put(line->bytes[i]);
	}
	if (became)
		console_release();
}

static int console_put(char c, FILE *stream)
{
	struct line *line = &lines[cpu_index()];

	(void)stream;
	line->bytes[line->used++] = c;
	if (c == '\n' || line->used == LINE_BYTES)
		console_flush();
	return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(console_put, NULL, NULL, _FDEV_SETUP_WRITE);

FILE *const stdout = &console;

void console_init(struct iaddr uart)
{
	uart_base = (volatile uint32_t *)(uintptr_t)uart.value;
	*uart_register(UART_INTERRUPT_MASK) = 0;
	*uart_register(UART_CONTROL) |= UART_CONTROL_ENABLE;
}
