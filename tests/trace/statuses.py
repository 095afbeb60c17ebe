#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The statuses that acts.def says a trace meets are those that the headers say, and the other way round.

    statuses.py ROOT

A status that a trace meets is named in a header of the function's, or in vm_io.h, which speaks for all
transfers; of a function that says true or false MM_NOT_MAPPED stands for false (tests/trace/objects.h). One
that the comment of a function names is met, or NEVER says why not, and says it of no other.

And the objects that a call is asked with are those of its row in ops.def, by which the model says when an
operation may be asked for.
"""
import pathlib
import re
import sys

from tap import Tap

STATUS = re.compile(r"\bMM_[A-Z_]+\b")
# What its comment says, and no trace meets: the status, of these calls ("" for all), and why.
NEVER = [
    ("MM_SATURATED", "", "takes 2^31 references"),
    ("MM_BUSY", "FRAME_FROM_UNUSED FRAME_FROM_IN_USE UNIQUE_FROM_UNUSED SEGMENT_FROM_UNUSED",
     "of a page that another CPU is making"),
    ("MM_BUSY", "SPACE_NEW", "of a cursor on EL2's own space: there is none"),
    ("MM_ACCESS_DENIED", "SPACE_NEW", "said of maps into the space"),
    ("MM_NOT_SUPPORTED", "SPACE_ACTIVATE", "EL2 would run on another table than it did"),
    ("MM_PAGE_FAULT", "IO_SPACE", "said of transfers"),
    ("MM_NOT_SUPPORTED", "READ_FALLIBLE", "the guests' Stage 1 is off"),
    ("MM_NOT_SUPPORTED", "MEMORY_ADD", "takes 16 TiB of memory"),
    ("MM_NO_MEMORY", "LIST_PUSH_FRONT", "takes 31744 lists"),
    ("MM_IN_USE", "FIND_IOMEM", "said of mm_memory_add"),
    ("MM_NO_MEMORY", "EXHAUST", "said of what follows"),
    ("MM_INVALID_ARGS", "CURSOR_MAP_FRAMES", "one frame is drawn"),
    ("MM_IN_USE", "DIRTY_LOG_START", "by hardware"),
    ("MM_NOT_SUPPORTED", "DIRTY_LOG_STOP", "EL2's Stage 1 only, where none is drawn"),
    ("MM_NO_MEMORY", "AREA_UNMAP", "areas are smaller than a block"),
]


def words(text):
    return set(STATUS.findall(text)) - {"MM_MUST_CHECK"}


def calls(table, operations):
    """(name, functions it is, statuses)"""
    names = dict(re.findall(r"^(?:OP|LOOK)\((\w+),\s*\w+,\s*(\w+)", operations, re.M))
    acts = re.sub(r"\s+", " ", table[table.index("/* ---- "):])
    seldom = dict(re.findall(r" SELDOM\((\w+), ([^)]*)\)", acts))
    for name, statuses in re.findall(r" REACHES\((\w+), ([^)]*)\)", acts):
        statuses += " " + seldom.get(name, "")
        made = re.findall(rf" ACT\({name}, \w*, (.*?)\) (?=ACT|REACHES)", acts)
        functions = {names[name]} | {word for call in made
                                     for word in re.findall(r"\b[a-z]\w*(?=\()", call)}
        false = {"MM_NOT_MAPPED"} if any(call.startswith("taken(") for call in made) else set()
        yield name, functions, words(statuses) - false
    for name, statuses in re.findall(r" REACHES_BESIDE\((\w+), ([^)]*)\)", acts):
        call = re.search(rf" BESIDE\({name}, (.*?)\) (?=REACHES_BESIDE)", acts)
        yield name, set(re.findall(r"\b[a-z]\w*(?=\()", call[1])), words(statuses)


# Objects that a row of ops.def is asked with, and a call of it has no word for, and why.
GIVEN = {
    ("LIST_NEW", "LIST"): "is made where none is",
    ("WRITER_COMPARE_EXCHANGE", "READER"): "is made of the writer",
    ("KVIRT_NEW_EL2", "SPACE"): "is EL2's own",
}


def not_as_rows_say(table, operations, kinds):
    """Calls that are asked with other objects than their rows. A place is one of its list, an owner a space,
    and of an object whose member is asked with ("->") it is the member."""
    rows = dict(re.findall(r'^(?:OP|LOOK)\((\w+),\s*\w+,\s*\w*,\s*([^"]*),\s*"', operations, re.M))
    acts = re.sub(r"\s+", " ", table[table.index("/* ---- "):])
    for name, variant, call in re.findall(r" ACT\((\w+), (\w*), (.*?)\) (?=ACT|REACHES|SELDOM|NOT_DRAWN)", acts):
        row = set(re.findall(r"ARG_(\w+)", rows[name]))
        may = row | ({"SPACE"} if "OWNERS" in row else set())
        words = {word.removeprefix("END_") for word in re.findall(r"\b[A-Z]\w*\b(?!->)", call)}
        has = words | ({"LIST"} if "PLACE" in words else set())
        for kind in sorted(kinds & ((row - has) | (words - may))):
            if (name + variant, kind) not in GIVEN:
                yield f"{kind} of {name}{variant}"


def main():
    tap = Tap()
    root = pathlib.Path(sys.argv[1])
    headers = {path: path.read_text(encoding="utf-8") for path in
               sorted((root / "mm/include/strata").glob("*.h"))}
    transfers = headers[root / "mm/include/strata/vm_io.h"]
    table = (root / "tests/trace/acts.def").read_text(encoding="utf-8")
    operations = (root / "mm/include/strata/ops.def").read_text(encoding="utf-8")
    unsaid, unmet, seen, excuses = [], [], 0, set()
    for name, functions, statuses in calls(table, operations):
        named, own = set(), set()
        for text in headers.values():
            for function in functions:
                found = re.search(rf"(/\*(?:(?!\*/).)*\*/\n)?(?:MM_MUST_CHECK )?[\w ]+[\s*]{function}\(",
                                  text, re.S)
                if not found:
                    continue
                named |= words(text) | words(transfers)
                own |= words(found[1] or "")
        if not named:
            continue
        seen += 1
        unsaid += [f"{status} of {name}" for status in sorted(statuses - named - {"MM_OK"})]
        for status in sorted(own - statuses):
            excused = {(never, call) for never, calls_of, _ in NEVER for call in calls_of.split() or [""]
                       if never == status and call in ("", name)}
            excuses |= excused
            unmet += [] if excused else [f"{status} of {name}"]
    objects = (root / "tests/trace/objects.h").read_text(encoding="utf-8")
    kinds = set(re.findall(r"^\tX\((\w+),", objects, re.M))
    tap.check("there are kinds of objects", [] if len(kinds) > 10 else sorted(kinds))
    tap.check("a call is asked with the objects of its row, and no others",
              list(not_as_rows_say(table, operations, kinds)))
    tap.check("the table was read", [] if seen > 100 else [f"{seen} calls"])
    tap.check("what a trace meets is said in a header", unsaid)
    tap.check("what a function's comment says is met", unmet)
    tap.check("what is said never to be met is said somewhere, and not met",
              [f"{status} of {call}" for status, calls_of, _ in NEVER for call in calls_of.split() or [""]
               if (status, call) not in excuses])
    tap.finish()


main()
