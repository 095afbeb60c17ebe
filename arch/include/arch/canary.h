/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Canaries: deliberate defects, one per build, each of which some test must catch.
 *
 * The Meson option `canary` names the one that is built in; a product build has none, and then
 * every CANARY(...) is the constant false. The list is here so that the option, the code and the
 * tests cannot name different things.
 */
#pragma once

#define CANARY_none 0
#define CANARY_tlbi_missing 1	     /* no TLBI is issued after a descriptor changed */
#define CANARY_stage1_step_missing 2 /* IPA invalidation, but no VMALLE1IS after it */
#define CANARY_wrong_ipa 3	     /* IPA invalidation for the neighbouring page */
#define CANARY_frame_not_dropped 4   /* one parked frame is forgotten after the flush */
#define CANARY_wrong_attribute 5     /* one leaf is written with one bit of its SH wrong */
#define CANARY_writable_read_only 6  /* a read-only guest page is mapped writable */
#define CANARY_leaf_corrupted 7	     /* a live leaf of each guest changes, by no operation */

#ifndef STRATA_CANARY
#define STRATA_CANARY none
#endif

#define CANARY_JOIN_(name) CANARY_##name
#define CANARY_JOIN(name) CANARY_JOIN_(name)
#define CANARY(name) (CANARY_JOIN(STRATA_CANARY) == CANARY_##name)
