/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects by name: few of a kind live at once, so a list is looked through. */
#pragma once

#include <sys/queue.h>

/* @found becomes the object of @list whose @member is @wanted, or NULL if there is none. */
#define LIST_FIND(found, list, member, wanted)                                                     \
	do {                                                                                       \
		LIST_FOREACH(found, list, link)                                                    \
		{                                                                                  \
			if ((found)->member == (wanted))                                           \
				break;                                                             \
		}                                                                                  \
	} while (0)
