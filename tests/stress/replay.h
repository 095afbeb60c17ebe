/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logs of worlds, performed again, each in a process of its own: what is wrong may not end.
 *
 * A log is performed in the order in which its steps took effect, on one thread, where nothing depends on
 * chance; or by as many threads as there were CPUs, several times. Steps are whole there that were
 * interleaved when they were logged: a difference that needs the others in the middle of a step shows on
 * threads alone.
 */
#pragma once

#include "stress.h"

/* For `journal`, so that a process sees what another one logged. */
struct journal *journal_shared(void);

/* Runs stress_run in a process; its exit code. */
int run_apart(void);

/* Performs @log again in its order on one thread, and says on standard output how it ended and how many
 * steps ended as they were logged. Returns the exit code. */
int replay_in_order(const struct journal *log);

/* Performs a log that was wrong again, and leaves out steps as long as it is wrong in the same way; says
 * what is left. */
void shrink(const struct journal *log);

/* Reads what journal_print wrote, out of a file. False: it is not there. */
bool journal_read(const char *path, struct journal *out);
