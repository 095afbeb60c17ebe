/* SPDX-License-Identifier: BSD-3-Clause */
#include "lock.h"
#include "panic.h"
#include "per_cpu.h"

const char *mm_lock_class_name(enum mm_lock_class class)
{
	static const char *const names[] = {
#define NAME(name, rank, text) text,
		MM_LOCK_CLASSES(NAME)
#undef NAME
	};

	return names[class];
}

void lock_wait(enum mm_lock_class class)
{
	count_add(&mm_this_cpu()->locks[class].waited, 1);
	cpu_relax();
}

void ticket_wait(struct ticket_lock *lock, uint16_t ticket, enum mm_lock_class class)
{
	lock_wait(class);
	/* Acquire: what the last holder wrote is seen by this one. */
	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		cpu_relax();
}

#if STRATA_CHECKED

static unsigned int rank_of(enum mm_lock_class class)
{
	static const uint8_t ranks[] = {
#define RANK(name, rank, text) rank,
		MM_LOCK_CLASSES(RANK)
#undef RANK
	};

	return ranks[class];
}

/* @end is where the text ends; it stays one even if it does not fit. */
static char *append(char *at, const char *end, const char *text)
{
	while (at < end && *text != '\0')
		*at++ = *text++;
	*at = '\0';
	return at;
}

/* A panic that names two classes, @first and @then before them. */
static void refuse(const char *first, enum mm_lock_class asked, const char *then,
		   enum mm_lock_class held, const void *lock)
{
	/* A panic ends it all: the first CPU that comes here has it to itself. */
	static char sentence[160];
	const char *end = sentence + sizeof(sentence) - 1;
	char *at = append(sentence, end, first);

	at = append(at, end, mm_lock_class_name(asked));
	at = append(at, end, then);
	append(at, end, mm_lock_class_name(held));
	mm_panic(sentence, (uint64_t)(uintptr_t)lock);
}

void lock_asked(const void *lock, enum mm_lock_class class)
{
	const struct locks_held *held = &mm_this_cpu()->locks_held;

	for (uint32_t i = 0; i < held->count; i++) {
		enum mm_lock_class other = held->locks[i].class;

		if (held->locks[i].lock == lock)
			refuse("no CPU takes a lock twice: that of ", class, ", under that of ",
			       other, lock);
		if (rank_of(class) <= rank_of(other))
			refuse("locks are taken in order: that of ", class,
			       " does not come after that of ", other, lock);
	}
}

void lock_node_asked(const void *node)
{
	lock_asked(node, MM_LOCK_NODE);
}

void lock_count_taken(enum mm_lock_class class)
{
	count_add(&mm_this_cpu()->locks[class].taken, 1);
}

void lock_taken(const void *lock, enum mm_lock_class class)
{
	struct locks_held *held = &mm_this_cpu()->locks_held;

	MM_INVARIANT(held->count < LOCKS_HELD_MAX, "a CPU has few locks at once", held->count);
	held->locks[held->count].lock = lock;
	held->locks[held->count].class = class;
	held->count++;
	lock_count_taken(class);
}

void lock_given(const void *lock)
{
	struct locks_held *held = &mm_this_cpu()->locks_held;
	uint32_t i = held->count;

	while (i > 0 && held->locks[i - 1].lock != lock)
		i--;
	MM_INVARIANT(i > 0, "a lock is given back by the CPU that has it", (uintptr_t)lock);
	held->count--;
	for (i--; i < held->count; i++)
		held->locks[i] = held->locks[i + 1];
}

#endif
