#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs stress of many seeds, several at a time, and adds up what they say.

    campaign.py [--seeds FIRST-LAST] [--jobs NUMBER] -- COMMAND...

In COMMAND, @SEED@ stands for the seed. One seed: what it says goes to stdout as it comes. Several: the sums
of what they say; or, if one was wrong, no other is begun, and what that said goes there. Progress goes to
stderr. Exit codes: that of the first seed that did not end well, 0 if all did.
"""
import argparse
import collections
import concurrent.futures
import re
import subprocess
import sys
import threading
import time

ROW = re.compile(r"^  ([A-Z][A-Z_0-9]*?)((?: +[A-Z_]+ \d+)+)$")
LINES = ("guests: ", "contention: ", "stress: ")
NUMBER = re.compile(r"\d+")
LAST = re.compile(r"^stress: \d+ operations on \d+ CPUs in \d+ worlds; .*, 0 differences; .*, 0 reports$")
TIMED_OUT = 124


def run(command, seed, on_line):
    """The exit code and the lines of a seed."""
    lines = []
    words = [word.replace("@SEED@", str(seed)) for word in command]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          errors="replace") as process:
        for line in process.stdout:
            lines.append(line.rstrip("\r\n"))
            on_line(lines[-1])
    code = process.returncode
    if code == TIMED_OUT:
        lines.append(f"NO END: seed {seed}, after: {lines[-1] if lines else 'nothing'}")
        on_line(lines[-1])
    elif code == 0 and not any(LAST.match(line) for line in lines):
        lines.append(f"seed {seed} did not say how it ended")
        on_line(lines[-1])
        code = 1
    return code, lines


class Sums:
    """Of the numbers in the lines that all runs end with."""

    def __init__(self):
        self.rows, self.lines = {}, {}

    def add(self, lines):
        for line in lines:
            if found := ROW.match(line):
                row = self.rows.setdefault(found[1], collections.Counter())
                words = found[2].split()
                for status, count in zip(words[::2], words[1::2]):
                    row[status] += int(count)
            elif line.startswith(LINES[:2]) or LAST.match(line):
                numbers = [int(number) for number in NUMBER.findall(line)]
                text, before = self.lines.get(line.split(":")[0], (line, [0] * len(numbers)))
                self.lines[line.split(":")[0]] = (text, [a + b for a, b in zip(before, numbers)])

    def print(self, first, last, cpus):
        print("operations, and how they ended")
        for name, row in self.rows.items():
            order = sorted(row, key=lambda status: (status != "OK", status))
            print(f"  {name:<28}" + "".join(f" {status} {row[status]}" for status in order))
        for text, numbers in self.lines.values():
            if text.startswith("stress: "):
                numbers[1] = cpus
                text = text.replace("stress: ", f"stress: seeds {first} to {last}, ", 1)
                numbers = [first, last] + numbers
            left = iter(numbers)
            print(NUMBER.sub(lambda match: str(next(left)), text))


def campaign(command, first, last, jobs):
    """Runs all seeds; returns (seed, code, lines) in order, but for those that were not begun any more."""
    stop = threading.Event()
    started = time.monotonic()

    def perform(seed):
        if stop.is_set():
            return None
        code, lines = run(command, seed, lambda line: None)
        if code != 0:
            stop.set()
        print(f"stress: seed {seed}: exit code {code}, {time.monotonic() - started:.0f} s",
              file=sys.stderr, flush=True)
        return seed, code, lines

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [done for done in pool.map(perform, range(first, last + 1)) if done]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    first, last = (int(seed) for seed in arguments.seeds.split("-"))
    if first == last:
        return run(arguments.command, first, lambda line: print(line, flush=True))[0]
    seeds = campaign(arguments.command, first, last, arguments.jobs)
    wrong = [(code, lines) for _, code, lines in seeds if code != 0]
    for _, lines in wrong:
        print("\n".join(lines))
    if wrong:
        return wrong[0][0]
    sums = Sums()
    for _, _, lines in seeds:
        sums.add(lines)
    cpus = next(int(found[1]) for _, _, lines in seeds for line in lines
                if (found := re.match(r"^stress: .* operations on (\d+) CPUs", line)))
    sums.print(first, last, cpus)
    return 0


sys.exit(main())
