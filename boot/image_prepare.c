/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot_info.h"

/* What an image does that has nothing to prepare. */
__attribute__((weak)) void image_prepare(const struct boot_info *info)
{
	(void)info;
}
