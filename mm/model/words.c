/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

static int word_compare(const struct word *a, const struct word *b)
{
	return (a->index > b->index) - (a->index < b->index);
}

TREE_GENERATE(word_tree, word, link, word_compare)

void words_init(struct words *words, struct model_pool *pool)
{
	RB_INIT(&words->tree);
	words->pool = pool;
}

static void word_delete(struct words *words, struct word *word)
{
	RB_REMOVE(word_tree, &words->tree, word);
	model_pool_give(words->pool, word);
}

void words_clear(struct words *words)
{
	while (!RB_EMPTY(&words->tree))
		word_delete(words, RB_ROOT(&words->tree));
}

static struct word *word_at_or_after(const struct words *words, uint64_t index)
{
	struct word *word = RB_ROOT(&words->tree);
	struct word *best = NULL;

	while (word != NULL) {
		if (word->index >= index) {
			best = word;
			word = RB_LEFT(word, link);
		} else {
			word = RB_RIGHT(word, link);
		}
	}
	return best;
}

bool words_next(const struct words *words, uint64_t index, struct word *out)
{
	const struct word *word = word_at_or_after(words, index);

	if (word == NULL)
		return false;
	*out = *word;
	return true;
}

bool words_find(const struct words *words, uint64_t index, uint64_t *value)
{
	const struct word *word = word_at_or_after(words, index);

	if (word == NULL || word->index != index)
		return false;
	*value = word->value;
	return true;
}

bool words_set(struct words *words, uint64_t index, uint64_t value)
{
	struct word *word = word_at_or_after(words, index);

	if (word == NULL || word->index != index) {
		word = model_pool_take(words->pool);
		if (word == NULL)
			return false;
		word->index = index;
		RB_INSERT(word_tree, &words->tree, word);
	}
	word->value = value;
	return true;
}

void words_forget(struct words *words, uint64_t index)
{
	struct word *word = word_at_or_after(words, index);

	if (word != NULL && word->index == index)
		word_delete(words, word);
}

bool words_copy(struct words *to, const struct words *from)
{
	uint64_t index = 0;
	struct word word;

	words_clear(to);
	while (words_next(from, index, &word)) {
		if (!words_set(to, word.index, word.value))
			return false;
		index = word.index + 1;
	}
	return true;
}
