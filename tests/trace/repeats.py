#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A trace is its seed: the same one says the same, another one something else.

    repeats.py TRACE
"""
import sys

from tap import Tap, output_of


def main():
    tap = Tap()
    trace = sys.argv[1]
    code, first = output_of([trace, "7", "6000"])
    tap.check("nothing is wrong", [] if code == 0 else [first])
    tap.check("the same seed, the same bytes",
              [] if output_of([trace, "7", "6000"])[1] == first else ["they differ"])
    tap.check("another seed, another run",
              [] if output_of([trace, "8", "6000"])[1] != first else ["they are the same"])
    tap.finish()


main()
