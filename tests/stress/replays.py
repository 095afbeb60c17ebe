#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The log of a world is performed again: in the order in which its steps took effect, on one thread.

    replays.py STRESS
"""
import re
import sys

from tap import Tap, output_of

REPLAYED = re.compile(r"^replay: (\d+) steps in their order on one thread, (\d+) of them ended as they were "
                      r"logged$", re.M)
# A step is a few operations, and others come between them: some end otherwise when it is whole.
ALIKE = 0.9


def main():
    tap = Tap()
    for cpus in (1, 4):
        code, output = output_of([sys.argv[1], "--replay", "7", "20000", str(cpus)])
        found = REPLAYED.search(output)
        tap.check(f"steps of {cpus} CPUs are right when they are performed again",
                  [] if code == 0 and found else [code, output])
        if found:
            steps, alike = int(found[1]), int(found[2])
            wanted = steps if cpus == 1 else ALIKE * steps
            tap.check(f"steps of {cpus} CPUs end as they did",
                      [] if steps >= 500 and alike >= wanted else [found[0]])
    tap.finish()


main()
