/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/observe.h>
#include <stddef.h>

#if STRATA_CHECKED

static observe_function attached;

void observe_attach(observe_function observer)
{
	attached = observer;
}

void observe(const struct observe_event *event)
{
	if (attached != NULL)
		attached(event);
}

#endif
