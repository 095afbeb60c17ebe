/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/cpu.h>
#include <arch/observe.h>
#include <stddef.h>

#if STRATA_CHECKED

static struct observer *observers;

/* The link that leads to @observer, or the last one. */
static struct observer **link_to(const struct observer *observer)
{
	struct observer **link = &observers;

	while (*link != NULL && *link != observer)
		link = &(*link)->next;
	return link;
}

void observe_attach(struct observer *observer)
{
	struct observer **link = link_to(observer);

	if (*link != NULL)
		return;
	observer->next = NULL;
	*link = observer;
}

void observe_detach(struct observer *observer)
{
	struct observer **link = link_to(observer);

	if (*link != NULL)
		*link = observer->next;
}

void observe(struct observe_event *event)
{
	event->cpu = cpu_index();
	for (const struct observer *observer = observers; observer != NULL;
	     observer = observer->next)
		observer->see(event);
}

#endif
