/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/exception.h>
#include <stddef.h>

_Static_assert(offsetof(struct exception_frame, sp) == EXCEPTION_FRAME_SP, "as assembly knows it");
_Static_assert(offsetof(struct exception_frame, elr) == EXCEPTION_FRAME_ELR,
	       "as assembly knows it");
_Static_assert(offsetof(struct exception_frame, esr) == EXCEPTION_FRAME_ESR,
	       "as assembly knows it");
_Static_assert(offsetof(struct exception_frame, hpfar) == EXCEPTION_FRAME_HPFAR,
	       "as assembly knows it");
_Static_assert(offsetof(struct exception_frame, vector) == EXCEPTION_FRAME_VECTOR,
	       "as assembly knows it");
_Static_assert(sizeof(struct exception_frame) == EXCEPTION_FRAME_SIZE, "as assembly knows it");
_Static_assert(EXCEPTION_FRAME_SIZE % 16 == 0, "SP stays aligned");

/* The order of the vectors within each group of four. */
enum exception_kind {
	KIND_SYNCHRONOUS,
	KIND_COUNT = 4,
};

/* Distances in bytes, each from the member itself. */
struct fixup {
	int32_t fault;
	int32_t resume;
};

/* The linker's bounds of the section that EXCEPTION_FIXUP (assembler.h) writes to. */
extern const struct fixup __start_exception_fixups[];
extern const struct fixup __stop_exception_fixups[];

static exception_handler handler;

void exception_handler_set(exception_handler new_handler)
{
	handler = new_handler;
}

static uint64_t target(const int32_t *distance)
{
	return (uintptr_t)distance + (uint64_t)(int64_t)*distance;
}

static bool fix_up(struct exception_frame *frame)
{
	if (frame->vector % KIND_COUNT != KIND_SYNCHRONOUS)
		return false;

	for (const struct fixup *fixup = __start_exception_fixups; fixup < __stop_exception_fixups;
	     fixup++) {
		if (target(&fixup->fault) == frame->elr) {
			frame->elr = target(&fixup->resume);
			return true;
		}
	}
	return false;
}

/* Called by the vectors on the emergency stack. Returning resumes from @frame. */
void exception_dispatch(struct exception_frame *frame);
void exception_dispatch(struct exception_frame *frame)
{
	if (fix_up(frame))
		return;
	if (handler != NULL)
		handler(frame);
	for (;;)
		__asm__ volatile("wfe");
}

const char *exception_vector_name(uint64_t vector)
{
	static const char *const names[] = {
		"current EL with SP_EL0, synchronous", "current EL with SP_EL0, IRQ",
		"current EL with SP_EL0, FIQ",	       "current EL with SP_EL0, SError",
		"current EL with SP_ELx, synchronous", "current EL with SP_ELx, IRQ",
		"current EL with SP_ELx, FIQ",	       "current EL with SP_ELx, SError",
		"lower EL using AArch64, synchronous", "lower EL using AArch64, IRQ",
		"lower EL using AArch64, FIQ",	       "lower EL using AArch64, SError",
		"lower EL using AArch32, synchronous", "lower EL using AArch32, IRQ",
		"lower EL using AArch32, FIQ",	       "lower EL using AArch32, SError",
	};

	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "unknown";
}
