#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""By one host thread and a clock of instructions a run is its seed: the same one says the same.

    repeats.py BOOT IMAGE CPU CPUS
"""
import re
import sys

from tap import Tap, output_of


def main():
    tap = Tap()
    boot, image, cpu, cpus = sys.argv[1:]

    def run(seed):
        return output_of([boot, "--cpu", cpu, "--smp", cpus, "--qemu=-icount",
                          "--qemu=shift=0,sleep=off", "--timeout", "90", "--append",
                          f"seed={seed} ops=20000", image])

    code, first = run(7)
    waits = re.search(r"^contention: .* (\d+) tries in vain", first, re.M)
    tap.check("nothing is wrong", [] if code == 0 else [code, first])
    tap.check("CPUs were in each other's way", [] if waits and int(waits[1]) > 50 else [first])
    tap.check("the same seed, the same bytes", [] if run(7)[1] == first else ["they differ"])
    tap.check("another seed, another run", [] if run(8)[1] != first else ["they are the same"])
    tap.finish()


main()
