/* SPDX-License-Identifier: BSD-3-Clause */
/* Who can find something wrong while random operations are made beside the model. */
#pragma once

enum judge {
	JUDGE_NOBODY, /* nothing is wrong */
	JUDGE_MODEL,
	JUDGE_DISCIPLINE,
	JUDGE_SHARES,	 /* the certificates of handles */
	JUDGE_INVARIANT, /* the subsystem's own: it panicked */
	JUDGE_MACHINE,
	JUDGE_REFUSAL, /* something changed though the call was refused */
	JUDGE_STATUS,  /* a status that cannot be */
	JUDGE_GUEST,   /* what a guest met */
	JUDGE_PAGE,    /* what a page has */
	JUDGE_END,     /* not all came back when everything was given back */
	JUDGE_HANG,    /* a step did not end */
};

const char *judge_name(enum judge judge);
