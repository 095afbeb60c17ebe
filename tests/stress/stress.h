/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many CPUs on the same spaces: each draws steps of its own, and performs them while the others do.
 *
 * A step is a few operations, with one cursor at the most, and leaves nothing locked. What it is follows
 * from the seed, the world, the CPU and the step's number, so a log of a world is the order in which its
 * steps took effect, and can be performed again.
 *
 * Judges: the model, in lockstep, which makes one sequence of what all CPUs do; the discipline; the
 * certificates of handles; the subsystem's own invariants; and here: each status is one that the headers
 * allow, what a guest loads is what its address should have, and while a cursor is held a guest's access
 * ends exactly as what is mapped there says.
 */
#pragma once

#include "counts.h"
#include "judge.h"
#include "monitor/random.h"
#include "places.h"
#include "stage.h"

#include <stdatomic.h>
#include <strata/dirty_log.h>
#include <strata/mm.h>
#include <strata/operation.h>
#include <strata/statistics.h>

#define STRESS_CPUS_MAX 8
#define WORLD_STEPS 1000 /* of each CPU, at the most */
#define RENDEZVOUS_STEPS 100

enum {
	SHARED_SPACES = 3,
	SPACE_BOXES = 12,
	FRAME_BOXES = 8,
	SEGMENT_BOXES = 4,
	MAILBOXES = 4,
	SHARINGS = 2,
	HELD_FRAMES = 12,
};

struct guest_space {
	struct vm_space space;
	uint64_t id;
	bool lives;
};

struct frame_box {
	frame_t frame;
	bool full;
};

struct segment_box {
	struct segment segment;
	bool full;
};

/* A page that was taken away; if it says POISON, nobody may write to it any more. */
struct held_frame {
	frame_t frame;
	bool full, poisoned;
};

/* The log of a shared space's LOG; held by who has a cursor on all of it. */
struct shared_log {
	struct dirty_log log;
	bool runs;
	_Atomic uint64_t words[DIRTY_LOG_WORDS(LOG_PAGES)];
};

/* A step, and when it took effect: after how many operations of all CPUs; and among steps without one. */
struct place {
	uint64_t order; /* UINT64_MAX: it did not end */
	uint32_t tie;
	uint32_t cpu, index;
	uint32_t act;
	uint32_t digest; /* of how its operations ended */
	bool begun;
};

struct counts {
	uint64_t calls, accesses, faults, spurious;
	uint64_t pages; /* of which every byte was looked at between steps */
	uint64_t statuses[OPERATION_COUNT][STATUSES_COUNT];
};

/* What a CPU has. Boxes are passed on by exchange, so each belongs to one CPU or mailbox. */
struct worker {
	unsigned int cpu;
	struct random random;
	struct guest_space *active;
	struct guest_space *spaces[SPACE_BOXES];
	struct frame_box *frames[FRAME_BOXES];
	struct segment_box *segments[SEGMENT_BOXES];
	struct held_frame held[HELD_FRAMES];
	unsigned int next_held;
	bool placed;
	struct place place; /* of the step that is made */
	unsigned int act;
	struct counts counts;
	_Atomic bool left; /* the world */
};

struct finding {
	enum judge judge;
	unsigned int cpu, act;
	uint32_t index;
	char text[400];
};

struct stress_options {
	uint64_t seed;
	uint64_t operations;
	unsigned int cpus;
	bool without_discipline; /* what is stale must be seen by guests */
	bool print;		 /* each call */
};

struct stress {
	struct stress_options options;
	uint64_t world;
	uint32_t steps; /* of each CPU in this world */
	struct prange memory;
	uint32_t vmid_limit;
	struct guest_space shared[SHARED_SPACES];
	struct shared_log logs[SHARED_SPACES];
	struct sharing *sharings[SHARINGS];
	struct worker workers[STRESS_CPUS_MAX];
	struct guest_space *_Atomic space_mail[MAILBOXES];
	struct frame_box *_Atomic frame_mail[MAILBOXES];
	struct segment_box *_Atomic segment_mail[MAILBOXES];
	struct mm_usage before;
	_Atomic uint64_t next_id;
	_Atomic uint32_t next_tie;
	_Atomic bool stopped;
	_Atomic uint32_t arrived;
	struct finding finding;
};

extern struct stress stress;

/* ---- Judging ----------------------------------------------------------------------------------- */

/* The first one counts; from then on no step is begun. */
void find(struct worker *worker, enum judge judge, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *call_name(enum mm_operation_kind kind);
bool stopped(void);

/* Counts a call, and says so if @status is not in @allowed, a set of BIT. Returns whether it is MM_OK. */
#define BIT(status) (UINT32_C(1) << (status))
bool called(struct worker *worker, enum mm_operation_kind kind, enum mm_status status,
	    uint32_t allowed);

/* This step takes effect now, if it has not yet. */
void take_place(struct worker *worker);

/* All CPUs come here before one goes on. */
void meet(void);

/* ---- Drawing ----------------------------------------------------------------------------------- */

static inline uint64_t below(struct worker *worker, uint64_t limit)
{
	return random_below(&worker->random, limit);
}

static inline bool one_in(struct worker *worker, uint64_t chances)
{
	return below(worker, chances) == 0;
}

/* An address that guests use; only of pages that @worker may change alone, if it is OWN. */
uint64_t draw_address(struct worker *worker);
struct guest_space *draw_shared(struct worker *worker);
struct page_property draw_property(struct worker *worker);

/* ---- Pages ------------------------------------------------------------------------------------- */

/* A frame with POISON in it. */
bool fresh_frame(struct worker *worker, frame_t *out);
/* Lets every word of the page follow from @says. */
void name_page(struct paddr page, uint64_t says);
/* Whether every word of it does; if not, that is found, and that the page @was so @where. */
bool page_says(struct worker *worker, struct paddr page, uint64_t says, const char *was,
	       uint64_t where);
/* Whether all of the page is zero; if not, that is found. */
bool page_is_zero(struct worker *worker, struct paddr page);
/* Nobody reaches the page any more, and none may: it is looked at later, and dropped. */
void hold_frame(struct worker *worker, const frame_t *frame, bool poison);
void drop_held(struct worker *worker);
/* Looks at those that nobody may write to; returns how many. */
uint64_t look_at_held(struct worker *worker);

/* Nobody is in a step: looks at every byte of all pages whose words are known, those that spaces map among
 * them, which it finds by the model's walker (checked builds). Returns how many. */
uint64_t contents_look(struct worker *worker);

/* ---- Acts -------------------------------------------------------------------------------------- */

/* X(name, how often, function) */
#define STRESS_ACTS(X)                                                                             \
	X(pages, 5, act_pages)                                                                     \
	X(blocks, 2, act_blocks)                                                                   \
	X(own_pages, 3, act_own_pages)                                                             \
	X(wide, 1, act_wide)                                                                       \
	X(common, 2, act_common)                                                                   \
	X(frames, 3, act_frames)                                                                   \
	X(segments, 2, act_segments)                                                               \
	X(owners, 2, act_owners)                                                                   \
	X(spaces, 3, act_spaces)                                                                   \
	X(guest, 4, act_guest)                                                                     \
	X(transfer, 2, act_transfer)                                                               \
	X(log, 2, act_log)

#define STRESS_ACT_DECLARATION(name, often, function) void function(struct worker *worker);
STRESS_ACTS(STRESS_ACT_DECLARATION)
#undef STRESS_ACT_DECLARATION

const char *act_name(unsigned int act);

/* What of a space is worked on, by an open cursor. */
struct session {
	struct worker *worker;
	struct guest_space *guest;
	struct cursor cursor;
};

/* False: no cursor, and that was judged. */
bool session_open(struct session *session, struct worker *worker, struct guest_space *guest,
		  uint64_t start, uint64_t length);
void session_close(struct session *session);
/* Maps a page that was nobody's at the position; or a common one, where those belong. */
void session_map(struct session *session);
void session_look(struct session *session);

/* Makes @guest the space that guests of this CPU run in; NULL: none. */
void run_in(struct worker *worker, struct guest_space *guest);

/* ---- Worlds ------------------------------------------------------------------------------------ */

/* False, and why in stress.finding: it could not be made. */
bool world_begin(void);
/* A CPU's part of a world; its step @index; the end of its part. */
void worker_run(struct worker *worker);
void worker_step(struct worker *worker, uint32_t index);
void worker_end(struct worker *worker);
/* All CPUs have ended: gives back what is left, and compares. */
void world_end(void);
void world_look(void);
void empty_frame_box(struct frame_box *box);
void empty_segment_box(struct segment_box *box);
/* Pages in boxes, and the guests that live, for contents_look. */
uint64_t world_look_at_boxes(struct worker *worker);
typedef uint64_t (*world_guest)(struct worker *worker, const struct guest_space *guest);
uint64_t world_each_guest(struct worker *worker, world_guest look);
/* Detaches the judges. */
void world_leave(void);
void world_print_states(void);

/* Says what was found. */
void stress_report(void);

/* Worlds until enough operations were made or something was wrong. Returns the exit code. */
int stress_run(void);

/* ---- Logs -------------------------------------------------------------------------------------- */

/* The log of one world: what a step is follows from its CPU and index. */
struct journal {
	uint64_t seed, world;
	unsigned int cpus;
	uint32_t steps;
	struct finding finding;
	bool left_out[STRESS_CPUS_MAX][WORLD_STEPS]; /* not to be performed */
	struct place places[STRESS_CPUS_MAX][WORLD_STEPS];
};

/* Where the log is written. */
extern struct journal *journal;

/* The steps that were begun, in the order in which they took effect; returns how many. */
#define ORDER_MAX (STRESS_CPUS_MAX * WORLD_STEPS)
size_t journal_order(const struct journal *log, struct place *order);

/* The order as digits, a CPU each: what scripts/stress --order performs again. */
void journal_print(const struct journal *log);

/* ---- Given by the program ---------------------------------------------------------------------- */

/* The memory of a world. */
#define STAGE_BYTES (UINT64_C(32) << 20)

/* Runs worker_run on every CPU of stress.options, and returns when all have left. Not at all, if one
 * does not: then that is the finding, it is printed, and the program ended. */
void stage_run(void);
/* An invariant is broken, and that was found: this CPU does nothing more. */
_Noreturn void stage_halt(void);
/* Makes a new space fit for guests. */
bool stage_prepare_space(struct worker *worker, struct guest_space *guest);

enum guest_result {
	GUEST_DONE,
	GUEST_TRANSLATION,
	GUEST_ACCESS_FLAG,
	GUEST_PERMISSION,
	GUEST_OTHER,
};

/* A guest's access on this CPU, in the space that is active there. */
enum guest_result stage_load(struct worker *worker, uint64_t ia, uint64_t *value);
enum guest_result stage_store(struct worker *worker, uint64_t ia, uint64_t value);
