#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs traces of many seeds, several at a time, and adds up what they say.

    campaign.py [--seeds FIRST-LAST] [--jobs NUMBER] -- COMMAND...

In COMMAND, @SEED@ stands for the seed, and @PRINT@ for the step from which on each call is said before it
is made (0: none). It ends with exit code 124 at its time limit. A seed that does is run once more, from
the last step that it named on, so that the call which does not end is known: the run is the same.

One seed: what it says goes to stdout as it comes. Several: the sums of what they say; or, if one was wrong,
no other is begun, and what that said goes there. Progress goes to stderr. Exit codes: that of the first
seed that did not end well, 0 if all did.
"""
import argparse
import collections
import concurrent.futures
import re
import subprocess
import sys
import threading
import time

TIMED_OUT = 124
STEP = re.compile(r"^trace: step (\d+)$")
CALL = re.compile(r"^\d+ \w")
ROW = re.compile(r"^  (\S.*?)((?: +[A-Z_]+ \d+)+)$")
BRANCH = re.compile(r"^  ([a-z][a-z ]*?) +(\d+)$")
LAST = re.compile(r"^trace: (\d+) operations in (\d+) worlds, (\d+) refused; model: (\d+) checked, "
                  r"0 differences; discipline: (\d+) events, 0 reports$")


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
            calls = []
            self.run(self.step + 1, calls.append)
            calls = [line for line in calls if CALL.match(line)]
            say(f"NO END: seed {self.seed}, step {calls[-1]}" if calls else
                f"NO END: seed {self.seed}, after step {self.step}")
        elif self.code == 0 and not (self.lines and LAST.match(self.lines[-1])):
            say(f"seed {self.seed} did not say how it ended")
            self.code = 1

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
    """Of the tables and the last lines of several runs."""

    def __init__(self):
        self.statuses, self.branches = {}, {}
        self.last = [0] * LAST.groups

    def add(self, lines):
        for line in lines:
            if found := ROW.match(line):
                row = self.statuses.setdefault(found[1], collections.Counter())
                words = found[2].split()
                for status, count in zip(words[::2], words[1::2]):
                    row[status] += int(count)
            elif found := BRANCH.match(line):
                self.branches[found[1]] = self.branches.get(found[1], 0) + int(found[2])
            elif found := LAST.match(line):
                self.last = [a + int(b) for a, b in zip(self.last, found.groups())]

    def print(self, first, last):
        print("operations, and how they ended")
        for name, row in self.statuses.items():
            order = sorted(row, key=lambda status: (status != "OK", status))
            print(f"  {name:<28}" + "".join(f" {status} {row[status]}" for status in order))
        print("branches")
        for name, count in self.branches.items():
            print(f"  {name:<28} {count}")
        operations, worlds, refused, checks, events = self.last
        print(f"trace: seeds {first} to {last}, {operations} operations in {worlds} worlds, {refused} "
              f"refused; model: {checks} checked, 0 differences; discipline: {events} events, "
              "0 reports")


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
        print(f"trace: seed {number}: exit code {seed.code}, {time.monotonic() - started:.0f} s",
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
