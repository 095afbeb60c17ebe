/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between two instructions: what another CPU may do at the worst moment, done at that moment. Threads
 * that race come to it once in a million rounds, or never.
 */
#pragma once

#include <stdbool.h>

/*
 * Runs @operation with the processor's trap flag set: before each of its instructions @between is
 * called, until it returns false. @between acts as another CPU, and must not wait for a lock that
 * @operation may have; it does not end the test.
 */
void step_through(void (*operation)(void *context), bool (*between)(void *context), void *context);
