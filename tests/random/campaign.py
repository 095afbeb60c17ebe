#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs traces, or stress, of many seeds, several at a time, and adds up what they say.

    campaign.py [--seeds FIRST-LAST] [--jobs NUMBER] -- COMMAND...

In COMMAND, @SEED@ stands for the seed, and @PRINT@ for the step from which on each call is said before it
is made (0: none). It ends with exit code 124 at its time limit: then the last line that it said is said
again. If there is @PRINT@ in COMMAND, the seed is run once more instead, from the last step that it named
on, so that the call which does not end is known: the run is the same.

One seed: what it says goes to stdout as it comes. Several: the sums of what they say; or, if one was wrong,
no other is begun, and what that said goes there. Progress goes to stderr. Exit codes: that of the first
seed that did not end well, 0 if all did.
"""
import argparse
import collections
import concurrent.futures
import itertools
import re
import subprocess
import sys
import threading
import time

TIMED_OUT = 124
STEP = re.compile(r"^trace: step (\d+)$")
CALL = re.compile(r"^\d+ \w")
# What a run ends with: a table of statuses, lines with numbers, and the last line.
TABLE = "operations, and how they ended"
ROW = re.compile(r"^  ([A-Z]\w*)((?: +[A-Z_]+ \d+)*) *$")
LAST = re.compile(r"^(trace|stress): \d+ operations .*in \d+ worlds.*, 0 differences; .*, 0 reports$")
# One that is the same in each run is no sum.
NUMBER = re.compile(r"(?<!on )\b\d+")


class Seed:
    """A run of one seed."""

    def __init__(self, command, seed):
        self.command, self.seed = command, seed
        self.lines, self.code, self.step = [], None, 0

    def perform(self, on_line):
        """Leaves what it says in lines, and says it to on_line."""

        def say(line):
            self.lines.append(line)
            on_line(line)
            if found := STEP.match(line):
                self.step = int(found[1])

        self.code = self.run(0, say)
        if self.code == TIMED_OUT:
            say(f"NO END: seed {self.seed}, {self.where()}")
        elif self.code == 0 and not (self.lines and LAST.match(self.lines[-1])):
            say(f"seed {self.seed} did not say how it ended")
            self.code = 1

    def where(self):
        """How far it came that has no end."""
        calls = []
        if any("@PRINT@" in word for word in self.command):
            self.run(self.step + 1, lambda line: calls.append(line) if CALL.match(line) else None)
        if calls:
            return f"step {calls[-1]}"
        return f"after: {self.lines[-1] if self.lines else 'nothing'}"

    def run(self, first_printed, on_line):
        """Returns the exit code."""
        places = {"@SEED@": str(self.seed), "@PRINT@": str(first_printed)}
        command = [re.sub("@SEED@|@PRINT@", lambda match: places[match[0]], word)
                   for word in self.command]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              errors="replace") as process:
            for line in process.stdout:
                on_line(line.rstrip("\r\n"))
        return process.returncode


class Sums:
    """Of the numbers that several runs end with."""

    def __init__(self):
        self.statuses, self.lines = {}, {}

    def add(self, lines):
        for line in list(itertools.dropwhile(lambda line: line != TABLE, lines))[1:]:
            if found := ROW.match(line):
                row = self.statuses.setdefault(found[1], collections.Counter())
                words = found[2].split()
                for status, count in zip(words[::2], words[1::2]):
                    row[status] += int(count)
            else:
                numbers = [int(number) for number in NUMBER.findall(line)]
                text, before = self.lines.get(NUMBER.sub("", line), (line, [0] * len(numbers)))
                self.lines[NUMBER.sub("", line)] = (text, [a + b for a, b in zip(before, numbers)])

    def print(self, first, last):
        print(TABLE)
        for name, row in self.statuses.items():
            order = sorted(row, key=lambda status: (status != "OK", status))
            if order:
                print(f"  {name:<28}" + "".join(f" {status} {row[status]}" for status in order))
        for text, numbers in self.lines.values():
            left = iter(numbers)
            line = NUMBER.sub(lambda match: str(next(left)), text)
            print(line.replace(": ", f": seeds {first} to {last}, ", 1) if LAST.match(line) else line)


def campaign(command, first, last, jobs):
    """Runs all seeds; returns them in order, but for those that were not begun any more."""
    stop = threading.Event()
    started = time.monotonic()

    def perform(number):
        if stop.is_set():
            return None
        seed = Seed(command, number)
        seed.perform(lambda line: None)
        if seed.code != 0:
            stop.set()
        print(f"campaign: seed {number}: exit code {seed.code}, {time.monotonic() - started:.0f} s",
              file=sys.stderr, flush=True)
        return seed

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [seed for seed in pool.map(perform, range(first, last + 1)) if seed]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    first, last = (int(seed) for seed in arguments.seeds.split("-"))
    if first == last:
        seed = Seed(arguments.command, first)
        seed.perform(lambda line: print(line, flush=True))
        return seed.code
    seeds = campaign(arguments.command, first, last, arguments.jobs)
    wrong = [seed for seed in seeds if seed.code != 0]
    for seed in wrong:
        print("\n".join(seed.lines))
    if wrong:
        return wrong[0].code
    sums = Sums()
    for seed in seeds:
        sums.add(seed.lines)
    sums.print(first, last)
    return 0


sys.exit(main())
