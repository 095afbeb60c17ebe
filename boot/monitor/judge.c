/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge.h"

#include <stddef.h>
#include "../log.h"

/* Says @text of @guest unless it @held. */
static bool claim(bool held, const struct guest *guest, const char *text)
{
	if (!held)
		log_error("%s: %s", guest->name, text);
	return held;
}

static bool came_to_its_end(const struct job_guest *guest)
{
	if (guest->reported)
		return true;
	if (guest->guest.stopped)
		log_error("%s was stopped: %s", guest->guest.name, guest->guest.stopped);
	else if (guest->silence > JOB_SILENCE_MAX)
		log_error("%s only spends its time, and has not called for seconds",
			  guest->guest.name);
	else
		log_error("%s did not come to its end", guest->guest.name);
	return false;
}

/* A translation that outlived its removal, or its rights, shows here. */
static bool was_kept_out(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;
	bool right = claim(statistics->written_after_move == 0, guest,
			   "it wrote to a frame after that was taken away");

	right &= claim(statistics->pages_not_listed == 0, guest,
		       "it changed a page that was write-protected, without a fault");
	right &= claim(statistics->pages_torn == 0, guest,
		       "a snapshot of it has what it wrote later");
	return claim(statistics->pages_unseen == 0, guest,
		     "it used a page that was not seen to be accessed") &&
	       right;
}

static bool sums_are_right(const struct job_guest *guest, uint32_t expected)
{
	bool right =
		claim(guest->sum == expected, &guest->guest, "its sum is not the expected one");

	return claim(guest->different == 0, &guest->guest,
		     "a later repetition has another sum than the first") &&
	       right;
}

/*
 * However short the file is, a guest goes twice over a working set of at least 64 MiB, and calls for
 * services every few pages: over a thousand times. None of a kind means that it is broken, or that
 * memory was short all the while.
 */
static bool was_served(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;
	bool right = claim(statistics->pages_migrated != 0, guest, "no page of it was migrated");

	right &= claim(statistics->pages_evicted != 0, guest, "no page of it was unmapped");
	right &= claim(statistics->pages_refilled != 0, guest, "no page of it was refilled");
	right &= claim(statistics->pages_accessed != 0, guest, "no page of it was seen accessed");
	right &= claim(statistics->pages_cold != 0, guest, "no cold page of it was unmapped");
	right &= claim(statistics->snapshots != 0, guest, "no snapshot of it was taken");
	return claim(statistics->dirty_rounds != 0, guest, "no dirty log of it was taken") && right;
}

/* What one CPU did while another ran the same guest. */
static bool was_served_together(const struct guest *guest)
{
	const struct guest_statistics *statistics = &guest->statistics;
	bool right = claim(statistics->migrated_meanwhile != 0, guest,
			   "no page of it was migrated while another CPU ran it");

	return claim(statistics->evicted_meanwhile != 0, guest,
		     "no page of it was unmapped while another CPU ran it") &&
	       right;
}

/* A member of struct guest_statistics, and what is wrong where it is 0 in all guests. */
struct common_claim {
	size_t offset;
	const char *text;
};

/*
 * Virtual CPUs come to new pages together, a hundred times and more: some were too late by less than the
 * service of a fault takes, in one guest or the other. Logs, looks and snapshots are dozens of each.
 */
static const struct common_claim common_claims[] = {
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

static bool was_met(const struct job *job, const struct common_claim *claim)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < job->guest_count; i++) {
		const char *statistics = (const char *)&job->guests[i].guest.statistics;

		sum += *(const uint64_t *)(const void *)(statistics + claim->offset);
	}
	if (sum == 0)
		log_error("%s", claim->text);
	return sum != 0;
}

/* What need not happen in each guest. Where one did not come to its end, that alone is said. */
static bool common_claims_held(const struct job *job)
{
	bool right = true;

	if (job->guests[0].guest.vcpu_count <= 1)
		return true;
	for (size_t i = 0; i < job->guest_count; i++) {
		if (!job->guests[i].reported)
			return true;
	}
	for (size_t i = 0; i < sizeof(common_claims) / sizeof(common_claims[0]); i++)
		right &= was_met(job, &common_claims[i]);
	return right;
}

bool job_judge(const struct job *job)
{
	bool right = common_claims_held(job);

	for (size_t i = 0; i < job->guest_count; i++) {
		const struct job_guest *guest = &job->guests[i];

		right &= was_kept_out(&guest->guest);
		if (came_to_its_end(guest)) {
			right &= sums_are_right(guest, job->input->expected_sum);
			right &= was_served(&guest->guest);
			if (guest->guest.vcpu_count > 1)
				right &= was_served_together(&guest->guest);
		} else {
			right = false;
		}
	}
	return right;
}
