/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef STRATA_LOG_LEVEL
#define STRATA_LOG_LEVEL LOG_INFO
#endif

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static enum log_level log_level = STRATA_LOG_LEVEL;

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	if (level > log_level)
		return;
	if (level != LOG_INFO)
		printf("%s: ", level_names[level]);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}
