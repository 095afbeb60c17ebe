/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot_error.h"
#include <stdarg.h>
#include <stdio.h>

bool boot_error(struct boot_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return false;
}
