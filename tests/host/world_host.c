/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulated machine for every test. */
#include "world_host.h"
#include "harness.h"
#include <stdlib.h>
#if STRATA_CHECKED
#include "discipline.h"
#include "model.h"
#endif

static void __attribute__((noreturn)) panicked(const char *invariant, uint64_t value)
{
	test_fail("panic", 0, "%s (0x%llx)", invariant, (unsigned long long)value);
}

#if STRATA_CHECKED

static void violated(const struct share_violation *violation)
{
	test_fail("violation", 0, "%s (%s 0x%llx)", share_violation_name(violation->sort),
		  share_kind_name(violation->kind),
		  (unsigned long long)violation->pages.start.value);
}

#endif

struct world_config world_default_config(void)
{
	struct world_config config = {
		.machine =
			{
				.memory =
					{
						prange(paddr(0x40000000), paddr(0x48000000)),
						prange(paddr(0x50000000), paddr(0x54000000)),
					},
				.memory_count = 2,
				.features = machine_features_v8_4(),
			},
		.reservations =
			{
				{prange(paddr(WORLD_IMAGE_BASE),
					paddr(WORLD_IMAGE_BASE + WORLD_IMAGE_PAGES * PAGE_SIZE)),
				 PAGE_HYPERVISOR},
				{prange(paddr(WORLD_FILE_BASE),
					paddr(WORLD_FILE_BASE + WORLD_FILE_PAGES * PAGE_SIZE)),
				 PAGE_RESERVED},
				{prange(paddr(WORLD_DEVICE_BASE),
					paddr(WORLD_DEVICE_BASE + WORLD_DEVICE_PAGES * PAGE_SIZE)),
				 PAGE_MMIO},
			},
		.reservation_count = 3,
	};

	return config;
}

#if STRATA_CHECKED

/*
 * The model goes beside the subsystem in every test: it judges each operation by itself, and the
 * tables by its own walker. So does the discipline, for every step of maintenance.
 */
#define ARENA_BYTES (UINT64_C(256) << 20)

static void *arena_for(void **arena)
{
	if (*arena == NULL)
		*arena = malloc(ARENA_BYTES);
	if (*arena == NULL)
		FAIL("the host has no room for the model");
	return *arena;
}

static void say_model(const char *text)
{
	world_complaint("model", text);
}

static void say_discipline(const char *text)
{
	world_complaint("discipline", text);
}

static void start_model(void)
{
	static void *model, *discipline;

	model_start(arena_for(&model), ARENA_BYTES, say_model);
	discipline_start(arena_for(&discipline), ARENA_BYTES, say_discipline);
}

static void ask_discipline(void)
{
	struct discipline_report report = discipline_report();

	discipline_stop();
	if (report.reports != 0)
		FAIL("the discipline has %llu reports", (unsigned long long)report.reports);
}

void world_not_alone(struct world *world)
{
	(void)world;
	model_not_alone();
}

static void ask_model(void)
{
	uint64_t differences = model_check_all();

	if (model_report().operations == 0 && mm_statistics().tables_allocated != 0)
		FAIL("the model saw no operation");
	model_stop();
	if (differences != 0)
		FAIL("the model found %llu differences", (unsigned long long)differences);
}

#else

void world_not_alone(struct world *world)
{
	(void)world;
}

static void start_model(void)
{
}

static void ask_discipline(void)
{
}

static void ask_model(void)
{
}

#endif

void world_start(struct world *world, const struct world_config *config)
{
	*world = (struct world){ 0 };
	if (!machine_create(&config->machine))
		FAIL("the host has no room for this machine");

	struct mm_config mm_config = {
		.memory = config->machine.memory,
		.memory_count = config->machine.memory_count,
		.reservations = config->reservations,
		.reservation_count = config->reservation_count,
		.linear_offset = machine_linear_offset(),
		.panic = panicked,
#if STRATA_CHECKED
		.violation = violated,
#endif
	};

	EXPECT_OK(mm_init(&mm_config));
	start_model();
	world_begin(world);
}

void world_restart(struct world *world, const struct world_config *config)
{
	ask_discipline();
	ask_model();
	machine_destroy();
	world_start(world, config);
}

struct world_config world_config_of(struct prange first, struct prange second)
{
	struct world_config config = world_default_config();

	config.machine.memory[0] = first;
	config.machine.memory[1] = second;
	config.reservation_count = 0;
	return config;
}

void world_restart_told(struct world *world, const struct world_config *config,
			struct mm_config hooks)
{
	world_restart(world, config);
	hooks.memory = config->machine.memory;
	hooks.memory_count = 1;
	hooks.linear_offset = machine_linear_offset();
	if (hooks.panic == NULL)
		hooks.panic = panicked;
	EXPECT_OK(mm_init(&hooks));
	world_begin(world);
}

/* EL2's table goes while EL2 has it: that is the test's end, and not judged. */
void world_finish(struct world *world)
{
	ask_discipline();
	if (world->el2_space != NULL) {
		EXPECT_OK(vm_space_destroy(world->el2_space));
		world->el2_space = NULL;
	}
	world_end(world);
	ask_model();
	for (int kind = 0; kind < VIOLATION_COUNT; kind++)
		if (machine_violations(kind) != 0)
			FAIL("%s: %llu times", machine_violation_name(kind),
			     (unsigned long long)machine_violations(kind));
}

struct vm_space *world_el2_space(struct world *world)
{
	if (world->el2_space == NULL) {
		EXPECT_OK(vm_space_new_el2(&world->el2));
		el2_stage1_load(world->el2.root, world->el2.geometry);
		world->el2_space = &world->el2;
	}
	return world->el2_space;
}

struct irange world_el2_window(struct world *world)
{
	(void)world;
	return irange(iaddr((UINT64_C(1) << 47) - (UINT64_C(64) << 30)), iaddr(UINT64_C(1) << 47));
}

bool world_translate(struct world *world, struct vm_space *space, struct iaddr ia,
		     enum world_access access, struct paddr *output)
{
	struct machine_translation used;
	struct machine_fault fault;
	bool done;

	if (space == world->el2_space) {
		done = machine_el2_translate(ia, (enum machine_access)access, &used, &fault);
	} else {
		EXPECT_OK(vm_space_activate(space));
		done = machine_guest_translate(ia, (enum machine_access)access, &used, &fault);
	}
	if (done)
		*output = used.output;
	return done;
}

void world_rest(struct world *world)
{
	(void)world;
	vm_space_deactivate();
}
