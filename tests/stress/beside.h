/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model and the discipline beside the subsystem. A release build has neither, and guests judge alone:
 * there no lock but the subsystem's own orders what CPUs do, so that a checker of races sees it as it is.
 */
#pragma once

#include <stdint.h>

#if STRATA_CHECKED

#include <discipline.h>
#include <model.h>

static inline uint64_t beside_checked(void)
{
	return model_report().operations;
}

static inline uint64_t beside_full_checks(void)
{
	return model_report().full_checks;
}

static inline uint64_t beside_events(void)
{
	return discipline_report().events;
}

#else

static inline uint64_t model_check_all(void)
{
	return 0;
}

static inline uint64_t model_order(void)
{
	return 0;
}

static inline void model_stop(void)
{
}

static inline void discipline_stop(void)
{
}

static inline uint64_t beside_checked(void)
{
	return 0;
}

static inline uint64_t beside_full_checks(void)
{
	return 0;
}

static inline uint64_t beside_events(void)
{
	return 0;
}

#endif
