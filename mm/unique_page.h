/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <arch/address.h>

/* Frees a UNIQUE page to which nobody has a handle, as unique_frame_drop does. */
void unique_page_drop(struct paddr page);
