/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"

#include "check_object.h"
#include "invariant.h"
#include "step.h"

#include <arch/cpu.h>
#include <inttypes.h>
#include <stdatomic.h>

/*
 * One model per machine, as the subsystem reports to one observer. Operations on disjoint ranges
 * arrive from several CPUs at once: the lock makes them a sequence. It is taken below the locks that
 * operations are reported under, those of nodes and of where spaces are active. What the model asks the subsystem (page_state,
 * page_owner, vm_space_vmid) may take a zone's, the ownership or the VMID lock below it: nothing is
 * reported under those.
 */
static struct checker checker;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static bool running;

/* Operations so far, of all CPUs and of each, up to its last one. */
static uint64_t order, order_of[STRATA_MAX_CPUS];

static void lock_take(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		cpu_relax();
}

static void lock_release(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

/* What comes after an operation that could not be recorded would be judged by a wrong state. */
static void stop_if_out_of_storage(void)
{
	if (!checker.store.out_of_storage)
		return;
	running = false;
	difference((struct subject){ "model", 0 }, iaddr(0),
		   "its arena of %" PRIu64
		   " bytes is full, nothing is checked after operation %" PRIu64,
		   (uint64_t)checker.store.registry.arena.used, checker.operations);
}

/* What a service or a transfer was given when it began, it may have used up when it ends. */
static bool is_asked(const struct mm_operation *operation)
{
	enum op_category category = op_information(operation->kind)->category;

	if (operation->begins)
		return true;
	return category != CATEGORY_SERVICE &&
	       !(category == CATEGORY_IO && checker.begun[cpu_index()].kind == operation->kind);
}

/* Nobody may ask without the precondition: what came of it is no answer to that. */
static void check_asked(const struct mm_operation *operation)
{
	const struct op_information *row = op_information(operation->kind);
	struct op op = op_of(operation);
	const struct live_space *space = store_space(&checker.store, op.space);
	const char *lacks = op_pre(&checker.store, &op);

	if (lacks != NULL)
		difference((struct subject){ row->function[0] == '\0' ? row->name : row->function,
					     space == NULL ? 0 : space->number },
			   operation->position, "asked without its precondition: %s", lacks);
}

static void check(const struct mm_operation *operation)
{
	if (is_asked(operation))
		check_asked(operation);
	switch (op_information(operation->kind)->category) {
	case CATEGORY_SPACE:
		check_space_operation(&checker, operation);
		break;
	case CATEGORY_CURSOR:
		check_cursor_operation(&checker, operation);
		break;
	case CATEGORY_FLUSH:
		if (operation->kind == OPERATION_CURSOR_FLUSH)
			check_cursor_operation(&checker, operation);
		else
			check_object_operation(&checker, operation);
		break;
	case CATEGORY_OWNER:
		check_owner_operation(&checker, operation);
		break;
	case CATEGORY_SERVICE:
		check_service_operation(&checker, operation);
		break;
	case CATEGORY_IO:
		check_io_operation(&checker, operation);
		break;
	case CATEGORY_FRAME:
	case CATEGORY_UNIQUE:
	case CATEGORY_SEGMENT:
	case CATEGORY_LIST:
	case CATEGORY_AREA:
	case CATEGORY_MEMORY:
		check_object_operation(&checker, operation);
		break;
	case CATEGORY_COUNT:
		break;
	}
}

static void learn_memory(const struct mm_operation *operation)
{
	bool adds = operation != NULL && operation->kind == OPERATION_MEMORY_ADD &&
		    operation->status == MM_OK;

	if (!checker.store.memory_known)
		store_learn_memory(&checker.store,
				   adds ? operation->pages : prange(paddr(0), paddr(0)));
}

static void count(const struct mm_operation *operation)
{
	uint64_t before = checker.operations;

	check(operation);
	checker.categories[op_information(operation->kind)->category] +=
		checker.operations - before;
	check_consequences(&checker, operation->kind);
}

static void observe_operation(const struct mm_operation *operation)
{
	lock_take();
	if (running) {
		checker.store.cpus |= mm_cpus_in_flight() | UINT32_C(1) << cpu_index();
		learn_memory(operation);
		count(operation);
		checker.reports += !operation->begins;
		order_of[cpu_index()] = ++order;
		stop_if_out_of_storage();
	}
	lock_release();
}

void model_start(void *arena, size_t size, void (*complain)(const char *text))
{
	checker = (struct checker){ 0 };
	store_init(&checker.store, arena, size);
	differences_start(complain);
	running = true;
	mm_operation_attach(observe_operation);
}

uint64_t model_check_all(void)
{
	uint64_t differences;

	lock_take();
	if (running) {
		checker.full_checks++;
		learn_memory(NULL);
		check_everything(&checker);
		stop_if_out_of_storage();
	}
	differences = differences_count();
	lock_release();
	return differences;
}

struct model_report model_report(void)
{
	struct model_report report;

	lock_take();
	report = (struct model_report){
		.operations = checker.operations,
		.differences = differences_count(),
		.descriptors = checker.descriptors,
		.arena_used = checker.store.registry.arena.used,
		.full_checks = checker.full_checks,
		.invariants = invariant_count(),
		.handles = checker.store.counts[SHARE_FRAME] +
			   checker.store.counts[SHARE_UNIQUE_FRAME] +
			   checker.store.counts[SHARE_SEGMENT],
	};
	for (unsigned int i = 0; i < MODEL_CATEGORIES; i++)
		report.categories[i] = checker.categories[i];
	lock_release();
	return report;
}

_Static_assert(MODEL_CATEGORIES == CATEGORY_COUNT, "a report has every category");

const char *model_category_name(unsigned int category)
{
	return op_category_name((enum op_category)category);
}

uint64_t model_order(void)
{
	uint64_t last;

	lock_take();
	last = order_of[cpu_index()];
	lock_release();
	return last;
}

const struct store *model_store(void)
{
	return &checker.store;
}

void model_not_alone(void)
{
	lock_take();
	checker.store.unseen = true;
	lock_release();
}

void model_readopt(struct paddr page)
{
	lock_take();
	store_readopt(&checker.store, page);
	lock_release();
}

void model_stop(void)
{
	mm_operation_attach(NULL);
	lock_take();
	running = false;
	lock_release();
}
