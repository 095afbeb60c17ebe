/* SPDX-License-Identifier: BSD-3-Clause */
/* What start-up finds in the command line. */
#include <boot_info.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct boot_info info;

static void options_are_words(void **state)
{
	static const struct {
		const char *line;
		const char *value; /* of "log", NULL: none */
	} cases[] = {
		{ "log=debug", "debug" },
		{ "a=b log=info c", "info" },
		{ "  log=warning\n", "warning" },
		{ "log", NULL },
		{ "log=", "" },
		{ "xlog=debug", NULL },
		{ "logs=debug", NULL },
		{ "", NULL },
		{ "log=sixteen_letters_", NULL },
		{ "log=fifteen_letters", "fifteen_letters" },
		{ "log=one log=two", "one" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char value[16] = "untouched";

		snprintf(info.command_line, sizeof(info.command_line), "%s", cases[i].line);
		if (boot_option(&info, "log", value, sizeof(value)) != (cases[i].value != NULL))
			fail_msg("'%s'", cases[i].line);
		assert_string_equal(value, cases[i].value ? cases[i].value : "untouched");
	}
}

static void options_are_numbers(void **state)
{
	static const struct {
		const char *line;
		uint64_t value; /* of "seed", 7: none */
	} cases[] = {
		{ "seed=1", 1 },
		{ "a=b seed=40000 c", 40000 },
		{ "seed=18446744073709551615", UINT64_MAX },
		{ "seed=", 0 },
		{ "seed=x", 0 },
		{ "seed=12x", 12 },
		{ "seed=100000000000000000000001", 7 },
		{ "xseed=1", 7 },
		{ "", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(info.command_line, sizeof(info.command_line), "%s", cases[i].line);
		assert_int_equal(boot_number(&info, "seed", 7), cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_words),
		cmocka_unit_test(options_are_numbers),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
