/* SPDX-License-Identifier: BSD-3-Clause */
#include "leave_out.h"

void leave_out(size_t count, leave_out_run *run, void *context)
{
	for (size_t chunk = count / 2; chunk > 0;) {
		bool any = false;

		for (size_t first = 0; first < count;) {
			size_t length = count - first < chunk ? count - first : chunk;

			if (length < count && run(context, first, length)) {
				any = true;
				count -= length;
			} else {
				first += length;
			}
		}
		if (chunk > 1)
			chunk /= 2;
		else if (!any)
			chunk = 0;
	}
}
