/* SPDX-License-Identifier: BSD-3-Clause */
#include "pasted.h"

#include <arch/canary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct trace trace;

static int end(void)
{
	trace_check(&trace);
	if (trace.finding.judge != JUDGE_NOBODY)
		printf("%s: %s\n", judge_name(trace.finding.judge), trace.finding.text);
	trace_abandon();
	return trace.finding.judge == JUDGE_NOBODY ? 0 : 1;
}

void pasted_step(enum mm_status is, enum mm_status should_be, const char *call)
{
	if (is == should_be && trace.finding.judge == JUDGE_NOBODY)
		return;
	printf("%s is %s", call, mm_status_name(is));
	if (is != should_be)
		printf(", not %s", mm_status_name(should_be));
	printf("\n");
	end();
	exit(1);
}

int pasted_main(int argc, char **argv, enum world_size size, void (*steps)(struct objects *o))
{
#if STRATA_CANARIES
	static const char canary[] = "--canary=";

	if (argc > 1 && (strncmp(argv[1], canary, strlen(canary)) != 0 ||
			 !canary_choose(argv[1] + strlen(canary))))
		return 2;
#else
	(void)argv;
	if (argc > 1)
		return 2;
#endif
	acts_init();
	if (!trace_begin(&trace, size))
		return 2;
	steps(&trace.objects);
	return end();
}
