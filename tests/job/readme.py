#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds README.md's transcript against a run: each line of it is a line of the run, in that order, but
for numbers; where lines of the run are left out there are dots.

    readme.py README BOOT IMAGE
"""
import re
import subprocess
import sys

from tap import Tap


def shape(line):
    """What of a line is the same in every run: not its numbers, nor how wide they are."""
    return re.sub(r"\s+", " ", re.sub(r"0x[0-9a-f]+|\d+", "#", line)).strip()


def transcript(readme):
    with open(readme, encoding="utf-8") as file:
        block = re.search(r"^```\n(entry\n.*?)^```", file.read(), re.M | re.S)
    return block.group(1).splitlines() if block else []


def differences(shown, printed):
    at = 0
    cut = False
    for line in shown:
        if line.strip() == "...":
            cut = True
            continue
        found = next((i for i in range(at, len(printed)) if shape(printed[i]) == shape(line)), None)
        if found is None:
            yield f"README shows {line!r}, the run after its line {at} does not"
            return
        if found != at and not cut:
            yield f"README leaves out {printed[at]!r} without dots before {line!r}"
        at = found + 1
        cut = False


def main():
    readme, *command = sys.argv[1:]
    tap = Tap()
    done = subprocess.run([*command, "--made-initrd", "64", "--append", "log=info", "--timeout", "300"],
                          capture_output=True, text=True, check=False)
    shown = transcript(readme)
    tap.check("README has a transcript", [] if len(shown) > 20 else [shown])
    tap.check("the run ends well", [] if done.returncode == 0 else [done.stdout, done.stderr])
    tap.check("README's transcript is what a run prints", differences(shown, done.stdout.splitlines()))
    tap.finish()


main()
