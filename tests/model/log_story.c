/* SPDX-License-Identifier: BSD-3-Clause */
#include "log_story.h"

#include <strata/dirty_log.h>

static struct dirty_log dirty_log;

static struct mm_operation asked(enum mm_operation_kind kind, struct irange range)
{
	return (struct mm_operation){ .kind = kind,
				      .space = &story_space,
				      .cursor = &story_cursor,
				      .position = story_cursor.position,
				      .range = range,
				      .log = &dirty_log };
}

void log_begins(enum mm_operation_kind kind, struct irange range)
{
	struct mm_operation operation = asked(kind, range);

	operation.begins = true;
	fake_operation(&operation);
}

void log_ends(enum mm_operation_kind kind, struct irange range, uint64_t position,
	      enum mm_status status, const uint64_t *list)
{
	struct mm_operation operation = asked(kind, range);

	operation.position = iaddr(position * PAGE_SIZE);
	operation.status = status;
	operation.metadata = list;
	fake_operation(&operation);
}

void change_pages(unsigned int first, unsigned int count, struct page_property was,
		  struct page_property becomes, uint64_t leaf)
{
	struct property_change said = { was, becomes };

	tell_jump(first);
	for (unsigned int i = first; i < first + count; i++)
		*fake_descriptor(LEAVES, i) = leaf | data(i);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(first, count),
				    .changes = &said,
				    .change_count = 1,
				    .leaves = count },
	     first + count);
}

void start_log_with(unsigned int count, struct page_property becomes, uint64_t leaf)
{
	tell_jump(0);
	log_begins(OPERATION_DIRTY_LOG_START, pages(0, 4));
	change_pages(0, count, RW, becomes, leaf);
	tell_jump(4);
	log_ends(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
}

void start_log(void)
{
	start_log_with(4, RO, LEAF_RO);
}

void fault_on(unsigned int page, bool gives)
{
	tell_jump(page);
	log_begins(OPERATION_DIRTY_LOG_FAULT, pages(page, 1));
	if (gives)
		change_pages(page, 1, RO, RW, LEAF_RW);
	tell_jump(page);
	log_ends(OPERATION_DIRTY_LOG_FAULT, pages(page, 1), page, MM_OK, NULL);
}

void take_list(unsigned int page, uint64_t list)
{
	tell_jump(8);
	log_begins(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	if (page < 4)
		change_pages(page, 1, RW, RO, LEAF_RO);
	tell_jump(8);
	log_ends(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_OK, &list);
}

void stop_log(unsigned int count)
{
	tell_jump(8);
	log_begins(OPERATION_DIRTY_LOG_STOP, pages(0, 4));
	change_pages(0, count, RO, RW, LEAF_RW);
	tell_jump(8);
	log_ends(OPERATION_DIRTY_LOG_STOP, pages(0, 0), 8, MM_OK, NULL);
}

void adopt_page(unsigned int page, struct page_property given, struct page_property said)
{
	struct mm_operation operation = asked(OPERATION_DIRTY_LOG_ADOPT, pages(page, 1));
	struct property_change answer = { given, said };

	operation.cursor = NULL;
	operation.position = pages(page, 1).start;
	operation.changes = &answer;
	operation.change_count = 1;
	fake_operation(&operation);
}
