/* SPDX-License-Identifier: BSD-3-Clause */
#include "act.h"

#include <stdio.h>
#include <string.h>

/*
 * Each row of ops.def is drawn, by at least one call with the statuses that it reaches, or is not, and never
 * both: otherwise this does not compile. A type is declared as often as one likes, but as one thing.
 */
struct drawn;
struct not_drawn;
#define ACT(operation, variant, status) typedef struct drawn calls_of_##operation;
#define NOT_DRAWN(operation) typedef struct not_drawn calls_of_##operation;
#include "acts.def"
#define REACHES(operation, ...) typedef struct drawn statuses_of_##operation;
#define NOT_DRAWN(operation) typedef struct not_drawn statuses_of_##operation;
#include "acts.def"
#define OP(name, ...)                                                                              \
	_Static_assert(_Generic((calls_of_##name *)NULL, statuses_of_##name * : true), #name);
#include <strata/ops.def>

static struct act_words acts[ACTS] = {
#define ACT(op, variant, status)                                                                   \
	{ .name = #op #variant, .text = #status, .operation = OPERATION_##op },
#define BESIDE(called, status) { .name = #called, .text = #status, .operation = OPERATION_COUNT },
#include "acts.def"
};

static const struct {
	const char *kind, *name;
	unsigned int count;
} objects[] = {
#define OBJECT_NAME(kind, type, name, count) { #kind, #name, count },
	OBJECTS(OBJECT_NAME)
#undef OBJECT_NAME
};

static const char *const numbers[] = {
#define NUMBER_NAME(word) #word,
	NUMBERS(NUMBER_NAME)
#undef NUMBER_NAME
};

/* ---- Words ------------------------------------------------------------------------------------- */

enum word_role {
	WORD_PLAIN,
	WORD_USED,
	WORD_ENDED,
	WORD_MADE,
	WORD_OTHER_SPACE,
	WORD_NUMBER,
};

struct word {
	size_t length;
	enum word_role role;
	unsigned int index; /* enum object_kind or enum number */
};

static bool is_of_word(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_name(const char *text, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(text, name, length) == 0;
}

static bool find_object(const char *text, size_t length, unsigned int *index)
{
	for (*index = 0; *index < OBJECT_KINDS; (*index)++)
		if (is_name(text, length, objects[*index].kind))
			return true;
	return false;
}

/* The word that @text begins with; a character that is of none is one. */
static struct word next_word(const char *text)
{
	struct word word = { .length = 0 };

	while (is_of_word(text[word.length]))
		word.length++;
	if (word.length == 0) {
		word.length = 1;
		return word;
	}
	for (word.index = 0; word.index < NUMBER_WORDS; word.index++)
		if (is_name(text, word.length, numbers[word.index])) {
			word.role = WORD_NUMBER;
			return word;
		}
	if (is_name(text, word.length, "OTHER_SPACE"))
		word.role = WORD_OTHER_SPACE;
	else if (strncmp(text, "NEW_", 4) == 0 &&
		 find_object(text + 4, word.length - 4, &word.index))
		word.role = WORD_MADE;
	else if (strncmp(text, "END_", 4) == 0 &&
		 find_object(text + 4, word.length - 4, &word.index))
		word.role = WORD_ENDED;
	else if (find_object(text, word.length, &word.index))
		word.role = WORD_USED;
	return word;
}

static void read_words(struct act_words *act)
{
	for (const char *text = act->text; *text != '\0';) {
		struct word word = next_word(text);

		switch (word.role) {
		case WORD_ENDED:
			act->ends |= UINT32_C(1) << word.index;
			act->uses |= UINT32_C(1) << word.index;
			break;
		case WORD_USED:
			act->uses |= UINT32_C(1) << word.index;
			break;
		case WORD_MADE:
			act->makes |= UINT32_C(1) << word.index;
			break;
		case WORD_OTHER_SPACE:
			act->other_space = true;
			break;
		case WORD_NUMBER:
			act->numbers |= UINT32_C(1) << word.index;
			break;
		default:
			break;
		}
		text += word.length;
	}
}

void acts_init(void)
{
	for (unsigned int i = 0; i < ACTS; i++)
		read_words(&acts[i]);
}

const struct act_words *act_words(enum act act)
{
	return &acts[act];
}

unsigned int object_count(enum object_kind kind)
{
	return objects[kind].count;
}

void *object_at(struct objects *o, enum object_kind kind, unsigned int index, size_t *size)
{
	switch (kind) {
#define OBJECT_CASE(kind, type, name, count)                                                       \
	case OBJECT_##kind:                                                                        \
		*size = sizeof(type);                                                              \
		return &o->name[index];
		OBJECTS(OBJECT_CASE)
#undef OBJECT_CASE
	default:
		*size = 0;
		return NULL;
	}
}

/* ---- As C -------------------------------------------------------------------------------------- */

struct writer {
	char *text;
	size_t size;
	size_t used;
};

static void put(struct writer *writer, const char *text, size_t length)
{
	for (size_t i = 0; i < length && writer->used + 1 < writer->size; i++)
		writer->text[writer->used++] = text[i];
	writer->text[writer->used] = '\0';
}

static void put_text(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

static void put_object(struct writer *writer, unsigned int kind, unsigned int index)
{
	char text[40];

	snprintf(text, sizeof(text), "&o->%s[%u]", objects[kind].name, index);
	put_text(writer, text);
}

static void put_number(struct writer *writer, enum number number, uint64_t value)
{
	char text[40];

	if (number == NUMBER_ACCESS)
		snprintf(text, sizeof(text), "CURSOR_%s",
			 value == CURSOR_MUTABLE ? "MUTABLE" : "READ_ONLY");
	else if (number == NUMBER_CONTENTS)
		snprintf(text, sizeof(text), "FRAME_%s",
			 value == FRAME_ZEROED ? "ZEROED" : "UNDEFINED");
	else if (number == NUMBER_METADATA && value == 0)
		snprintf(text, sizeof(text), "NULL");
	else if (number == NUMBER_METADATA)
		snprintf(text, sizeof(text), "&o->metadata[%u]", (unsigned int)value - 1);
	else
		snprintf(text, sizeof(text), value < 10 ? "%llu" : "0x%llx",
			 (unsigned long long)value);
	put_text(writer, text);
}

/* "(&o->frames[3])", but where that is the whole argument, without the parentheses. */
static void put_used(struct writer *writer, const struct step *step, struct word word,
		     const char *rest)
{
	bool member = strncmp(rest, "->", 2) == 0;

	if (member)
		put_text(writer, "(");
	put_object(writer, word.index,
		   word.role == WORD_MADE ? step->made[word.index] : step->used[word.index]);
	if (member)
		put_text(writer, ")");
}

void act_print(const struct step *step, char *text, size_t size)
{
	struct writer writer = { text, size, 0 };

	for (const char *at = acts[step->act].text; *at != '\0';) {
		struct word word = next_word(at);

		switch (word.role) {
		case WORD_USED:
		case WORD_ENDED:
		case WORD_MADE:
			put_used(&writer, step, word, at + word.length);
			break;
		case WORD_OTHER_SPACE:
			put_object(&writer, OBJECT_SPACE, step->other_space);
			break;
		case WORD_NUMBER:
			put_number(&writer, (enum number)word.index, step->numbers[word.index]);
			break;
		default:
			put(&writer, at, word.length);
			break;
		}
		at += word.length;
	}
}

/* ---- What must be met -------------------------------------------------------------------------- */

static uint32_t set_of(const enum mm_status *statuses, size_t count)
{
	uint32_t set = 0;

	for (size_t i = 0; i < count; i++)
		set |= UINT32_C(1) << statuses[i];
	return set;
}

#define STATUSES(...)                                                                              \
	{                                                                                          \
		static const enum mm_status statuses[] = { __VA_ARGS__ };                          \
                                                                                                   \
		return set_of(statuses, sizeof(statuses) / sizeof(statuses[0]));                   \
	}

/* Without a default: each operation is in the table. */
static uint32_t operation_reaches(enum mm_operation_kind kind)
{
	switch (kind) {
#define REACHES(operation, ...)                                                                    \
	case OPERATION_##operation:                                                                \
		STATUSES(__VA_ARGS__)
#define NOT_DRAWN(operation)                                                                       \
	case OPERATION_##operation:                                                                \
		return 0;
#include "acts.def"
	case OPERATION_COUNT:
		break;
	}
	return 0;
}

static uint32_t operation_meets_seldom(enum mm_operation_kind kind)
{
	switch ((unsigned int)kind) {
#define SELDOM(operation, ...)                                                                     \
	case OPERATION_##operation:                                                                \
		STATUSES(__VA_ARGS__)
#include "acts.def"
	default:
		return 0;
	}
}

static uint32_t beside_reaches(unsigned int act)
{
	switch (act) {
#define REACHES_BESIDE(name, ...)                                                                  \
	case ACT_##name:                                                                           \
		STATUSES(__VA_ARGS__)
#include "acts.def"
	default:
		return 0;
	}
}

unsigned int act_call(enum act act)
{
	return acts[act].operation == OPERATION_COUNT ? OPERATION_COUNT + act
						      : (unsigned int)acts[act].operation;
}

const char *call_name(unsigned int call)
{
	if (call_reaches(call) == 0)
		return NULL;
	return call < OPERATION_COUNT ? op_information((enum mm_operation_kind)call)->name
				      : acts[call - OPERATION_COUNT].name;
}

uint32_t call_reaches(unsigned int call)
{
	return call < OPERATION_COUNT ? operation_reaches((enum mm_operation_kind)call)
				      : beside_reaches(call - OPERATION_COUNT);
}

uint32_t call_meets_seldom(unsigned int call)
{
	return call < OPERATION_COUNT ? operation_meets_seldom((enum mm_operation_kind)call) : 0;
}
