/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge.h"

const char *judge_name(enum judge judge)
{
	static const char *const names[] = {
		[JUDGE_NOBODY] = "nobody",
		[JUDGE_MODEL] = "model",
		[JUDGE_DISCIPLINE] = "discipline",
		[JUDGE_SHARES] = "shares",
		[JUDGE_INVARIANT] = "invariant",
		[JUDGE_MACHINE] = "machine",
		[JUDGE_REFUSAL] = "refusal",
		[JUDGE_STATUS] = "status",
		[JUDGE_GUEST] = "guest",
		[JUDGE_PAGE] = "page",
		[JUDGE_END] = "end",
		[JUDGE_HANG] = "hang",
	};

	return names[judge];
}
