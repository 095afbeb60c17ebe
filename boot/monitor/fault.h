/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the monitor does when a guest exits.
 *
 * Promise: whatever the guest did, it is served, gets an exception injected or is stopped; nothing
 * it can do ends in a panic, and nothing gives it a page that no region of it allows.
 */
#pragma once

#include "guest.h"

enum exit_outcome {
	EXIT_RESUME,	 /* the guest can go on */
	EXIT_YIELD,	 /* it can, but has nothing to do: WFI or WFE */
	EXIT_SLICE_OVER, /* it can, but its time is up */
	EXIT_CALL,	 /* HVC that the job serves (guest->calls); pc is past it */
	EXIT_STOPPED,	 /* guest->stopped: it must not run again */
	EXIT_NO_MEMORY,	 /* its fault needs a frame and none is free; it can be tried again */
};

/* Serves @vcpu of @guest, on the CPU that ran it, which does not have the guest's lock. */
enum exit_outcome guest_handle_exit(struct guest *guest, struct vcpu *vcpu,
				    const struct vcpu_exit *exit);
