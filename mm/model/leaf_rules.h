/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a block or page descriptor says (Arm ARM D8.3.1, "VMSAv8-64 descriptor formats", figures for
 * the 4 KiB granule and 48-bit addresses), and what it must not say in a table of Strata.
 *
 *	 63  59 58    56 55  54  53  52  51  50  49 48 47         12 11  10  9 8 7  6 5    2  1 0
 *	| zero | zero  |SW |XN |XN0|CT |DBM|GP | zero | output     |nG |AF |SH |AP  |Attr |type|
 *
 *	SW	software bit: this leaf is not counted
 *	XN	bit 54: not executable (XN[1] at Stage 2, XN at EL2's Stage 1)
 *	AP	Stage 2: S2AP, bit 7 write, bit 6 read. EL2's Stage 1: bit 7 read-only, bit 6 RES1
 *	Attr	Stage 2: MemAttr[3:0]. Stage 1: bits [4:2] index MAIR_EL2, bit 5 (NS) zero
 *	SH	0b11 Inner Shareable, for Normal memory; 0b10 Outer Shareable, for Device memory
 *
 * Zero in Strata, though the architecture has a use for some: XN0 (execute-never by Exception
 * level), CT (Contiguous), DBM (dirty state) at Stage 1, GP (guarded page), nT (bit 16 of a block), nG.
 */
#pragma once

#include "walk.h"

/* Bit n set: an error of kind n. */
typedef uint32_t walk_error_set;

/*
 * Decodes @descriptor, a leaf at @level (1 to 3) of a table of @stage, into everything of @leaf but
 * its range. Returns what is wrong with it; leaf->faulty says whether anything is.
 */
walk_error_set leaf_decode(uint64_t descriptor, int level, enum translation_stage stage,
			   unsigned int pa_bits, struct walk_leaf *leaf);
