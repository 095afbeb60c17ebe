/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up found and made, for a person to read. Printed at every level. */
#pragma once

#include "boot_info.h"

/* Exception level, CPU and its features. */
void report_entry(const struct boot_info *info);

/* RAM, what is reserved in it, the image by section, devices. */
void report_memory_map(const struct boot_info *info);

/* EL2's own live table, a line per run of equal attributes. */
void report_el2_space(const struct boot_info *info);
