/* SPDX-License-Identifier: BSD-3-Clause */
/* What the image says while it works, by importance; the level is set by "log=LEVEL" in bootargs. */
#pragma once

#include <stdbool.h>

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

void log_set_level(enum log_level level);

/* The level called "error", "warning", "info" or "debug"; false for any other name. */
bool log_level_parse(const char *name, enum log_level *level);

/* Prints a line, without "\n" in @format, if @level is at or below the one set. All but LOG_INFO
 * begin with the level's name. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
