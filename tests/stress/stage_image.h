/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of stress in an image. */
#pragma once

#include "boot_info.h"
#include "stress.h"

/* Takes the memory that worlds are made of. False, and that is said: there is not so much. */
bool stage_prepare(const struct boot_info *info);
