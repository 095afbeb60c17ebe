/* SPDX-License-Identifier: BSD-3-Clause */
/* Worlds: what all CPUs share, and what must have come back in the end. */
#include "beside.h"
#include "stress.h"

#include <arch/cpu.h>
#include <stdio.h>
#include <string.h>
#include <strata/deferred_tables.h>
#include <strata/ownership.h>

struct stress stress;

static struct guest_space spaces[STRESS_CPUS_MAX * SPACE_BOXES + MAILBOXES];
static struct frame_box frames[STRESS_CPUS_MAX * FRAME_BOXES + MAILBOXES];
static struct segment_box segments[STRESS_CPUS_MAX * SEGMENT_BOXES + MAILBOXES];

/* ---- What judges say --------------------------------------------------------------------------- */

static struct worker *this_worker(void)
{
	return &stress.workers[cpu_index()];
}

#if STRATA_CHECKED

static void hear_model(const char *text)
{
	find(this_worker(), JUDGE_MODEL, "%s", text);
}

static void hear_discipline(const char *text)
{
	if (!stress.options.without_discipline)
		find(this_worker(), JUDGE_DISCIPLINE, "%s", text);
}

static void hear_violation(const struct share_violation *violation)
{
	find(this_worker(), JUDGE_SHARES, "%s", share_violation_name(violation->sort));
}

#endif

static void __attribute__((noreturn)) hear_panic(const char *invariant, uint64_t value)
{
	find(this_worker(), JUDGE_INVARIANT, "%s (0x%llx)", invariant, (unsigned long long)value);
	stage_halt();
}

void world_look(void)
{
	const char *complaint = stage_complaint();

	/* What is left over by then is looked at too: no walk, and no guest, comes to it. */
	(void)deferred_tables_drain();
	model_check_all();
	stress.workers[0].counts.pages += contents_look(&stress.workers[0]);
	if (complaint != NULL && !stress.options.without_discipline)
		find(&stress.workers[0], JUDGE_MACHINE, "%s", complaint);
}

/* ---- What pages have ---------------------------------------------------------------------------- */

uint64_t world_look_at_boxes(struct worker *worker)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		if (frames[i].full)
			page_says(worker, frames[i].frame.paddr, COMMON_WORD, "held in box", i);
		pages += frames[i].full;
	}
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		const struct segment *segment = &segments[i].segment;

		for (uint64_t page = segment->start.value;
		     segments[i].full && page < segment->end.value; page += PAGE_SIZE, pages++)
			page_says(worker, paddr(page), COMMON_WORD, "of the segment in box", i);
	}
	return pages;
}

uint64_t world_each_guest(struct worker *worker, world_guest look)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SHARED_SPACES; i++)
		sum += stress.shared[i].lives ? look(worker, &stress.shared[i]) : 0;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		sum += spaces[i].lives ? look(worker, &spaces[i]) : 0;
	return sum;
}

/* ---- The beginning ----------------------------------------------------------------------------- */

/* In every third world memory runs out. */
static uint64_t memory_withheld(void)
{
	return stress.world % 3 == 2 ? STAGE_BYTES - MIB(2) - 512 * PAGE_SIZE : PAGE_SIZE;
}

static bool start_subsystem(void)
{
	struct stage stage;

	if (!stage_begin(&stage))
		return false;
	stress.vmid_limit = stage.vmid_limit;
	stress.memory = prange(stage.start, paddr(stage.start.value + STAGE_BYTES));

	struct mm_reservation withheld = {
		prange(stage.start, paddr(stage.start.value + memory_withheld())), PAGE_HYPERVISOR
	};
	struct mm_config config = {
		.memory = &stress.memory,
		.memory_count = 1,
		.reservations = &withheld,
		.reservation_count = 1,
		.linear_offset = stage.linear_offset,
		.panic = hear_panic,
		.vmid_limit = stage.vmid_limit,
#if STRATA_CHECKED
		.violation = hear_violation,
#endif
	};

	if (mm_init(&config) != MM_OK)
		return false;
#if STRATA_CHECKED
	model_start(stage.arenas[0], stage.arena_size, hear_model);
	discipline_start(stage.arenas[1], stage.arena_size, hear_discipline);
#endif
	return true;
}

static void hand_out_boxes(void)
{
	struct guest_space *space = spaces;
	struct frame_box *frame = frames;
	struct segment_box *segment = segments;

	memset(spaces, 0, sizeof(spaces));
	memset(frames, 0, sizeof(frames));
	memset(segments, 0, sizeof(segments));
	for (unsigned int cpu = 0; cpu < STRESS_CPUS_MAX; cpu++) {
		struct worker *worker = &stress.workers[cpu];

		memset(worker, 0, sizeof(*worker));
		worker->cpu = cpu;
		for (unsigned int i = 0; i < SPACE_BOXES; i++)
			worker->spaces[i] = space++;
		for (unsigned int i = 0; i < FRAME_BOXES; i++)
			worker->frames[i] = frame++;
		for (unsigned int i = 0; i < SEGMENT_BOXES; i++)
			worker->segments[i] = segment++;
	}
	/* Relaxed, and so below: no other CPU is at work. */
	for (unsigned int i = 0; i < MAILBOXES; i++) {
		atomic_store_explicit(&stress.space_mail[i], space++, memory_order_relaxed);
		atomic_store_explicit(&stress.frame_mail[i], frame++, memory_order_relaxed);
		atomic_store_explicit(&stress.segment_mail[i], segment++, memory_order_relaxed);
	}
}

static bool make_shared(void)
{
	static const unsigned int bits[SHARED_SPACES] = { 32, 36, 40 };
	const struct vm_space *members[] = { &stress.shared[1].space, &stress.shared[2].space };

	for (unsigned int i = 0; i < SHARED_SPACES; i++) {
		struct guest_space *guest = &stress.shared[i];

		*guest = (struct guest_space){ .id = i + 1, .lives = true };
		stress.logs[i].runs = false;
		if (vm_space_new_stage2(bits[i], &guest->space) != MM_OK ||
		    !stage_prepare_space(&stress.workers[0], guest))
			return false;
	}
	return sharing_new(&stress.shared[0].space, members, 1, &stress.sharings[0]) == MM_OK &&
	       sharing_new(NULL, members, 2, &stress.sharings[1]) == MM_OK;
}

bool world_begin(void)
{
	journal->seed = stress.options.seed;
	journal->world = stress.world;
	journal->cpus = stress.options.cpus;
	journal->steps = stress.steps;
	memset(journal->places, 0, sizeof(journal->places));
	hand_out_boxes();
	stress.arrived = 0;
	stress.next_tie = 0;
	stress.next_id = SHARED_SPACES + 1;
	if (!start_subsystem()) {
		find(&stress.workers[0], JUDGE_END, "no machine");
		return false;
	}
	stress.before = mm_usage();
	if (!make_shared()) {
		find(&stress.workers[0], JUDGE_END, "no spaces");
		return false;
	}
	return true;
}

/* ---- The end ----------------------------------------------------------------------------------- */

void empty_frame_box(struct frame_box *box)
{
	if (box->full)
		frame_drop(&box->frame);
	box->full = false;
}

void empty_segment_box(struct segment_box *box)
{
	if (box->full)
		segment_drop(&box->segment);
	box->full = false;
}

static void empty_mail(void)
{
	for (unsigned int i = 0; i < MAILBOXES; i++) {
		struct guest_space *guest =
			atomic_load_explicit(&stress.space_mail[i], memory_order_relaxed);
		struct frame_box *frame =
			atomic_load_explicit(&stress.frame_mail[i], memory_order_relaxed);
		struct segment_box *segment =
			atomic_load_explicit(&stress.segment_mail[i], memory_order_relaxed);

		if (guest->lives)
			called(&stress.workers[0], OPERATION_SPACE_DESTROY,
			       vm_space_destroy(&guest->space), BIT(MM_OK));
		guest->lives = false;
		empty_frame_box(frame);
		empty_segment_box(segment);
	}
}

static void stop_log(struct guest_space *guest, struct shared_log *log)
{
	struct session session;

	if (!log->runs ||
	    !session_open(&session, &stress.workers[0], guest, LOG_START, LOG_PAGES * PAGE_SIZE))
		return;
	called(&stress.workers[0], OPERATION_DIRTY_LOG_STOP,
	       dirty_log_stop(&log->log, &session.cursor), BIT(MM_OK));
	session_close(&session);
}

static void expect_usage(const struct mm_usage *now, enum page_usage usage)
{
	if (now->pages[usage] != stress.before.pages[usage])
		find(&stress.workers[0], JUDGE_END,
		     "%llu pages are %s at the end, %llu were at the beginning",
		     (unsigned long long)now->pages[usage], page_usage_name(usage),
		     (unsigned long long)stress.before.pages[usage]);
}

void world_end(void)
{
	struct worker *worker = &stress.workers[0];
	struct mm_usage now;

	world_look();
	empty_mail();
	for (unsigned int i = 0; i < SHARED_SPACES; i++) {
		stop_log(&stress.shared[i], &stress.logs[i]);
		called(worker, OPERATION_SPACE_DESTROY, vm_space_destroy(&stress.shared[i].space),
		       BIT(MM_OK));
		stress.shared[i].lives = false;
	}
	for (unsigned int i = 0; i < SHARINGS; i++)
		called(worker, OPERATION_SHARING_DESTROY, sharing_destroy(stress.sharings[i]),
		       BIT(MM_OK));
	world_look();
	now = mm_usage();
	expect_usage(&now, PAGE_FRAME);
	expect_usage(&now, PAGE_TABLE);
}

void world_leave(void)
{
	discipline_stop();
	model_stop();
}
