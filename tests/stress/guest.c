/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests' accesses, and what serves their faults, as a monitor does. */
#include "stress.h"

#include <arch/cpu.h>
#include <strata/ageing.h>

void run_in(struct worker *worker, struct guest_space *guest)
{
	if (guest == NULL) {
		vm_space_deactivate();
		called(worker, OPERATION_SPACE_DEACTIVATE, MM_OK, BIT(MM_OK));
	} else {
		called(worker, OPERATION_SPACE_ACTIVATE, vm_space_activate(&guest->space),
		       BIT(MM_OK));
		if (stress.vmid_limit != 0 && vm_space_vmid(&guest->space) >= stress.vmid_limit)
			find(worker, JUDGE_GUEST, "space %llu has VMID %u, which is the host's",
			     (unsigned long long)guest->id, vm_space_vmid(&guest->space));
	}
	worker->active = guest;
}

/* Mostly of those two that say what the page is. */
static unsigned int draw_word(struct worker *worker)
{
	return (unsigned int)below(worker, one_in(worker, 4) ? PAGE_WORDS : 2);
}

/* What was loaded must be what the page says that belongs there. */
static enum guest_result load(struct worker *worker, uint64_t ia, unsigned int word)
{
	const struct guest_space *guest = worker->active;
	uint64_t value = 0;
	uint64_t address = ia + 8 * word;
	enum guest_result result = stage_load(worker, address, &value);

	worker->counts.accesses++;
	if (result == GUEST_DONE && !is_page_word(value, identity(guest->id, ia), word))
		find(worker, JUDGE_GUEST,
		     "space %llu loads 0x%llx from 0x%llx, where 0x%llx should be",
		     (unsigned long long)guest->id, (unsigned long long)value,
		     (unsigned long long)address,
		     (unsigned long long)page_word(identity(guest->id, ia), word));
	return result;
}

/* The word that says it once more, or any: by what one says that others can tell whose page it is. */
static enum guest_result store(struct worker *worker, uint64_t ia)
{
	const uint64_t says = identity(worker->active->id, ia);
	const uint64_t word = draw_word(worker);

	worker->counts.accesses++;
	if (word > 1)
		return stage_store(worker, ia + 8 * word, page_word(says, word));
	return stage_store(worker, ia + 8, says | (below(worker, 0xffff) + 1) << 48);
}

static enum guest_result access(struct worker *worker, uint64_t ia, bool write)
{
	return write ? store(worker, ia) : load(worker, ia, draw_word(worker));
}

/* While a cursor is held nobody changes what is mapped there, and what was flushed is in force. */
static void judge_exactly(struct session *session, bool write)
{
	static const char *const names[] = { "is done", "takes a translation fault",
					     "takes an Access flag fault",
					     "takes a permission fault", "ends otherwise" };
	struct worker *worker = session->worker;
	uint64_t ia = cursor_virt_addr(&session->cursor).value;
	enum guest_result is, should_be = GUEST_DONE;
	struct cursor_item item;

	if (!called(worker, OPERATION_CURSOR_PEEK, cursor_peek(&session->cursor, &item),
		    BIT(MM_OK)))
		return;
	if (!item.mapped)
		should_be = GUEST_TRANSLATION;
	else if (!(item.property.flags & PAGE_ACCESSED))
		should_be = GUEST_ACCESS_FLAG;
	else if (write && !(item.property.flags & PAGE_WRITE))
		should_be = GUEST_PERMISSION;
	is = access(worker, ia, write);
	if (is != should_be)
		find(worker, JUDGE_GUEST, "a %s of 0x%llx in space %llu %s, and not: it %s",
		     write ? "store" : "load", (unsigned long long)ia,
		     (unsigned long long)session->guest->id, names[is], names[should_be]);
}

void session_look(struct session *session)
{
	if (session->worker->active != session->guest ||
	    cursor_virt_addr(&session->cursor).value >= session->cursor.range.end.value)
		return;
	cursor_flush(&session->cursor);
	called(session->worker, OPERATION_CURSOR_FLUSH, MM_OK, BIT(MM_OK));
	judge_exactly(session, one_in(session->worker, 2));
}

/* ---- Faults ------------------------------------------------------------------------------------ */

static struct shared_log *log_of(const struct guest_space *guest)
{
	for (unsigned int i = 0; i < SHARED_SPACES; i++)
		if (guest == &stress.shared[i] && stress.logs[i].runs)
			return &stress.logs[i];
	return NULL;
}

/* What is mapped by now, and whatever else another CPU has done meanwhile, is no error. */
static void serve_mapped(struct session *session, enum guest_result fault, uint64_t ia, bool write)
{
	struct worker *worker = session->worker;
	struct shared_log *log = is_logged(ia) ? log_of(session->guest) : NULL;

	if (fault == GUEST_ACCESS_FLAG)
		called(worker, OPERATION_CURSOR_AGE, ageing_fault(&session->cursor),
		       BIT(MM_OK) | BIT(MM_NO_MEMORY));
	if (fault == GUEST_PERMISSION && write && log != NULL)
		called(worker, OPERATION_DIRTY_LOG_FAULT,
		       dirty_log_fault(&log->log, &session->cursor),
		       BIT(MM_OK) | BIT(MM_ACCESS_DENIED) | BIT(MM_NO_MEMORY));
}

static bool would_fault(const struct cursor_item *item, bool write)
{
	const uint8_t needed = PAGE_ACCESSED | (write ? PAGE_WRITE : PAGE_READ);

	return !item->mapped || (item->property.flags & needed) != needed;
}

static void serve(struct worker *worker, enum guest_result fault, uint64_t ia, bool write)
{
	struct session session;
	struct cursor_item item;

	worker->counts.faults++;
	/* On its way here another CPU may be faster. */
	for (unsigned int i = 0; i < 4; i++)
		cpu_relax();
	if (!session_open(&session, worker, worker->active, ia, PAGE_SIZE))
		return;
	if (called(worker, OPERATION_CURSOR_PEEK, cursor_peek(&session.cursor, &item),
		   BIT(MM_OK))) {
		worker->counts.spurious += !would_fault(&item, write);
		if (item.mapped)
			serve_mapped(&session, fault, ia, write);
		else
			session_map(&session);
		called(worker, OPERATION_CURSOR_JUMP, cursor_jump(&session.cursor, iaddr(ia)),
		       BIT(MM_OK));
		session_look(&session);
	}
	session_close(&session);
}

void act_guest(struct worker *worker)
{
	if (worker->active == NULL || one_in(worker, 6))
		run_in(worker, one_in(worker, 12) ? NULL : draw_shared(worker));
	if (worker->active == NULL)
		return;
	for (uint64_t i = 1 + below(worker, 8); i > 0 && !stopped(); i--) {
		uint64_t ia = draw_address(worker);
		bool write = one_in(worker, 2);
		enum guest_result result = access(worker, ia, write);

		if (result == GUEST_OTHER)
			find(worker, JUDGE_GUEST, "an access to 0x%llx ends otherwise",
			     (unsigned long long)ia);
		else if (result != GUEST_DONE && one_in(worker, 2))
			serve(worker, result, ia, write);
	}
}
