/* SPDX-License-Identifier: BSD-3-Clause */
#include "dirty_rounds.h"
#include "draw.h"

#define FIRST UINT64_C(5)
#define COUNT UINT64_C(700)
#define ROUNDS 12

void expect_stores_listed(struct vm_space *space, uint64_t pages, logged_store *store)
{
	_Atomic uint64_t words[DIRTY_LOG_WORDS(COUNT)];
	uint64_t list[DIRTY_LIST_WORDS(COUNT)];
	struct dirty_log log;
	struct cursor cursor;
	uint32_t random = 4711;

	open_at(space, AT(FIRST), AT(COUNT), &cursor);
	EXPECT_OK(dirty_log_start(&cursor, AT(COUNT), words, &log));
	cursor_close(&cursor);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t model[DIRTY_LIST_WORDS(COUNT)] = { 0 };
		uint64_t stores = round == 5 ? 6000 : next_random(&random) % 300;

		for (uint64_t i = 0; i < stores; i++) {
			uint64_t page = next_random(&random) % pages;

			store(space, &log, next_random(&random), page);
			if (page >= FIRST && page < FIRST + COUNT)
				model[(page - FIRST) / 64] |= UINT64_C(1) << (page - FIRST) % 64;
		}
		open_at(space, 0, AT(pages), &cursor);
		EXPECT_OK(dirty_log_take(&log, &cursor, list));
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
		for (size_t i = 0; i < COUNT_OF(list); i++)
			EXPECT_EQUAL(list[i], model[i]);
		if (round == ROUNDS - 1)
			EXPECT_OK(dirty_log_stop(&log, &cursor));
		cursor_close(&cursor);
	}
}
