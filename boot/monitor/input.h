/* SPDX-License-Identifier: BSD-3-Clause */
/* The file that the guests sum, and what their sums must be. */
#pragma once

#include <strata/segment.h>
#include "../boot_info.h"

struct job_input {
	uint64_t size;	       /* bytes */
	uint32_t expected_sum; /* CRC-32, as the loader says it is */
	struct segment pages;  /* one reference to each of its pages; the last may be partial */
};

/*
 * Takes the initial RAM disk's pages, and "crc32=HEX" from the command line. False, after saying why
 * on the console, if one is missing or wrong; then nothing was taken.
 */
bool input_open(const struct boot_info *info, struct job_input *out);

/* Gives the pages back: they become free memory. */
void input_close(struct job_input *input);
