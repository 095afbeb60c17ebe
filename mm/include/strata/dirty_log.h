/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty logs: which pages of a range were written since the log began, or since the list was last
 * taken, by write protection.
 *
 * Invariant: a page that the log lets a CPU write to is on the list, whenever no cursor is open on the
 * page. The log takes write access away; the first write to a page takes a permission fault,
 * which dirty_log_fault serves: it gives write access back and lists the page. Only a page that the log
 * took write access from gets it back.
 *
 * Who maps a page into the range meanwhile with PAGE_WRITE changes it: it is listed when the list
 * is taken. To give back what was there before, and have writes seen, map it as dirty_log_adopt
 * says.
 *
 * What the log took at an address it gives back to what is mapped at that address: who maps something
 * there that must stay read-only stops the log before.
 *
 * The log is its user's, as are the words it keeps its bits in; both stay where they are until
 * dirty_log_stop. Its functions need a cursor on the pages they name, which orders them; two CPUs
 * may serve faults on different pages at the same time. EL2's own stores do not fault: who writes
 * for a guest by strata/vm_io.h serves MM_PAGE_FAULT like the guest's fault.
 *
 * In a space that lets the hardware manage flags (vm_space_use_hardware_flags) a log takes no faults and
 * no write access: what could be written becomes clean (PAGE_DIRTY_STATE without PAGE_WRITE), and a
 * write makes it dirty. Invariant: a page that was written since it was last clean is dirty in its leaf
 * or on the list. A leaf that stops being dirty, because the list is taken or the page is unmapped,
 * replaced or protected, is exchanged in one step, and its page listed if it was dirty in that step.
 * Writes go on while the list is taken: those that come after are on the next one.
 *
 * Blocks that can be written become pages, so that the list is exact: those that are there when such a
 * log begins, and, when the list is taken, those that were mapped since with PAGE_WRITE, which are listed
 * whole. So long as a block is in the tables that dirty_log_adopt made dirty state of, or that somebody
 * mapped with PAGE_DIRTY_STATE, a write to one page of it lists all.
 *
 * Dirty state in the range is the log's while it runs: it does not begin where somebody else keeps some,
 * which two logs on one range are for each other, and who maps with PAGE_DIRTY_STATE there meanwhile, but
 * as dirty_log_adopt says, finds it cleaned when the list is taken. What the hypervisor writes for the
 * guest by strata/vm_io.h makes its page dirty too; for what it writes by other ways it calls
 * dirty_log_fault.
 */
#pragma once

#include <stdatomic.h>
#include <strata/cursor.h>

/* 64-bit words of a list of @pages pages, and those that a log of as many needs. */
#define DIRTY_LIST_WORDS(pages) (((pages) + 63) / 64)
#define DIRTY_LOG_WORDS(pages) (2 * DIRTY_LIST_WORDS(pages))

/* Fields are private; all zero: not running, no page is the log's. */
struct dirty_log {
	struct vm_space *space;
	struct irange range;
	_Atomic uint64_t *taken;   /* bit per page: write access is, or was, the log's to give */
	_Atomic uint64_t *written; /* bit per page: the list */
	bool by_hardware;
	struct dirty_log *_Atomic next; /* of the same space, by hardware */
};

/*
 * Begins a log of the next @length bytes, and moves past them: what is mapped there with
 * PAGE_WRITE loses it, and when this returns no CPU can write there any more; by hardware, no CPU can
 * without making the page dirty. The list is empty. @words are DIRTY_LOG_WORDS of the pages, of any
 * content.
 *
 * MM_INVALID_ARGS: @length is 0.
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_IN_USE: by hardware: something there has PAGE_DIRTY_STATE.
 * MM_NO_MEMORY: no page for a table that the split of a block needs: at an edge, or, by hardware, of any
 *	block that can be written.
 */
MM_MUST_CHECK enum mm_status dirty_log_start(struct cursor *cursor, uint64_t length,
					     _Atomic uint64_t *words, struct dirty_log *out);

/*
 * For the handler of Stage-2 permission faults on writes: lists the page at the position, which
 * stays, and lets it be written. MM_OK too if it could be by then, as when two CPUs faulted on it.
 *
 * MM_INVALID_ARGS: the log is another space's.
 * MM_ACCESS_DENIED: read-only cursor; or the fault is not the log's: outside its range, or write access
 *	was not there when the log began; by hardware also, it was taken away since.
 * MM_OUT_OF_BOUND: the position is at the end. MM_NOT_MAPPED: nothing is mapped there any more.
 * MM_NO_MEMORY: no page for a table that the split of a block needs.
 */
MM_MUST_CHECK enum mm_status dirty_log_fault(struct dirty_log *log, struct cursor *cursor);

/*
 * The property to map @page with, which is about to be mapped with @property, or is kept outside
 * to be mapped later: without PAGE_WRITE if the log covers the page, and then a write to it is the
 * log's. By hardware with PAGE_DIRTY_STATE in the place of it.
 */
struct page_property dirty_log_adopt(struct dirty_log *log, struct iaddr page,
				     struct page_property property);

/*
 * Takes the list and begins an empty one: bit n % 64 of @list[n / 64] becomes 1 if page n of the
 * range was written, else 0. By faults, all of the range is write-protected again, and no CPU can write
 * when this returns: what is read from the pages while @cursor stays open is what they had when the
 * list was taken. The cursor holds all of the range; its position stays. @list is DIRTY_LIST_WORDS
 * of the pages.
 *
 * MM_OUT_OF_BOUND: the cursor does not hold all of the range, or the log does not run.
 * MM_INVALID_ARGS: the log is another space's.
 * MM_ACCESS_DENIED: read-only cursor. MM_NO_MEMORY: as dirty_log_start.
 */
MM_MUST_CHECK enum mm_status dirty_log_take(struct dirty_log *log, struct cursor *cursor,
					    uint64_t *list);

/*
 * Ends the log: gives write access back where it was taken and not given back yet; by hardware, the pages
 * that it made clean can be written and keep no dirty state, and what was read-only, or has been made so,
 * stays so. The list is gone: who wants it takes it first, with the same cursor. The words are the user's
 * again.
 *
 * MM_OUT_OF_BOUND, MM_INVALID_ARGS, MM_ACCESS_DENIED: as dirty_log_take.
 * MM_NOT_SUPPORTED: EL2's Stage 1 only: what is mapped where the log took write access cannot have it.
 * MM_NO_MEMORY: no page for a table that the split of a block needs. (In both cases the log runs on, and
 *	nothing was given back.)
 */
MM_MUST_CHECK enum mm_status dirty_log_stop(struct dirty_log *log, struct cursor *cursor);
