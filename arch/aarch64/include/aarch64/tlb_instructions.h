/* SPDX-License-Identifier: BSD-3-Clause */
/* The range forms of TLBI by their encodings: Armv8.4 instructions, assembled as Armv8.0. For C, by
 * TLB_INSTRUCTION_TEXT, and assembly. */
#pragma once

/* clang-format off */
#define TLBI_RVAE2IS sys #4, c8, c2, #1
#define TLBI_RVALE2IS sys #4, c8, c2, #5
#define TLBI_RIPAS2E1IS sys #4, c8, c0, #2
#define TLBI_RIPAS2LE1IS sys #4, c8, c0, #6
/* clang-format on */

#define TLB_INSTRUCTION_TEXT_(...) #__VA_ARGS__
#define TLB_INSTRUCTION_TEXT(...) TLB_INSTRUCTION_TEXT_(__VA_ARGS__)
