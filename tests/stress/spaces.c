/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces of one CPU at a time: more of them than there may be VMIDs. */
#include "stress.h"

#define WORKED_ON (4 * PAGE_SIZE)

static void make(struct worker *worker, struct guest_space *guest)
{
	if (!called(worker, OPERATION_SPACE_NEW,
		    vm_space_new_stage2(IA_BITS_MIN + (unsigned int)below(worker, 6),
					&guest->space),
		    BIT(MM_OK) | BIT(MM_NO_MEMORY)))
		return;
	guest->id = atomic_fetch_add_explicit(&stress.next_id, 1, memory_order_relaxed);
	guest->lives = stage_prepare_space(worker, guest);
	if (!guest->lives)
		called(worker, OPERATION_SPACE_DESTROY, vm_space_destroy(&guest->space),
		       BIT(MM_OK));
}

static void leave(struct worker *worker, const struct guest_space *guest)
{
	if (worker->active == guest)
		run_in(worker, NULL);
}

static void end(struct worker *worker, struct guest_space *guest)
{
	if (worker->active == guest && one_in(worker, 4))
		called(worker, OPERATION_SPACE_DESTROY, vm_space_destroy(&guest->space),
		       BIT(MM_BUSY));
	leave(worker, guest);
	called(worker, OPERATION_SPACE_DESTROY, vm_space_destroy(&guest->space), BIT(MM_OK));
	guest->lives = false;
}

/* Release what is in the space, acquire what is in the one that comes back. */
static void pass(struct worker *worker, struct guest_space **guest)
{
	leave(worker, *guest);
	take_place(worker);
	*guest = atomic_exchange_explicit(&stress.space_mail[below(worker, MAILBOXES)], *guest,
					  memory_order_acq_rel);
}

/* A guest runs in it and finds its own pages, and none where none is. */
static void run(struct worker *worker, struct guest_space *guest)
{
	struct session session;

	run_in(worker, guest);
	if (!session_open(&session, worker, guest, 0, WORKED_ON))
		return;
	for (uint64_t ia = 0; ia < WORKED_ON; ia += PAGE_SIZE) {
		if (one_in(worker, 4))
			session_map(&session);
		else if (one_in(worker, 4))
			called(worker, OPERATION_CURSOR_UNMAP,
			       cursor_unmap(&session.cursor, PAGE_SIZE, NULL), BIT(MM_OK));
		called(worker, OPERATION_CURSOR_JUMP, cursor_jump(&session.cursor, iaddr(ia)),
		       BIT(MM_OK));
		session_look(&session);
	}
	session_close(&session);
}

void act_spaces(struct worker *worker)
{
	for (uint64_t i = 1 + below(worker, 3); i > 0 && !stopped(); i--) {
		struct guest_space **guest = &worker->spaces[below(worker, SPACE_BOXES)];

		if (!(*guest)->lives)
			make(worker, *guest);
		else if (one_in(worker, 8))
			end(worker, *guest);
		else if (one_in(worker, 6))
			pass(worker, guest);
		else
			run(worker, *guest);
	}
}
