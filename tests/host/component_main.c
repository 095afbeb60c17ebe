/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the component tests under cmocka, each on a machine of its own; TAP on standard output.
 *
 *     component [--canary=NAME] [PATTERN]
 *
 * --canary: with this defect (arch/canary.h). PATTERN: the tests of these names only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arch/canary.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "harness.h"
#include "world_host.h"

static struct world world;

void test_fail(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_error("# %s:%d: %s\n", file, line, text);
	_fail(file, line);
	abort();
}

bool test_can(bool has, const char *what)
{
	if (!has)
		FAIL("the simulated machine has no %s", what);
	return true;
}

void world_complaint(const char *judge, const char *text)
{
	print_error("# %s: %s\n", judge, text);
}

/* CPU time of all threads: some faults of what is tested make it wait, or go round, for ever. */
#define TEST_SECONDS 30

static const char *volatile running;

/* A test that has no end fails by its name, and ends the run: nothing in it can be interrupted. */
static void give_up(int number)
{
	static const char text[] = "\nBail out! no end to ";

	(void)number;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDOUT_FILENO, running, strlen(running)) < 0 || write(STDOUT_FILENO, "\n", 1) < 0)
		_exit(2);
	_exit(1);
}

/* By the clock that counts every moment: a tick hardly ever finds a thread that yields all the time. */
static void set_time(time_t seconds)
{
	static bool has_timer;
	static timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF };
	const struct itimerspec time = { .it_value.tv_sec = seconds };

	signal(SIGPROF, give_up);
	if (!has_timer && timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0)
		FAIL("the host has no timer");
	has_timer = true;
	if (timer_settime(timer, 0, &time, NULL) != 0)
		FAIL("the host's timer cannot be set");
}

static void run(void **state)
{
	const struct component_test *test = *state;
	struct world_config config = world_default_config();

	running = test->name;
	set_time(TEST_SECONDS);
	world_start(&world, &config);
	test->run(&world);
	world_finish(&world);
}

/* After a failure too. */
static int tear_down(void **state)
{
	(void)state;
	machine_destroy();
	return 0;
}

/* False if the argument is one that this build does not know. */
static bool understood(const char *argument)
{
#if STRATA_CANARIES
	static const char canary[] = "--canary=";

	if (strncmp(argument, canary, strlen(canary)) == 0)
		return canary_choose(argument + strlen(canary));
#endif
	if (argument[0] == '-')
		return false;
	cmocka_set_test_filter(argument);
	return true;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!understood(argv[i])) {
			fprintf(stderr, "%s: %s is neither an option nor a canary\n", argv[0],
				argv[i]);
			return 2;
		}

	/* cmocka says "not ok" on standard error, where no TAP reader looks. */
	if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		return 1;

	size_t count = (size_t)(__stop_component_tests - __start_component_tests);
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));

	if (tests == NULL)
		return 1;
	for (size_t i = 0; i < count; i++) {
		const struct component_test *test = __start_component_tests[i];

		tests[i] = (struct CMUnitTest){ test->name, run, NULL, tear_down, (void *)test };
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);

	int failed = _cmocka_run_group_tests("component", tests, count, NULL, NULL);

	free(tests);
	return failed == 0 ? 0 : 1;
}
