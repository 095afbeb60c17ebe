/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Window spaces (strata/vm_space.h): whose table is EL2's own below the window.
 *
 * Invariant: the descriptors of a window space's root below the window are those of EL2's own root;
 * so an address there is translated alike whichever of the tables a CPU has. Only a cursor that holds
 * EL2's own root writes to that root, and it writes to the others as well.
 *
 * A CPU has translations of a window cached only while that space is active on it: it leaves by EL2's
 * own table, which has nothing there, and an invalidation. So what no CPU has active needs none.
 */
#pragma once

#include <stddef.h>
#include <strata/vm_space.h>

/* Gives the new root of @space what EL2's own has, and from now on what that gets. MM_BUSY: this CPU
 * holds EL2's own root, or has a cursor open and would wait for it; nothing was done. */
MM_MUST_CHECK enum mm_status window_space_join(struct vm_space *space, struct vm_space *el2);
/* The reverse; MM_BUSY as above. */
MM_MUST_CHECK enum mm_status window_space_part(struct vm_space *space);

/* The descriptor at @index of EL2's own root, which the caller holds, has become @value. */
void window_spaces_follow(const struct vm_space *el2, size_t index, uint64_t value);

/* Whether this CPU runs on EL2's own table @el2, or on that of a window space above it. */
bool window_space_runs_on(const struct vm_space *el2);

/* The window space that is active on this CPU, or NULL. */
struct vm_space *window_space_active(void);
/* Makes @space that one, if the CPU runs on its EL2's table: MM_NOT_SUPPORTED otherwise. */
MM_MUST_CHECK enum mm_status window_space_activate(struct vm_space *space);
/* Makes none that one. Returns which it was. */
struct vm_space *window_space_deactivate(void);

/* Whether some CPU may have translations of @space's window cached, made before the last barrier of
 * this CPU. */
bool window_space_may_be_cached(const struct vm_space *space);
