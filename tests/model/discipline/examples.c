/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the examples (examples.h).
 *
 *     examples --list     the names
 *     examples --rules    the rules, as docs/model.md shows them
 *     examples NAME       runs one: its trace in casemate's format, reports after "!", and what else
 *                         is worth knowing after ";"
 */
#include "examples.h"

#include <host/machine.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct example {
	const char *name;
	void (*run)(void);
};

#define BOTH(name, sentence, section) { "bad_" #name, bad_##name }, { "good_" #name, good_##name },
static const struct example examples[] = {
	DISCIPLINE_RULES(BOTH){ "bad_dsb_missing_between", bad_dsb_missing_between },
};

#define COUNT (sizeof(examples) / sizeof(examples[0]))

static void print_line(const char *line)
{
	puts(line);
}

static void complain(const char *text)
{
	printf("! %s\n", text);
}

static void run(const struct example *example)
{
	static unsigned char arena[1 << 20];
	const struct machine_config config = {
		.memory = { prange(paddr(0x40000000), paddr(0x40400000)) },
		.memory_count = 1,
		.features = machine_features_v8_4(),
	};

	if (!machine_create(&config))
		exit(2);
	discipline_start(arena, sizeof(arena), complain);
	discipline_trace(print_line);
	example->run();
	for (int kind = 0; kind < VIOLATION_COUNT; kind++)
		if (machine_violations(kind) != 0)
			printf("; the simulated MMU: %s\n", machine_violation_name(kind));
	printf("; %" PRIu64 " reports\n", discipline_report().reports);
	discipline_stop();
	machine_destroy();
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "--list") == 0) {
		for (size_t i = 0; i < COUNT; i++)
			puts(examples[i].name);
		return 0;
	}
	if (strcmp(what, "--rules") == 0) {
		for (int rule = 0; rule < DISCIPLINE_RULE_COUNT; rule++)
			printf("| `%s` | %s | %s |\n", discipline_rule_name(rule),
			       discipline_rule_sentence(rule), discipline_rule_section(rule));
		return 0;
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(what, examples[i].name) == 0) {
			run(&examples[i]);
			return 0;
		}
	}
	fprintf(stderr, "%s: no example is called %s\n", argv[0], what);
	return 2;
}
