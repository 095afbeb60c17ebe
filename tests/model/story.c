/* SPDX-License-Identifier: BSD-3-Clause */
#include "story.h"

#include <stdio.h>

unsigned char story_arena[ARENA_SIZE];
char story_first_line[400];
char story_last_line[400];
char story_broken[2000];
unsigned int story_lines;
struct vm_space story_space;
struct cursor story_cursor;

void story_complain(const char *text)
{
	if (strncmp(text, "broken at ", strlen("broken at ")) == 0) {
		strncat(story_broken, text, sizeof(story_broken) - strlen(story_broken) - 1);
		return;
	}
	if (story_lines++ == 0)
		strncpy(story_first_line, text, sizeof(story_first_line) - 1);
	strncpy(story_last_line, text, sizeof(story_last_line) - 1);
}

uint64_t data(unsigned int page)
{
	return fake_page(DATA_PAGE + page).value;
}

void tell_space(enum mm_operation_kind kind, enum mm_status status)
{
	struct mm_operation operation = { .kind = kind, .status = status, .space = &story_space };

	fake_operation(&operation);
}

void tell_claim(const struct vm_space *space, struct prange pages, enum mm_status status)
{
	for (uint64_t page = pages.start.value; status == MM_OK && page < pages.end.value;
	     page += PAGE_SIZE)
		fake_set_owner(paddr(page), space);
	fake_operation(&(struct mm_operation){
		.kind = OPERATION_OWNER_CLAIM, .status = status, .to = space, .pages = pages });
}

/* Pages that are mapped have been claimed, if nobody had them. */
static void tell_first_map(const struct mm_operation *map)
{
	uint64_t page = map->output.value;
	uint64_t end = page + irange_size(map->range);

	if (map->status != MM_OK || !map->counted)
		return;
	for (; page < end; page += PAGE_SIZE)
		if (page_owner(paddr(page)).kind == OWNER_HYPERVISOR)
			tell_claim(&story_space, prange(paddr(page), paddr(page + PAGE_SIZE)),
				   MM_OK);
}

void tell(struct mm_operation operation, uint64_t after)
{
	operation.space = &story_space;
	tell_first_map(&operation);
	operation.cursor = &story_cursor;
	operation.position = story_cursor.position;
	story_cursor.position = iaddr(after * PAGE_SIZE);
	fake_operation(&operation);
}

struct irange pages(uint64_t first, uint64_t count)
{
	return irange(iaddr(first * PAGE_SIZE), iaddr((first + count) * PAGE_SIZE));
}

void tell_open(enum cursor_access access, uint64_t first, uint64_t count)
{
	struct mm_operation open = {
		.kind = OPERATION_CURSOR_OPEN,
		.space = &story_space,
		.cursor = &story_cursor,
		.range = pages(first, count),
	};

	story_cursor = (struct cursor){ .space = &story_space,
					.range = open.range,
					.position = open.range.start,
					.access = access };
	fake_operation(&open);
}

void write_leaf(unsigned int index, unsigned int page, uint64_t leaf)
{
	fake_set_state(paddr(data(page)), PAGE_FRAME, 1);
	*fake_descriptor(LEAVES, index) = leaf | data(page);
}

void tell_map(uint64_t page, unsigned int count, enum mm_status status)
{
	uint64_t first = story_cursor.position.value / PAGE_SIZE;

	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .status = status,
				    .range = pages(first, count),
				    .output = paddr(data((unsigned int)page)),
				    .property = RW,
				    .counted = true },
	     status == MM_OK ? first + count : first);
}

void tell_unmap(unsigned int count, uint64_t leaves)
{
	uint64_t first = story_cursor.position.value / PAGE_SIZE;

	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP,
				    .range = pages(first, count),
				    .leaves = leaves },
	     first + count);
}

static void tell_flush(enum mm_operation_kind kind, struct prange pages)
{
	struct mm_operation operation = {
		.kind = kind, .space = &story_space, .gather = &story_cursor.gather, .pages = pages
	};

	fake_operation(&operation);
}

void tell_park(unsigned int first, unsigned int count)
{
	tell_flush(OPERATION_FLUSH_ISSUE, prange(paddr(data(first)), paddr(data(first + count))));
}

void tell_release(unsigned int first, unsigned int count)
{
	tell_flush(OPERATION_FLUSH_DISPATCH, prange(paddr(0), paddr(0)));
	tell_flush(OPERATION_FLUSH_SYNC, prange(paddr(data(first)), paddr(data(first + count))));
	for (unsigned int i = 0; i < count; i++)
		fake_set_state(paddr(data(first + i)), PAGE_UNUSED, 0);
}

void tell_jump(uint64_t page)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(page, 0) }, page);
}

int story_set_up(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_set_state(ROOT, PAGE_TABLE, 1);
	fake_set_state(LEAVES, PAGE_TABLE, 1);
	story_space = (struct vm_space){
		.stage = STAGE_2,
		.geometry = { .ia_bits = 30, .root_level = 2, .root_tables = 1, .pa_bits = 40 },
		.root = ROOT,
	};
	story_lines = 0;
	story_first_line[0] = '\0';
	story_last_line[0] = '\0';
	story_broken[0] = '\0';
	model_start(story_arena, sizeof(story_arena), story_complain);
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
	tell_open(CURSOR_MUTABLE, 0, 64);
	for (unsigned int i = 0; i < 4; i++)
		write_leaf(i, i, LEAF_RW);
	tell_map(0, 4, MM_OK);
	return 0;
}

int story_tear_down(void **state)
{
	(void)state;
	model_stop();
	return fake_observer_attached();
}

void expect_truth(void)
{
	if (model_report().differences != 0)
		fail_msg("%s", story_last_line);
	assert_int_equal(story_lines, 0);
}

void expect_lie(const char *words)
{
	if (model_report().differences != 1 || strstr(story_last_line, words) == NULL)
		fail_msg("%llu differences, last: %s",
			 (unsigned long long)model_report().differences, story_last_line);
	assert_int_equal(story_lines, 1);
}

void expect_broken(const char *number)
{
	char words[32];

	snprintf(words, sizeof(words), ": invariant %s (", number);
	if (strstr(story_broken, words) == NULL)
		fail_msg("%s is not broken, but %s", number, story_broken);
}
