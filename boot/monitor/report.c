/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <arch/counters.h>
#include <arch/observe.h>
#include <inttypes.h>
#include <stdio.h>
#include <strata/statistics.h>
#if STRATA_CHECKED
#include <discipline.h>
#include <model.h>
#endif

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

/* A member of struct guest_statistics and what it says: one row of the table of the guests. */
struct statistics_row {
	const char *text;
	size_t offset;
};

#define ROW(text, member)                                                                          \
	{                                                                                          \
		text, offsetof(struct guest_statistics, member)                                    \
	}

static const struct statistics_row guest_rows[] = {
	ROW("pages filled on demand", pages_filled),
	ROW("2 MiB filled on demand", blocks_filled),
	ROW("pages migrated, old frame poisoned", pages_migrated),
	ROW("pages migrated to the guest's colour", pages_coloured),
	ROW("old frames written afterwards", written_after_move),
	ROW("pages unmapped", pages_evicted),
	ROW("pages refilled", pages_refilled),
	ROW("dirty logs of a write-protected 2 MiB", dirty_rounds),
	ROW("pages on the dirty lists", pages_dirty),
	ROW("pages changed but not on the list", pages_not_listed),
	ROW("looks at the working set of a 2 MiB", looks),
	ROW("pages seen accessed between two looks", pages_accessed),
	ROW("pages used but not seen accessed", pages_unseen),
	ROW("pages unmapped because they were cold", pages_cold),
	ROW("snapshots of write-protected pages", snapshots),
	ROW("pages copied before the next write", pages_copied),
	ROW("pages in a snapshot with later bytes", pages_torn),
	ROW("services skipped for want of a frame", services_skipped),
	ROW("spurious faults", spurious),
	ROW("timer and other interrupts", interrupts),
};

/* Where guests have several virtual CPUs. */
static const struct statistics_row together_rows[] = {
	ROW("pages migrated while another one ran", migrated_meanwhile),
	ROW("pages unmapped while another one ran", evicted_meanwhile),
	ROW("cold pages unmapped meanwhile", cold_meanwhile),
	ROW("dirty logs begun meanwhile", logs_meanwhile),
	ROW("looks begun meanwhile", looks_meanwhile),
	ROW("snapshots begun meanwhile", snapshots_meanwhile),
};

static const char *const fault_names[GUEST_FAULT_KINDS] = {
	[STAGE2_FAULT_ADDRESS_SIZE] = "address size",
	[STAGE2_FAULT_TRANSLATION] = "translation",
	[STAGE2_FAULT_ACCESS_FLAG] = "access flag",
	[STAGE2_FAULT_PERMISSION] = "permission",
	[STAGE2_FAULT_OTHER] = "other",
};

static void report_region(const struct guest_region *region)
{
	uint8_t flags = region->property.flags;

	printf("    %-8s 0x%012" PRIx64 " .. 0x%012" PRIx64 " %7" PRIu64 " KiB  %c%c%c\n",
	       region->name, region->range.start.value, region->range.end.value,
	       irange_size(region->range) / 1024, flags & PAGE_READ ? 'r' : '-',
	       flags & PAGE_WRITE ? 'w' : '-', flags & PAGE_EXECUTE ? 'x' : '-');
}

void report_guests(const struct job *job)
{
	printf("guests (CRC-32 of %" PRIu64 " bytes, each over %" PRIu64
	       " KiB of its own memory)\n",
	       job->input->size, job->guests[0].working_pages * KIB_PER_PAGE);
	for (size_t i = 0; i < job->guest_count; i++) {
		const struct guest *guest = &job->guests[i].guest;

		printf("  %s, %" PRIu64 " GiB of IPA space", guest->name,
		       irange_size(vm_space_range(&guest->space)) >> 30);
		if (guest->vcpu_count > 1)
			printf(", %u virtual CPUs", guest->vcpu_count);
		printf("\n");
		for (size_t r = 0; r < guest->region_count; r++)
			report_region(&guest->regions[r]);
	}
}

static uint64_t statistic(const struct guest_statistics *statistics, size_t offset)
{
	return *(const uint64_t *)((const char *)statistics + offset);
}

/* One row: @text, and a number of each guest. */
static void report_statistic(const struct job *job, const struct statistics_row *row)
{
	printf("  %-40s", row->text);
	for (size_t i = 0; i < job->guest_count; i++)
		printf(" %10" PRIu64, statistic(&job->guests[i].guest.statistics, row->offset));
	printf("\n");
}

static void report_together(const struct job *job)
{
	printf("  %-40s", "waits for the guest's lock");
	for (size_t i = 0; i < job->guest_count; i++)
		printf(" %10" PRIu64, job->guests[i].guest.lock.waited);
	printf("\n");
	printf("  %-40s", "virtual CPUs that came to their end");
	for (size_t i = 0; i < job->guest_count; i++)
		printf(" %10u", job->guests[i].reports);
	printf("\n");
	for (size_t i = 0; i < sizeof(together_rows) / sizeof(together_rows[0]); i++)
		report_statistic(job, &together_rows[i]);
}

void report_job(const struct job *job)
{
	printf("  %-40s", "meanwhile, behind their backs");
	for (size_t i = 0; i < job->guest_count; i++)
		printf(" %10s", job->guests[i].guest.name);
	printf("\n  %-40s", "VMID of the space");
	for (size_t i = 0; i < job->guest_count; i++)
		printf(" %10u", vm_space_vmid(&job->guests[i].guest.space));
	printf("\n");
	for (size_t i = 0; i < sizeof(guest_rows) / sizeof(guest_rows[0]); i++)
		report_statistic(job, &guest_rows[i]);
	if (job_vcpus(job) > job->guest_count)
		report_together(job);
	printf("  %-40s %10u\n", "CPUs that ran them", job->cpus);
	printf("  %-40s %10" PRIu64 "\n", "turns taken in alternation", job->switches);
	if (job->came_late != 0)
		printf("  %-40s %10u\n", "CPUs left out that arrived meanwhile", job->came_late);

	for (size_t i = 0; i < job->guest_count; i++) {
		const struct job_guest *guest = &job->guests[i];

		if (!guest->reported) {
			printf("  %s: no sum\n", guest->guest.name);
			continue;
		}
		printf("  %s: crc32 0x%08" PRIx32 " expected 0x%08" PRIx32 " %s\n",
		       guest->guest.name, guest->sum, job->input->expected_sum,
		       guest->sum == job->input->expected_sum ? "equal" : "DIFFERENT");
		printf("  %s: repetitions of the file %" PRIu64 ", with another sum %" PRIu64 "\n",
		       guest->guest.name, guest->repetitions, guest->different);
	}
}

static void report_faults(const struct job *job, const struct escape_result *escape)
{
	printf("  %-24s %10s %10s %10s\n", "Stage-2 faults", "read", "write", "execute");
	for (size_t kind = 0; kind < GUEST_FAULT_KINDS; kind++) {
		uint64_t sums[GUEST_ACCESS_KINDS];

		for (size_t access = 0; access < GUEST_ACCESS_KINDS; access++) {
			sums[access] = escape->statistics.faults[kind][access];
			for (size_t i = 0; i < job->guest_count; i++)
				sums[access] +=
					job->guests[i].guest.statistics.faults[kind][access];
		}
		printf("    %-22s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", fault_names[kind],
		       sums[STAGE2_READ], sums[STAGE2_WRITE], sums[STAGE2_EXECUTE]);
	}
}

static void report_count(const char *text, uint64_t count)
{
	printf("  %-24s %10" PRIu64 "\n", text, count);
}

static void report_maintenance(void)
{
	struct mm_statistics statistics = mm_statistics();
	struct arch_counters counters = arch_counters_read();

#define COUNT(member, text) report_count(text, statistics.member);
	MM_STATISTICS(COUNT)
#undef COUNT
	printf("  issued by the subsystem\n");
	report_count("  TLBI by address", counters.tlbi_address);
	report_count("  TLBI by range", counters.tlbi_range);
	report_count("  TLBI by VMID", counters.tlbi_vmid);
	report_count("  TLBI of everything", counters.tlbi_all);
	report_count("  DSB", counters.dsb);
	report_count("  ISB", counters.isb);
	report_count("  Stage-2 contexts loaded", counters.stage2_loads);
}

void report_closing(const struct job *job, const struct escape_result *escape,
		    const struct mm_usage *before, const struct mm_usage *after)
{
	printf("summary\n");
	report_faults(job, escape);
	report_maintenance();

	printf("  %-24s %10s %10s\n", "pages by usage", "before", "after");
	for (size_t usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		printf("    %-22s %10" PRIu64 " %10" PRIu64 "%s\n",
		       page_usage_name((enum page_usage)usage), before->pages[usage],
		       after->pages[usage],
		       before->pages[usage] == after->pages[usage] ? "" : "  DIFFERENT");
}

#if STRATA_CHECKED

static void report_checks(const struct model_report *report)
{
	printf("checks (operations, beside the model)\n");
	for (unsigned int i = 0; i < MODEL_CATEGORIES; i++) {
		if (report->categories[i] != 0)
			report_count(model_category_name(i), report->categories[i]);
	}
	report_count("descriptors read back", report->descriptors);
	printf("  invariants of the store    %8u, each looked at %" PRIu64 " times\n",
	       report->invariants, report->full_checks);
}

#endif

bool report_verdict(void)
{
#if STRATA_CHECKED
	uint64_t differences = model_check_all();
	struct model_report report = model_report();
	struct discipline_report discipline = discipline_report();

	report_checks(&report);
	printf("discipline: %" PRIu64 " events, %" PRIu64 " reports\n", discipline.events,
	       discipline.reports);
	printf("model: %" PRIu64 " operations checked, %" PRIu64 " differences\n",
	       report.operations, differences);
	return differences == 0 && discipline.reports == 0;
#else
	printf("no verdict: a release build has no model in it\n");
	return true;
#endif
}
