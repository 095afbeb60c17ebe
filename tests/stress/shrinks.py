#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong is said with both states and an order, is performed again, and shrunk.

    shrinks.py STRESS
"""
import re
import sys
import tempfile

from tap import Tap, output_of

# The defect, the most steps that are left on one thread, and who finds it.
DEFECTS = [
    ("tlbi_local", 8, "discipline: tlbi_local: "),
    ("frame_not_dropped", 8, "(model|end): "),
]


def main():
    tap = Tap()
    stress = sys.argv[1]
    for defect, most, said in DEFECTS:
        code, output = output_of([stress, "--canary=" + defect, "1", "400000", "4"])
        tap.check(f"{defect} is found", [] if code != 0 and re.search(
            r"^DIFFERENT at seed 1, world \d+, CPU \d, step \d+ \(\w+\)\n  " + said, output, re.M)
                  else [code, output])
        tap.check(f"{defect}: the states of memory and of the model are said",
                  [] if "    model " in output and "    in memory " in output else [output])
        found = re.search(r"^shrunk to (\d+) steps, on one thread, in their order; " + said, output, re.M)
        tap.check(f"{defect} is shrunk", [] if found and int(found[1]) <= most else [output])
        with tempfile.NamedTemporaryFile("w", suffix=".order") as file:
            file.write(output)
            file.flush()
            code, again = output_of([stress, "--canary=" + defect, "--order=" + file.name])
            tap.check(f"{defect} is found in the order that was said",
                      [] if code != 0 and re.search("^replay: " + said, again, re.M) else [code, again])
            code, again = output_of([stress, "--order=" + file.name])
            tap.check(f"without {defect} the same order is right", [] if code == 0 else [code, again])
    tap.finish()


main()
