/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The product: guests at work on all CPUs while their memory moves, one that tries to get out, and an
 * account of it.
 *
 * Exit codes: 0, everything held; 1, something did not, and the output says what; 2, no usable
 * input or bootargs; 3, not enough memory for the guests.
 */
#include <arch/observe.h>
#include <inttypes.h>
#include <stdio.h>
#include <strata/deferred_tables.h>
#include <strata/heap.h>
#include "../boot_info.h"
#include "../interrupts.h"
#include "../log.h"
#include "../report.h"
#include "escape.h"
#include "judge.h"
#include "report.h"
#if STRATA_CHECKED
#include <discipline.h>
#include <model.h>
#endif

#define EXIT_HELD 0
#define EXIT_WRONG 1
#define EXIT_NO_INPUT 2
#define EXIT_OUT_OF_MEMORY 3

/* One part in this many of the model's memory is the discipline's. */
#define DISCIPLINE_SHARE 4

static bool usage_equal(const struct mm_usage *a, const struct mm_usage *b)
{
	for (size_t i = 0; i < PAGE_USAGE_COUNT; i++) {
		if (a->pages[i] != b->pages[i])
			return false;
	}
	return true;
}

/* Says why a part ended before it was done, and what exit code that makes. */
static int explain(const char *part, enum mm_status status)
{
	if (status == MM_OK)
		return EXIT_HELD;
	log_error("%s: ended early: %s%s", part, mm_status_name(status),
		  status == MM_NO_MEMORY       ? ": there is too little RAM for this file"
		  : status == MM_NOT_SUPPORTED ? ": the CPU's physical address size is too small"
					       : "");
	return status == MM_NO_MEMORY ? EXIT_OUT_OF_MEMORY : EXIT_WRONG;
}

static int run_guests(const struct boot_info *info, struct job *job, struct escape_result *escape)
{
	report_guests(job);
	int code = explain("guests", job_run(job));
	report_job(job);
	if (code == EXIT_OUT_OF_MEMORY)
		return code;
	if (!job_judge(job))
		code = EXIT_WRONG;
	printf("escape (another guest tries to leave its space)\n");
	int escape_code = explain("escape", escape_run(info, job, escape));
	printf("  attempts %" PRIu64 ", not as expected %" PRIu64 "\n", escape->attempts,
	       escape->wrong);
	if (escape->wrong != 0)
		escape_code = EXIT_WRONG;
	return code == EXIT_HELD ? escape_code : code;
}

#if STRATA_CHECKED

static void complain(const char *text)
{
	log_error("model: %s", text);
}

static void complain_of_discipline(const char *text)
{
	log_error("discipline: %s", text);
}

/* EL2's own table is one of those that the job uses: the model and the discipline see it made. */
void image_prepare(const struct boot_info *info)
{
	char *pool = mm_linear(info->model_pool.start);
	const size_t size = prange_size(info->model_pool);
	const size_t part = size / DISCIPLINE_SHARE;

	discipline_start(pool, part, complain_of_discipline);
	model_start(pool + part, size - part, complain);
}

#endif

int image_main(const struct boot_info *info)
{
	struct escape_result escape = { 0 };
	struct job_input input;
	struct job *job;
	void *memory;

	report_entry(info);
	report_memory_map(info);
	report_el2_space(info);
	if (!interrupts_init(info))
		log_warning("no timer interrupt: guests take turns by their exits alone");
	if (!input_open(info, &input))
		return EXIT_NO_INPUT;
	if (heap_alloc(sizeof(*job), &memory) != MM_OK)
		return explain("guests", MM_NO_MEMORY);
	job = memory;
	*job = (struct job){ 0 };

	struct mm_usage before = mm_usage();
	int code = explain("guests", job_create(job, &input));
	if (code == EXIT_HELD) {
		code = run_guests(info, job, &escape);
		job_destroy(job);
	}
	(void)deferred_tables_drain();

	struct mm_usage after = mm_usage();

	report_closing(job, &escape, &before, &after);
	heap_free(job);
	if (code == EXIT_HELD && !usage_equal(&before, &after))
		code = EXIT_WRONG;
	input_close(&input);
	if (!report_verdict() && code == EXIT_HELD)
		code = EXIT_WRONG;
	return code;
}
