/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls, with the words of acts.def as the step has them. */
#include "act.h"

#define SPACE (&o->spaces[step->used[OBJECT_SPACE]])
#define END_SPACE SPACE
#define NEW_SPACE (&o->spaces[step->made[OBJECT_SPACE]])
#define OTHER_SPACE (&o->spaces[step->other_space])
#define CURSOR (&o->cursors[step->used[OBJECT_CURSOR]])
#define END_CURSOR CURSOR
#define NEW_CURSOR (&o->cursors[step->made[OBJECT_CURSOR]])
#define FRAME (&o->frames[step->used[OBJECT_FRAME]])
#define END_FRAME FRAME
#define NEW_FRAME (&o->frames[step->made[OBJECT_FRAME]])
#define UNIQUE (&o->uniques[step->used[OBJECT_UNIQUE]])
#define END_UNIQUE UNIQUE
#define NEW_UNIQUE (&o->uniques[step->made[OBJECT_UNIQUE]])
#define SEGMENT (&o->segments[step->used[OBJECT_SEGMENT]])
#define END_SEGMENT SEGMENT
#define NEW_SEGMENT (&o->segments[step->made[OBJECT_SEGMENT]])
#define LIST (&o->lists[step->used[OBJECT_LIST]])
#define END_LIST LIST
#define NEW_LIST (&o->lists[step->made[OBJECT_LIST]])
#define PLACE (&o->places[step->used[OBJECT_PLACE]])
#define NEW_PLACE (&o->places[step->made[OBJECT_PLACE]])
#define READER (&o->readers[step->used[OBJECT_READER]])
#define NEW_READER (&o->readers[step->made[OBJECT_READER]])
#define WRITER (&o->writers[step->used[OBJECT_WRITER]])
#define NEW_WRITER (&o->writers[step->made[OBJECT_WRITER]])
#define KVIRT (&o->kvirts[step->used[OBJECT_KVIRT]])
#define END_KVIRT KVIRT
#define NEW_KVIRT (&o->kvirts[step->made[OBJECT_KVIRT]])
#define AREA (&o->areas[step->used[OBJECT_AREA]])
#define END_AREA AREA
#define NEW_AREA (&o->areas[step->made[OBJECT_AREA]])
#define END_IO_MEM (&o->io_mems[step->used[OBJECT_IO_MEM]])
#define NEW_IO_MEM (&o->io_mems[step->made[OBJECT_IO_MEM]])
#define LOG (&o->logs[step->used[OBJECT_LOG]])
#define END_LOG LOG
#define NEW_LOG (&o->logs[step->made[OBJECT_LOG]])
#define SHARING (&o->sharings[step->used[OBJECT_SHARING]])
#define END_SHARING SHARING
#define NEW_SHARING (&o->sharings[step->made[OBJECT_SHARING]])
#define END_RAW_FRAME (&o->raw_frames[step->used[OBJECT_RAW_FRAME]])
#define NEW_RAW_FRAME (&o->raw_frames[step->made[OBJECT_RAW_FRAME]])
#define END_RAW_UNIQUE (&o->raw_uniques[step->used[OBJECT_RAW_UNIQUE]])
#define NEW_RAW_UNIQUE (&o->raw_uniques[step->made[OBJECT_RAW_UNIQUE]])
#define END_RAW_SEGMENT (&o->raw_segments[step->used[OBJECT_RAW_SEGMENT]])
#define NEW_RAW_SEGMENT (&o->raw_segments[step->made[OBJECT_RAW_SEGMENT]])

#define ADDRESS (step->numbers[NUMBER_ADDRESS])
#define LENGTH (step->numbers[NUMBER_LENGTH])
#define OFFSET (step->numbers[NUMBER_OFFSET])
#define PAGE (step->numbers[NUMBER_PAGE])
#define COUNT (step->numbers[NUMBER_COUNT])
#define ALIGNMENT (step->numbers[NUMBER_ALIGNMENT])
#define COLOURS ((uint32_t)(step->numbers[NUMBER_COLOURS]))
#define COLOUR ((uint32_t)(step->numbers[NUMBER_COLOUR]))
#define SIZE ((unsigned int)(step->numbers[NUMBER_SIZE]))
#define VALUE (step->numbers[NUMBER_VALUE])
#define BITS ((unsigned int)(step->numbers[NUMBER_BITS]))
#define FLAGS ((uint8_t)(step->numbers[NUMBER_FLAGS]))
#define CACHE ((enum cache_policy)(step->numbers[NUMBER_CACHE]))
#define ACCESS ((enum cursor_access)(step->numbers[NUMBER_ACCESS]))
#define CONTENTS ((enum frame_contents)(step->numbers[NUMBER_CONTENTS]))
#define METADATA                                                                                   \
	((step->numbers[NUMBER_METADATA]) == 0                                                     \
		 ? NULL                                                                            \
		 : &o->metadata[(step->numbers[NUMBER_METADATA]) - 1])

enum mm_status act_perform(struct objects *o, const struct step *step)
{
	switch ((enum act)step->act) {
#define ACT(operation, variant, status)                                                            \
	case ACT_##operation##variant:                                                             \
		return status;
#define BESIDE(name, status)                                                                       \
	case ACT_##name:                                                                           \
		return status;
#include "acts.def"
	default:
		return MM_INVALID_ARGS;
	}
}
