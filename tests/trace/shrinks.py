#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A defect ends a trace, which is shrunk to a few steps and printed as a test; that compiles, fails with
the defect in the same way, and passes without.

    shrinks.py TRACE CANARY STEPS SAYS -- COMPILER...

COMPILER takes the file that is compiled in the place of the word @INPUT@, and the program in @OUTPUT@.
"""
import os
import re
import sys
import tempfile

from tap import Tap, output_of


def main():
    trace, canary, steps, says, _, *compiler = sys.argv[1:]
    tap = Tap()
    code, output = output_of([trace, f"--canary={canary}", "1", "20000"])
    tap.check("the defect ends the run", [] if code == 1 else [f"exit code {code}", output])
    found = re.search(r"^---- the test ----\n(.*)^---- end of the test ----$", output, re.M | re.S)
    test = found.group(1) if found else ""
    count = test.count("\tSTEP(")
    tap.check(f"{steps} steps are left at most",
              [] if 0 < count <= int(steps) else [f"{count} steps", output])
    with tempfile.TemporaryDirectory() as directory:
        source, program = os.path.join(directory, "pasted.c"), os.path.join(directory, "pasted")
        with open(source, "w", encoding="utf-8") as file:
            file.write(test)
        places = {"@INPUT@": source, "@OUTPUT@": program}
        code, said = output_of([places.get(word, word) for word in compiler])
        tap.check("the test compiles", [] if code == 0 else [said, test])
        code, said = output_of([program, f"--canary={canary}"])
        tap.check("with the defect it fails in the same way",
                  [] if code == 1 and re.search(says, said, re.M) else [f"exit code {code}", said])
        code, said = output_of([program])
        tap.check("without it, it passes", [] if code == 0 else [f"exit code {code}", said])
    tap.finish()


main()
