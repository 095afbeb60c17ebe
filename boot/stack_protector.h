/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Sets the value that guards stack frames. The caller's own frame must not be guarded: start.S. */
void stack_protector_seed(void);
