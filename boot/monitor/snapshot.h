/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots: a few pages of a guest as they were at one moment, while the guest goes on writing to them.
 *
 * They are write-protected (strata/write_protect.h) and copied later: before the guest's first write to
 * a page, from the fault that this takes, or when the snapshot ends. A witness keeps it honest: a sum
 * over each page is taken at the moment, and the copy must have the same.
 *
 * Invariant: while a snapshot runs, a page of it that the guest can write to was copied before.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>
#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_PAGES 16

struct guest;

struct snapshot {
	struct irange range; /* SNAPSHOT_PAGES pages */
	uint32_t present;    /* bit per page: was there at the moment */
	uint32_t copied;
	uint64_t sums[SNAPSHOT_PAGES]; /* at the moment */
	_Alignas(16) uint8_t copies[SNAPSHOT_PAGES][PAGE_SIZE];
};

/* Whether the guest's snapshot, if one runs, touches @range. */
bool snapshot_touches(const struct guest *guest, struct irange range);

/*
 * Begins a snapshot of the SNAPSHOT_PAGES pages around @page, which lie in one region that the guest may
 * read and write. None runs, and no dirty log in that range.
 *
 * MM_NO_MEMORY: for the copies, or for a table that a split needs; nothing is changed.
 */
MM_MUST_CHECK enum mm_status snapshot_begin(struct guest *guest, struct iaddr page);

/* To be called before the guest may write to @page, without a cursor there: copies the page if a
 * snapshot wants it as it was. As vm_object_read_bytes. */
MM_MUST_CHECK enum mm_status snapshot_before_write(struct guest *guest, struct iaddr page);

/* Ends the snapshot that runs: copies the rest, gives write access back, and counts in the guest's
 * statistics pages whose copy is not of the moment. On an error it runs on. As cursor_protect. */
MM_MUST_CHECK enum mm_status snapshot_end(struct guest *guest);

/* Forgets a snapshot, if one runs, of a guest that does not run again. */
void snapshot_forget(struct guest *guest);
