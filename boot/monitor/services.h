/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the monitor does behind a running guest's back: it moves pages to other frames, takes pages
 * away (cold ones first, when it knows), logs writes, and takes snapshots. None of it may be visible to
 * the guest.
 *
 * With the guest's lock (guest.h). All of these return MM_OK if it was done, and MM_NOT_MAPPED or MM_IN_USE (somebody else holds the
 * page too) if there was nothing to do it to, or MM_NO_MEMORY; any other status is a defect of the
 * subsystem or of the monitor.
 */
#pragma once

#include "guest.h"

/*
 * Moves the first mapped page from @page on, within the same 2 MiB and region, to another frame, and
 * poisons the old one once no CPU can reach it.
 */
MM_MUST_CHECK enum mm_status service_migrate(struct guest *guest, struct iaddr page);

/* Takes that page out of the space; the guest gets it back at its next access. */
MM_MUST_CHECK enum mm_status service_evict(struct guest *guest, struct iaddr page);

/*
 * One step of everything, while virtual CPU @vcpu of the guest is in the middle of using the page at @in_use: that page
 * is migrated or evicted, so are some that the guest's generator picks, and every so often, at
 * different times, of the 2 MiB around it a dirty log or a look at its working set ends and the next
 * begins, or a snapshot is taken of some pages around it.
 *
 * MM_ACCESS_DENIED: the guest wrote to a frame after it was taken away, or to a page that should have
 * faulted: a translation outlived its removal. Any other status but MM_OK is a defect too.
 */
MM_MUST_CHECK enum mm_status services_step(struct guest *guest, unsigned int vcpu,
					   struct iaddr in_use);

/* Ends what is under way, before the guest's result is believed. As services_step. */
MM_MUST_CHECK enum mm_status services_finish(struct guest *guest);
