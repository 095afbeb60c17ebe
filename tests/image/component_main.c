/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the component tests at EL2, one after the other; TAP on the console, exit code 0 or 1. */
#include <stdarg.h>
#include <stdio.h>
#include "boot_info.h"
#include "exit.h"
#include "harness.h"
#include "world_image.h"

static unsigned int number;
static const struct component_test *running;
static bool complete;	    /* the machine has everything */
static const char *missing; /* what the running test needs; NULL: nothing */

/* What comes after would not start from a known world: the run ends here. */
void test_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	printf("not ok %u - %s\n# %s:%d: ", number, running->name, file, line);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\nBail out! the world is not as it was\n");
	machine_exit(1);
}

bool test_can(bool has, const char *what)
{
	if (!has && complete)
		FAIL("the machine has no %s", what);
	if (!has)
		missing = what;
	return has;
}

int image_main(const struct boot_info *info)
{
	static struct world world;
	unsigned int count = (unsigned int)(__stop_component_tests - __start_component_tests);

	complete = boot_number(info, "complete", 0) != 0;
	printf("1..%u\n", count);
	for (number = 1; number <= count; number++) {
		running = __start_component_tests[number - 1];
		missing = NULL;
		world_start(&world, info);
		running->run(&world);
		world_finish(&world);
		printf("ok %u - %s%s%s\n", number, running->name,
		       missing != NULL ? " # SKIP the CPU has no " : "",
		       missing != NULL ? missing : "");
	}
	return count > 0 ? 0 : 1;
}
