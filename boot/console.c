/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arm DDI 0183, "PrimeCell UART (PL011)". Baud rate and line format are the firmware's: nothing
 * tells us the clock they derive from.
 */
#include "console.h"
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

static int console_put(char c, FILE *stream)
{
	(void)stream;
	if (c == '\n')
		uart_put('\r');
	uart_put(c);
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
