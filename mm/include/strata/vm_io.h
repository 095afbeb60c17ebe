/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moving bytes between the hypervisor and memory that it does not trust.
 *
 * A reader (vm_reader.h) and a writer (vm_writer.h) are a cursor and an end in one of five kinds of
 * memory; an object (vm_object.h) is memory addressed by offsets:
 *
 *	hypervisor	the hypervisor's own memory, by pointer. Never faults.
 *	space		a Stage-2 space, by IPA. Each page is looked up in the space's tables, its
 *			permission checked, and its bytes moved through the linear map.
 *	guest		a guest's virtual addresses (vm_guest.h), through its own Stage-1 tables, and
 *			what these lead to as in a space.
 *	window		addresses of EL2's own live Stage 1, by real loads and stores; an abort ends
 *			the transfer at the byte it happened.
 *	window space	a space that is active in the window (vm_space.h): the same, while it is.
 *
 * Invariant: 0 <= cursor <= end; the cursor moves only past bytes that were moved.
 *
 * Who is kept out. While the bytes of a page of a space are moved, the page cannot be unmapped,
 * replaced or protected: its node is locked, as by a cursor on that one page. (Where both sides of a
 * copy are such pages, the source page is held by a reference instead, so that nobody waits for a
 * second lock.) A page is looked up again for every transfer: what was unmapped between two of them,
 * or between two pages of one, faults. A CPU that holds a cursor there itself gets MM_BUSY, never a
 * hang; so does one that holds a cursor elsewhere, if another CPU has the page's node (cursor.h,
 * "Waiting"). A CPU that holds none waits for that.
 *
 * Values are read once. Whoever owns the memory may store into it at any moment, so what was checked
 * must be what is used: read_val, read_once, atomic_load and collect give a private copy of which
 * each byte was taken once; nothing here looks at memory twice to decide. (In a bulk copy that
 * faults, bytes just before the fault may have been loaded more than once; the last load is what was
 * stored.) The descriptors of a guest's tables are each read once, whole; the address they lead to
 * is checked by Stage 2 like any other: a guest that rewrites its tables gains nothing.
 *
 * Order. read_once, write_once, atomic_load and atomic_compare_exchange are single-copy atomic and
 * relaxed: whole, and ordered with nothing. Everything else promises neither a width nor an order
 * of accesses. Who hands memory over to a guest, or takes it back, uses barriers of its own.
 *
 * Overlap. Where source and destination overlap, what arrives is some mixture of what was there.
 *
 * Statuses of a transfer that met memory which it must not, or cannot, reach. The transfer ends
 * there; in functions that say so, what came before it is done:
 *
 *	MM_PAGE_FAULT	   not mapped; mapped without the permission, or without PAGE_ACCESSED: the
 *			   guest's own access would have faulted (but where CPUs keep these flags,
 *			   vm_space_use_hardware_flags, they are set here as the guest's CPU would set
 *			   them: what is read is accessed, what is written is dirty); an aborted load
 *			   or store.
 *	MM_ACCESS_DENIED   memory that is not moved in bulk, nor as a value: not counted (device
 *			   registers and the like), or mapped CACHE_DEVICE or CACHE_UNCACHED, which
 *			   the linear map's cached view would not agree with.
 *	MM_BUSY		   this CPU holds a cursor in the way (cursor_open).
 *	MM_SATURATED	   the source page cannot take one more reference.
 *	MM_NOT_SUPPORTED   guest memory: the guest's tables are of a form that is not walked here.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm_guest;
struct vm_space;

enum vm_io_kind {
	VM_IO_HYPERVISOR,
	VM_IO_WINDOW,
	VM_IO_WINDOW_SPACE,
	VM_IO_SPACE, /* from here on: translated by tables that are read here, not by the MMU */
	VM_IO_GUEST,
};

/* Part of a reader, a writer and an object; private. A copy is another one, independent of it. */
struct vm_io_range {
	uint64_t cursor; /* pointer, IPA or virtual address */
	uint64_t end;	 /* exclusive; 0 if the range ends at the top of the address space */
	uint8_t kind;	 /* enum vm_io_kind */
	bool fallible;
	union {
		struct vm_space *space;
		const struct vm_guest *guest;
	};
};

/*
 * Memory, to be made a reader, a writer or an object of. Nothing is accessed, and nothing is held:
 * spaces, guests and segments must outlive what is made of them. A length of 0 is fine anywhere.
 *
 * MM_OVERFLOW: the range wraps.
 */

/* MM_INVALID_ARGS: @start is NULL and @length is not 0. */
MM_MUST_CHECK enum mm_status vm_io_hypervisor(void *start, uint64_t length,
					      struct vm_io_range *out);
/*
 * Addresses of a Stage-2 space or of a window space. A window space is the active one on this CPU, and
 * is again whenever bytes are moved: where another one is, or none, a transfer is MM_PAGE_FAULT. Who
 * changes its mappings meanwhile is not kept out: each load and store does what the MMU finds, and one
 * that meets a block while that is split faults.
 *
 * MM_INVALID_ARGS: EL2's own Stage 1. MM_OUT_OF_BOUND: not inside a Stage-2 space.
 * MM_ACCESS_DENIED: a window space that is not active here, or addresses not inside the window.
 */
MM_MUST_CHECK enum mm_status vm_io_space(struct vm_space *space, struct iaddr start,
					 uint64_t length, struct vm_io_range *out);
/* Any 64-bit address, tagged or not. MM_INVALID_ARGS: the guest's space is not a Stage-2 space. */
MM_MUST_CHECK enum mm_status vm_io_guest(const struct vm_guest *guest, uint64_t start,
					 uint64_t length, struct vm_io_range *out);
/*
 * Addresses of the Stage-1 table that is loaded on the CPU that transfers. They must lie in @window,
 * which is all that keeps them off the hypervisor's own memory: whoever gives out windows says it.
 *
 * MM_OUT_OF_BOUND: not inside @window.
 */
MM_MUST_CHECK enum mm_status vm_io_window(struct irange window, struct iaddr start, uint64_t length,
					  struct vm_io_range *out);
