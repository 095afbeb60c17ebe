#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each example of the discipline prints the trace that is kept of it; a bad one has a report of the
rule in its name, a good one has none. The rules in docs/model.md are those of the program.

    traces.py [--accept] EXAMPLES DIRECTORY DOCUMENT

--accept keeps what the examples print now.
"""
import difflib
import os
import re
import sys

from tap import Tap, output_of

# An example of another way to break a rule than the one that has its name.
ALSO = {"bad_dsb_missing_between": "dsb_missing_after"}


def verdict(name, output):
    """What is wrong with the reports."""
    kind, _, rule = name.partition("_")
    broken = re.findall(r"^! (\w+): ", output, re.M)
    if kind == "good":
        return broken
    return [] if broken == [ALSO.get(name, rule)] else [f"reports: {broken}"]


def without_lines(trace):
    """Its lines, each with the file that it comes from: the line there may be another one today."""
    return [re.sub(r'\(src "([^":]+):\d+"\)', r'(src "\1")', line) for line in trace.splitlines()]


def main():
    accept = sys.argv[1] == "--accept"
    program, directory, document = sys.argv[-3:]
    tap = Tap()
    code, listed = output_of([program, "--list"])
    names = listed.split()
    tap.check("the program knows its examples", [] if code == 0 and len(names) > 30 else [listed])
    for name in names:
        code, output = output_of([program, name])
        path = os.path.join(directory, name + ".log")
        if accept:
            with open(path, "w", encoding="ascii") as file:
                file.write("; SPDX-License-Identifier: BSD-3-Clause\n" + output)
        kept = ""
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                kept = file.read().partition("\n")[2]
        tap.check(f"{name} has the reports that its name says",
                  verdict(name, output) if code == 0 else [f"exit code {code}", output])
        tap.check(f"{name} prints the trace that is kept",
                  difflib.unified_diff(without_lines(kept), without_lines(output), lineterm=""))
    kept = {path.removesuffix(".log") for path in os.listdir(directory)}
    tap.check("no trace is kept of what is no example", sorted(kept - set(names)))
    _, rules = output_of([program, "--rules"])
    with open(document, encoding="utf-8") as file:
        text = file.read()
    tap.check("the document has the rules of the program",
              [line for line in rules.splitlines() if line not in text.splitlines()])
    tap.finish()


main()
