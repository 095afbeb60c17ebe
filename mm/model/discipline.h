/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The discipline of translation tables: an observer that sees every descriptor write, TLBI, barrier,
 * write of a translation register, lock, and every table and page that is given back, and reports
 * the first step that breaks one of the rules of discipline_rules.h.
 *
 * Promise: what is counted as an event was judged. Its storage is its own; when that is full it says
 * so, judges nothing more, and counts nothing more. It shares no code with what it judges.
 *
 * What it keeps, by the architecture's rules alone:
 *
 *   for each table page    the descriptors last written, where it is linked, whose lock it is under
 *   for each context       a root and a VMID that some CPU loaded: which may have entries cached
 *   for each CPU           what it loaded, its last DSB and ISB
 *   for each descriptor and context that may still have the old one cached: a debt
 *
 *   written ──DSB──▶ published ──TLBI──▶ issued ──DSB ISH──▶ settled                by VMID, or EL2
 *                                          └─────DSB ISH──▶ by IPA ──VMALLE1IS──▶ combined
 *                                                                    settled ◀──DSB ISH──┘
 *
 * A debt must be settled when the address is mapped to something else, when the table or the page
 * behind it is given back (by the cursor that wrote it: a page that is mapped twice has a reference of
 * each), and when the lock of its table is. One CPU, the one that wrote, pays it:
 * steps of others do not count, because nothing tells that they came after its DSB. A change of
 * permissions alone needs no break, but is a debt as well. A leaf without the Access flag is never
 * cached, and owes nothing. EL2's table has no VMID to be invalidated by: what a CPU has cached of one
 * ends with an ALLE2 of its own too, after it has loaded another one, and nothing is owed to a table
 * that no CPU has anything of. The root of a window space (vm_space.h) follows EL2's own: it has copies of
 * descriptors there, written under the lock of the original, and what hangs from that is owed to both.
 *
 * Order. Events of all CPUs are taken one at a time, under a lock. On one CPU that is program order.
 * Between CPUs: what changes a table lies between its LOCK, seen after the lock was taken, and its
 * UNLOCK, seen before it is given back, so two changes of one table are seen in the order in which
 * they happened. A barrier or a TLBI is seen after it happened, and pays only for stores of its own
 * CPU, which were seen before. A context is seen as loaded after VTTBR_EL2 was written: a walk in
 * between finds what is in the tables, and what it caches is owed from the next change on, which
 * must come from a CPU that holds the table's lock. So nothing right is reported; what is wrong may
 * go unreported where a CPU loads a table for the first time while another is about to change it.
 *
 * Guests' own tables and TLBIs are not seen. Checked builds only.
 */
#pragma once

#include <arch/observe.h>
#include <stdbool.h>
#include <stddef.h>
#include "discipline_rules.h"

#define DISCIPLINE_CONSTANT(name, sentence, section) DISCIPLINE_##name,
enum discipline_rule { DISCIPLINE_RULES(DISCIPLINE_CONSTANT) DISCIPLINE_RULE_COUNT };
#undef DISCIPLINE_CONSTANT

/* "tlbi_missing", and the rule itself. */
const char *discipline_rule_name(enum discipline_rule rule);
const char *discipline_rule_sentence(enum discipline_rule rule);
const char *discipline_rule_section(enum discipline_rule rule);

struct discipline_report {
	uint64_t events;     /* judged */
	uint64_t reports;    /* of rules that were broken, and of full storage */
	uint64_t arena_used; /* bytes */
	bool full;	     /* and nothing was judged since */
	enum discipline_rule
		first; /* the rule of the first report; if there is one, and not full */
};

/*
 * Attaches to the machine. @arena is the discipline's alone from now on. @complain gets a line of
 * text (no newline) for each of the first reports and may be NULL. Tables must not have been made
 * before: a table that is not known is not ready.
 */
void discipline_start(void *arena, size_t size, void (*complain)(const char *text));

/* From now on @print gets each event as a line (no newline) in the trace format of casemate, the
 * first one of each machine after a line of what casemate must know before; NULL: no more. docs/model.md says how the steps of this subsystem are
 * put into its words. Under the lock of all events: @print makes none. */
void discipline_trace(void (*print)(const char *line));

struct discipline_report discipline_report(void);

/* Detaches. */
void discipline_stop(void);
