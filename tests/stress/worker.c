/* SPDX-License-Identifier: BSD-3-Clause */
/* A CPU's part of a world. */
#include "stress.h"

#include <stdio.h>

/* Scrambled, so that neighbours have nothing in common. */
static struct random random_of(const struct worker *worker, uint32_t index)
{
	struct random random = { stress.options.seed };

	random.state = random_next(&random) + stress.world;
	random.state = random_next(&random) + worker->cpu;
	random.state = random_next(&random) + index;
	return random;
}

static unsigned int draw_act(struct worker *worker)
{
#define STRESS_ACT_OFTEN(name, often, function) often,
	static const unsigned int often[] = { STRESS_ACTS(STRESS_ACT_OFTEN) };
#undef STRESS_ACT_OFTEN
	unsigned int sum = 0, act = 0;

	for (unsigned int i = 0; i < sizeof(often) / sizeof(often[0]); i++)
		sum += often[i];

	uint64_t left = below(worker, sum);

	while (left >= often[act])
		left -= often[act++];
	return act;
}

void worker_step(struct worker *worker, uint32_t index)
{
#define STRESS_ACT_FUNCTION(name, often, function) function,
	static void (*const acts[])(struct worker *) = { STRESS_ACTS(STRESS_ACT_FUNCTION) };
#undef STRESS_ACT_FUNCTION

	worker->random = random_of(worker, index);
	worker->placed = false;
	worker->place = (struct place){
		.order = UINT64_MAX, .cpu = worker->cpu, .index = index, .begun = true
	};
	worker->act = worker->place.act = draw_act(worker);
	journal->places[worker->cpu][index] = worker->place;
	if (stress.options.print)
		printf("CPU %u, step %u: %s\n", worker->cpu, index, act_name(worker->act));
	acts[worker->act](worker);
	take_place(worker);
	journal->places[worker->cpu][index] = worker->place;
}

void worker_end(struct worker *worker)
{
	worker->act = UINT32_MAX;
	if (worker->active != NULL)
		run_in(worker, NULL);
	for (unsigned int i = 0; i < SPACE_BOXES; i++)
		if (worker->spaces[i]->lives &&
		    called(worker, OPERATION_SPACE_DESTROY,
			   vm_space_destroy(&worker->spaces[i]->space), BIT(MM_OK)))
			worker->spaces[i]->lives = false;
	for (unsigned int i = 0; i < FRAME_BOXES; i++)
		empty_frame_box(worker->frames[i]);
	for (unsigned int i = 0; i < SEGMENT_BOXES; i++)
		empty_segment_box(worker->segments[i]);
	drop_held(worker);
}

void worker_run(struct worker *worker)
{
	for (uint32_t index = 0; index < stress.steps && !stopped(); index++) {
		if (index % RENDEZVOUS_STEPS == 0) {
			meet();
			if (worker->cpu == 0 && !stopped())
				world_look();
			meet();
		}
		if (!stopped() && !journal->left_out[worker->cpu][index])
			worker_step(worker, index);
	}
	if (!stopped())
		worker_end(worker);
	/* Release: who sees it sees all that the CPU did. */
	atomic_store_explicit(&worker->left, true, memory_order_release);
}
