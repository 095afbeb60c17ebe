/* SPDX-License-Identifier: BSD-3-Clause */
/* Whoever judges the main job must find each thing wrong by itself, and nothing else. */
#include "log.h"
#include "monitor/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUM 0x12345678

static unsigned int errors;
static char last_error[256];

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	assert_int_equal(level, LOG_ERROR);
	errors++;
	va_start(arguments, format);
	vsnprintf(last_error, sizeof(last_error), format, arguments);
	va_end(arguments);
}

static struct job_input input = { .expected_sum = SUM };

static struct job right_job(void)
{
	static const char *const names[JOB_GUESTS] = { "guest 1", "guest 2" };
	struct job job = { .input = &input, .guest_count = JOB_GUESTS };

	for (size_t i = 0; i < JOB_GUESTS; i++) {
		job.guests[i].guest.name = names[i];
		job.guests[i].guest.vcpu_count = 1;
		job.guests[i].reported = true;
		job.guests[i].sum = SUM;
		job.guests[i].guest.statistics = (struct guest_statistics){
			.pages_migrated = 1,
			.pages_evicted = 1,
			.pages_refilled = 1,
			.dirty_rounds = 1,
			.pages_accessed = 1,
			.pages_cold = 1,
			.snapshots = 1,
			.spurious = 1,
			.migrated_meanwhile = 1,
			.evicted_meanwhile = 1,
			.cold_meanwhile = 1,
			.logs_meanwhile = 1,
			.looks_meanwhile = 1,
			.snapshots_meanwhile = 1,
		};
	}
	errors = 0;
	return job;
}

static void expect_one_error(const struct job *job, const char *text)
{
	assert_false(job_judge(job));
	assert_int_equal(errors, 1);
	assert_string_equal(last_error, text);
}

static void what_is_right_is_right(void **state)
{
	struct job job = right_job();

	(void)state;
	assert_true(job_judge(&job));
	assert_int_equal(errors, 0);
}

static void wrong_sums_are_found(void **state)
{
	struct job job = right_job();

	(void)state;
	job.guests[1].sum ^= 1;
	expect_one_error(&job, "guest 2: its sum is not the expected one");
	job = right_job();
	job.guests[0].different = 1;
	expect_one_error(&job, "guest 1: a later repetition has another sum than the first");
}

static void stale_writes_are_found(void **state)
{
	struct job job = right_job();

	(void)state;
	job.guests[0].guest.statistics.written_after_move = 1;
	expect_one_error(&job, "guest 1: it wrote to a frame after that was taken away");
	job = right_job();
	job.guests[1].guest.statistics.pages_not_listed = 1;
	expect_one_error(&job,
			 "guest 2: it changed a page that was write-protected, without a fault");
	job = right_job();
	job.guests[1].guest.statistics.pages_torn = 1;
	expect_one_error(&job, "guest 2: a snapshot of it has what it wrote later");
	job = right_job();
	job.guests[0].guest.statistics.pages_unseen = 1;
	expect_one_error(&job, "guest 1: it used a page that was not seen to be accessed");
}

struct service {
	size_t member;
	const char *text;
};

static void set_to_zero(struct job_guest *guest, size_t member)
{
	memset((char *)&guest->guest.statistics + member, 0, sizeof(uint64_t));
}

/* Each of them, when it alone never was, of a guest with @vcpus virtual CPUs. */
static void services_are_found(const struct service *services, size_t count, unsigned int vcpus)
{
	for (size_t i = 0; i < count; i++) {
		struct job job = right_job();
		char text[80];

		job.guests[1].guest.vcpu_count = vcpus;
		set_to_zero(&job.guests[1], services[i].member);
		snprintf(text, sizeof(text), "guest 2: %s", services[i].text);
		expect_one_error(&job, text);
	}
}

static void services_that_never_were_are_found(void **state)
{
	static const struct service services[] = {
		{ offsetof(struct guest_statistics, pages_migrated), "no page of it was migrated" },
		{ offsetof(struct guest_statistics, pages_evicted), "no page of it was unmapped" },
		{ offsetof(struct guest_statistics, pages_refilled), "no page of it was refilled" },
		{ offsetof(struct guest_statistics, dirty_rounds), "no dirty log of it was taken" },
		{ offsetof(struct guest_statistics, pages_accessed),
		  "no page of it was seen accessed" },
		{ offsetof(struct guest_statistics, pages_cold),
		  "no cold page of it was unmapped" },
		{ offsetof(struct guest_statistics, snapshots), "no snapshot of it was taken" },
	};

	(void)state;
	services_are_found(services, sizeof(services) / sizeof(services[0]), 1);
}

/* Of a guest with several virtual CPUs. */
static void what_never_was_meanwhile_is_found(void **state)
{
	static const struct service services[] = {
		{ offsetof(struct guest_statistics, migrated_meanwhile),
		  "no page of it was migrated while another CPU ran it" },
		{ offsetof(struct guest_statistics, evicted_meanwhile),
		  "no page of it was unmapped while another CPU ran it" },
	};

	(void)state;
	services_are_found(services, sizeof(services) / sizeof(services[0]), 2);
}

/* Of all guests: that one of them never met it is right. */
static void what_no_guest_met_is_found(void **state)
{
	static const struct service services[] = {
		{ offsetof(struct guest_statistics, spurious),
		  "no two virtual CPUs of a guest faulted on one page" },
		{ offsetof(struct guest_statistics, cold_meanwhile),
		  "no cold page of a guest was unmapped while another CPU ran it" },
		{ offsetof(struct guest_statistics, logs_meanwhile),
		  "no dirty log of a guest began while another CPU ran it" },
		{ offsetof(struct guest_statistics, looks_meanwhile),
		  "no look at a guest began while another CPU ran it" },
		{ offsetof(struct guest_statistics, snapshots_meanwhile),
		  "no snapshot of a guest began while another CPU ran it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		struct job job = right_job();

		job.guests[0].guest.vcpu_count = 2;
		job.guests[1].guest.vcpu_count = 2;
		set_to_zero(&job.guests[0], services[i].member);
		assert_true(job_judge(&job));
		set_to_zero(&job.guests[1], services[i].member);
		expect_one_error(&job, services[i].text);
	}
}

/* Of a guest that did not come to its end, only why is said. */
static void ends_before_the_end_are_found(void **state)
{
	struct job job = right_job();

	(void)state;
	job.guests[0].reported = false;
	job.guests[0].sum = 0;
	job.guests[0].guest.statistics.dirty_rounds = 0;
	expect_one_error(&job, "guest 1 did not come to its end");
	errors = 0;
	job.guests[0].guest.stopped = "of a reason";
	expect_one_error(&job, "guest 1 was stopped: of a reason");
	errors = 0;
	job.guests[0].guest.stopped = NULL;
	job.guests[0].silence = JOB_SILENCE_MAX + 1;
	expect_one_error(&job, "guest 1 only spends its time, and has not called for seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_right),
		cmocka_unit_test(wrong_sums_are_found),
		cmocka_unit_test(stale_writes_are_found),
		cmocka_unit_test(services_that_never_were_are_found),
		cmocka_unit_test(what_never_was_meanwhile_is_found),
		cmocka_unit_test(what_no_guest_met_is_found),
		cmocka_unit_test(ends_before_the_end_are_found),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
