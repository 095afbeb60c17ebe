/* SPDX-License-Identifier: BSD-3-Clause */
/* Why start-up cannot use what it was given: one line for a person, without "\n". */
#pragma once

#include <stdbool.h>

struct boot_error {
	char text[192];
};

/* Sets the text, cut to what fits. Always false, for "return boot_error(...)". */
bool boot_error(struct boot_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
