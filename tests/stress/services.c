/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers and writers into spaces, and dirty logs of them. */
#include "stress.h"

#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

#define TRANSFER_STATUSES (BIT(MM_OK) | BIT(MM_PAGE_FAULT))

static void read_words(struct worker *worker, struct guest_space *guest, uint64_t ia)
{
	struct vm_reader reader;
	uint64_t words[2], length;

	if (!called(worker, OPERATION_IO_SPACE,
		    vm_reader_from_space(&guest->space, iaddr(ia), sizeof(words), &reader),
		    BIT(MM_OK)))
		return;
	if (called(worker, OPERATION_READER_COLLECT,
		   vm_reader_collect(&reader, words, sizeof(words), &length), TRANSFER_STATUSES) &&
	    (words[0] != identity(guest->id, ia) || !is_identity(words[1], guest->id, ia)))
		find(worker, JUDGE_GUEST, "a reader finds 0x%llx, 0x%llx at 0x%llx of space %llu",
		     (unsigned long long)words[0], (unsigned long long)words[1],
		     (unsigned long long)ia, (unsigned long long)guest->id);
}

static void write_word(struct worker *worker, struct guest_space *guest, uint64_t ia)
{
	uint64_t word = identity(guest->id, ia) | below(worker, 0xffff) << 48;
	struct vm_writer writer;

	if (called(worker, OPERATION_IO_SPACE,
		   vm_writer_from_space(&guest->space, iaddr(ia + 8), sizeof(word), &writer),
		   BIT(MM_OK)))
		called(worker, OPERATION_WRITER_WRITE_VAL,
		       vm_writer_write_val(&writer, &word, sizeof(word)), TRANSFER_STATUSES);
}

void act_transfer(struct worker *worker)
{
	for (uint64_t i = 1 + below(worker, 6); i > 0 && !stopped(); i--) {
		struct guest_space *guest = draw_shared(worker);
		uint64_t ia = draw_address(worker);

		if (one_in(worker, 2))
			read_words(worker, guest, ia);
		else
			write_word(worker, guest, ia);
	}
}

/* ---- Dirty logs -------------------------------------------------------------------------------- */

static bool take(struct session *session, struct shared_log *log, uint64_t *list)
{
	return called(session->worker, OPERATION_DIRTY_LOG_TAKE,
		      dirty_log_take(&log->log, &session->cursor, list),
		      BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

/* While the cursor is held nobody else writes: the list is the page that this guest writes to. */
static void write_logged(struct session *session, struct shared_log *log)
{
	struct worker *worker = session->worker;
	uint64_t page = below(worker, LOG_PAGES);
	uint64_t list[DIRTY_LIST_WORDS(LOG_PAGES)];

	if (!take(session, log, list))
		return;
	called(worker, OPERATION_CURSOR_JUMP,
	       cursor_jump(&session->cursor, iaddr(LOG_START + page * PAGE_SIZE)), BIT(MM_OK));
	if (!called(worker, OPERATION_DIRTY_LOG_FAULT, dirty_log_fault(&log->log, &session->cursor),
		    BIT(MM_OK) | BIT(MM_ACCESS_DENIED) | BIT(MM_NOT_MAPPED) | BIT(MM_NO_MEMORY)))
		return;
	session_look(session);
	if (take(session, log, list) && list[0] != UINT64_C(1) << page)
		find(worker, JUDGE_GUEST, "page %llu was written, and 0x%llx is listed",
		     (unsigned long long)page, (unsigned long long)list[0]);
}

void act_log(struct worker *worker)
{
	const uint64_t length = LOG_PAGES * PAGE_SIZE;
	struct guest_space *guest = draw_shared(worker);
	struct shared_log *log = &stress.logs[guest - stress.shared];
	struct session session;

	if (!session_open(&session, worker, guest, LOG_START, length))
		return;
	for (uint64_t i = below(worker, 4); i > 0; i--) {
		called(worker, OPERATION_CURSOR_JUMP,
		       cursor_jump(&session.cursor,
				   iaddr(LOG_START + below(worker, LOG_PAGES) * PAGE_SIZE)),
		       BIT(MM_OK));
		session_map(&session);
	}
	called(worker, OPERATION_CURSOR_JUMP, cursor_jump(&session.cursor, iaddr(LOG_START)),
	       BIT(MM_OK));
	if (!log->runs)
		log->runs = called(worker, OPERATION_DIRTY_LOG_START,
				   dirty_log_start(&session.cursor, length, log->words, &log->log),
				   BIT(MM_OK) | BIT(MM_NO_MEMORY));
	else if (one_in(worker, 4))
		log->runs = !called(worker, OPERATION_DIRTY_LOG_STOP,
				    dirty_log_stop(&log->log, &session.cursor),
				    BIT(MM_OK) | BIT(MM_NO_MEMORY));
	else
		write_logged(&session, log);
	session_close(&session);
}
