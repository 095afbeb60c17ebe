#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is said of both states when a step is wrong, while nothing is wrong: each kind of object is there, and
what it is is what it is by the model.

    states.py TRACE
"""
import re
import sys

from tap import Tap, output_of

# A line of a kind of object. Where both states are in it, they are the two groups, in the same words.
PAIRS = {
    "cursor": r"    cursor \d: (.*); model: (.*)$",
    "list": r"    list \d: (\d+ frames); model: (\d+ frames), number \d+:.*$",
    "area": r"    area \d: (.*); model: (.*)$",
    "owner of a page": r"    page 0x\w+ of memory: .* references, of (.*); model: .*, of (.*)$",
    "references of a page": r"    page 0x\w+ of memory: \w+, (\d+) references, .*; model: (\d+) = .*$",
}
# A reader that was made again and not used yet is not by the model what it is.
SINGLE = {
    "space": r"  space \d+, Stage [12]$",
    "mapping": r"    in memory +0x\w+ \.\. 0x\w+ to 0x\w+ ",
    "reader": r"    reader \d: .*; model: .*$",
    "writer": r"    writer \d: .*; model: .*$",
    "owner": r"    (space \d+|sharing \d, (lent|shared)): \d+ pages$",
    "sharing": r"    sharing \d, shared or lent by .* to space \d+$",
}


def main():
    tap = Tap()
    code, output = output_of([sys.argv[1], "--states=20", "3", "6000"])
    lines = output.splitlines()
    tap.check("nothing is wrong", [] if code == 0 else lines[-5:])
    for name, pattern in PAIRS.items():
        found = [match for match in (re.match(pattern, line) for line in lines) if match]
        different = [match[0] for match in found if match[1] != match[2]]
        tap.check(f"each {name}: both states say the same", different if found else ["there is none"])
    for name, pattern in SINGLE.items():
        tap.check(f"each {name} is said",
                  [] if any(re.match(pattern, line) for line in lines) else ["there is none"])
    tap.finish()


main()
