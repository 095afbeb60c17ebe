#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long start-up takes does not depend on how much memory there is.

    boot_time.py BOOT IMAGE.bin...

The time is that of the system counter when the image says that it is ready. Under QEMU's -icount with
shift=0 an instruction takes one nanosecond, so it is a number of instructions, and the same in every
run. Memory that nobody touches costs the host nothing.
"""
import os
import re
import sys

from tap import Tap, output_of

SMALL, LARGE = "4G", "256G"
PERCENT = 5
READY = re.compile(r"^debug: ready at (\d+)\.(\d{6}) s of the system counter$", re.M)


def instructions(boot, image, memory):
    """In thousands, until the image is ready; and what it printed, if that is not known."""
    # No input and nothing to do: what follows ends at once, with a code that does not matter here.
    _, output = output_of([sys.executable, boot, "--cpu", "max", "--memory", memory,
                           "--append", "log=debug do=exit", "--timeout", "60",
                           "--qemu=-icount", "--qemu=shift=0,sleep=off",
                           "--machine", "dtb-randomness=off", image])
    ready = READY.search(output)
    return int(ready[1] + ready[2]) if ready else None, output


def slower(boot, image):
    small, output = instructions(boot, image, SMALL)
    if not small:
        return [output]
    large, output = instructions(boot, image, LARGE)
    if not large:
        return [output]
    said = (f"{os.path.basename(image)}: {small} thousand instructions with {SMALL}, {large} with "
            f"{LARGE}, {100 * (large - small) / small:+.1f} %")
    print(f"# {said}")
    return [said] if abs(large - small) * 100 > PERCENT * small else []


def main():
    boot, *images = sys.argv[1:]
    tap = Tap()
    for image in images:
        tap.check(f"{os.path.basename(image)} starts with {LARGE} as fast as with {SMALL}, within "
                  f"{PERCENT} %", slower(boot, image))
    tap.finish()


main()
