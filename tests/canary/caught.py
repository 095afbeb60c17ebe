#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program with a defect built in must end with an error and say why.

    caught.py REGEX... -- COMMAND...

Each REGEX matches some line that only this defect explains: a crash for another reason is no catch.
"""
import re
import sys

from tap import Tap, output_of


def main():
    end = sys.argv.index("--")
    evidence, command = sys.argv[1:end], sys.argv[end + 1:]
    tap = Tap()
    code, output = output_of(command)
    lines = output.splitlines()
    tap.check("the defect does not pass", [] if code != 0 else ["exit code 0"])
    for regex in evidence:
        found = [line for line in lines if re.search(regex, line)]
        for line in found[:5]:
            print(f"# {line}")
        tap.check("what is wrong is said",
                  [] if found else [f"no line matches {regex}", *lines[-40:]])
    tap.finish()


main()
