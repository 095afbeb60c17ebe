#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the public headers promise, held against tests and documents.

    headers.py SOURCE_ROOT
"""
import glob
import os
import re
import sys

from tap import Tap

HEADERS = "mm/include/strata"
ROWS = "tests/component/exhaustion_*test.c"
ARCHITECTURE = "docs/architecture.md"
MODEL = "docs/model.md"
OPERATIONS = "mm/include/strata/ops.def"

# Operations that no row can try, and the tests that hold the same claim: they need a machine of
# their own.
NOT_IN_A_ROW = {
    "mm_init": "mm_init_needs_a_place_for_metadata",
    "mm_memory_add": "memory_comes_and_goes_without_an_allocation",
    "mm_memory_remove": "memory_comes_and_goes_without_an_allocation",
    "segment_from_reserved": "segment_from_reserved_allocates_nothing",
}

# MM_NO_MEMORY for want of something else than a page.
NOT_FOR_PAGES = {
    "frame_list_push_front": "the_last_list_id_is_refused",
    "frame_list_push_back": "the_last_list_id_is_refused",
    "frame_list_cursor_insert_before": "the_last_list_id_is_refused",
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def operations():
    """{name: manual}: every function that returns a status, with the comments that speak of it: the
    one before it, or before the declarations that it follows, and those about all of its header."""
    found = {}
    for path in sorted(glob.glob(f"{HEADERS}/*.h")):
        common, manual, manual_used = "", "", True
        pieces = re.split(r"(/\*.*?\*/)", read(path), flags=re.S)
        for piece in pieces:
            if piece.startswith("/*"):
                common += "" if manual_used else manual
                manual, manual_used = piece, False
                continue
            names = re.findall(r"\benum mm_status\s+(\w+)\(", piece)
            if re.search(r"\w+\([^;]*\)[^;]*;", piece, re.S):
                manual_used = True
            for name in names:
                found[name] = (manual, common)
    return found


def rows():
    found = {}
    for path in glob.glob(ROWS):
        found.update(re.findall(r"^\s*X\((\w+),\s*(PAGES|NOTHING),", read(path), re.M))
    return found


def says_no_memory(name, manuals, seen=()):
    manual, common = manuals[name]
    if "MM_NO_MEMORY" in manual or "MM_NO_MEMORY" in common:
        return True
    return any(other in manuals and other not in seen and
               says_no_memory(other, manuals, (*seen, name))
               for other in re.findall(r"\b[Aa]s (\w+)", manual))


def untried(manuals, tried, tests):
    for name in manuals:
        # A row may say after _of_ which sort of argument it tries.
        needs = {need for row, need in tried.items()
                 if row == name or row.startswith(f"{name}_of_")}
        if name in NOT_IN_A_ROW:
            if NOT_IN_A_ROW[name] not in tests:
                yield f"{name}: {NOT_IN_A_ROW[name]} is no test"
        elif not needs:
            yield f"{name} has no row in {ROWS}"
        elif needs == {"NOTHING"}:
            if name in NOT_FOR_PAGES:
                if NOT_FOR_PAGES[name] not in tests:
                    yield f"{name}: {NOT_FOR_PAGES[name]} is no test"
            elif "MM_NO_MEMORY" in manuals[name][0]:
                yield f"{name} can be MM_NO_MEMORY, says its header, but no row makes it so"
        elif not says_no_memory(name, manuals):
            yield f"{name} allocates, but its header does not say MM_NO_MEMORY"


def strange_rows(manuals, tried):
    names = set(manuals)
    for row in tried:
        if row not in names and row.partition("_of_")[0] not in names:
            yield f"{row}: no header has this operation"


def wrong_table():
    """The table of docs/architecture.md has one row for each public header, and no other."""
    section = read(ARCHITECTURE).partition("## Where each operation is\n")[2].partition("\n##")[0]
    named = re.findall(r"^\| `(\w+\.h)` \| \S", section, re.M)
    there = [os.path.basename(path) for path in glob.glob(f"{HEADERS}/*.h")]
    yield from (f"{ARCHITECTURE}: {name} has no row" for name in sorted(set(there) - set(named)))
    yield from (f"{ARCHITECTURE}: {name} is no header" for name in sorted(set(named) - set(there)))
    yield from (f"{ARCHITECTURE}: {name} has two rows" for name in sorted(set(named))
                if named.count(name) > 1)


def functions():
    """Every function that the public headers declare or define."""
    for path in sorted(glob.glob(f"{HEADERS}/*.h")):
        text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
        text = re.sub(r"^[ \t]*#.*(?:\\\n.*)*", "", text, flags=re.M)
        previous = None
        while previous != text:
            previous, text = text, re.sub(r"\{[^{}]*\}", ";", text)
        yield from (name for name in re.findall(r"\b([a-z]\w+)\((?!\*)[^;]*?\)[^;]*;", text)
                    if name != "sizeof")


def wrong_rows():
    """Each of them is an operation that is reported, or the document says why it is none."""
    there = set(functions())
    reported = set(re.findall(r"^(?:OP|LOOK)\(\w+,\s*\w+,\s*(\w+),", read(OPERATIONS), re.M))
    section = read(MODEL).partition("### What is no row\n")[2].partition("\n#")[0]
    listed = [name for row in re.findall(r"^\| (`.*?) \| \S.*\|$", section, re.M)
              for name in re.findall(r"`(\w+)`", row)]
    yield from (f"{name} is no row of {OPERATIONS}, nor is it said why in {MODEL}"
                for name in sorted(there - reported - set(listed)))
    yield from (f"{MODEL}: {name} is in no public header" for name in sorted(set(listed) - there))
    yield from (f"{MODEL}: {name} is a row" for name in sorted(set(listed) & reported))
    yield from (f"{MODEL}: {name} is listed twice" for name in sorted(set(listed))
                if listed.count(name) > 1)


def reasons():
    """{header: why the image does not include it}, the small table of docs/architecture.md."""
    section = read(ARCHITECTURE).partition("### What the image does not name\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+\.h)` \| (\S.*\S) \|$", section, re.M))


def unused_headers():
    """The image uses every interface: boot/ includes each public header, or there is a reason why not."""
    excused = reasons()
    included = {name for path in glob.glob("boot/**/*.[ch]", recursive=True)
                for name in re.findall(r"^#include <strata/(\w+\.h)>", read(path), re.M)}
    there = {os.path.basename(path) for path in glob.glob(f"{HEADERS}/*.h")}
    yield from (f"nothing in boot/ includes {name}, and {ARCHITECTURE} does not say why"
                for name in sorted(there - included - set(excused)))
    yield from (f"{ARCHITECTURE}: boot/ includes {name} or it is no header: the reason is void"
                for name in sorted(set(excused) & included | set(excused) - there))


def main():
    os.chdir(sys.argv[1])
    tap = Tap()
    manuals, tried = operations(), rows()
    tests = {name for path in glob.glob("tests/component/*.c")
             for name in re.findall(r"^TEST\((\w+)\)", read(path), re.M)}

    tap.check("the headers have operations", [] if len(manuals) > 80 else [sorted(manuals)])
    tap.check("of every public operation it is tried that its allocations fail",
              untried(manuals, tried, tests))
    tap.check("what is tried is a public operation", strange_rows(manuals, tried))
    tap.check("every public function is an operation that is reported, or it is said why not",
              wrong_rows())
    tap.check(f"{ARCHITECTURE} names every public header", wrong_table())
    tap.check("the image uses every public header, or there is a reason", unused_headers())
    tap.finish()


main()
