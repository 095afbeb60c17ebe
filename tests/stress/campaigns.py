#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Campaigns: what several seeds say is added up, and one that is wrong ends them.

    campaigns.py CAMPAIGN
"""
import re
import subprocess
import sys

from tap import Tap

LAST = ("stress: 5 operations on 4 CPUs in 1 worlds; model: 7 checked, 2 times everything, 0 differences; "
        "discipline: 9 events, 0 reports")


def main():
    tap = Tap()

    def of_shell(seeds, script):
        done = subprocess.run([sys.executable, sys.argv[1], "--seeds", seeds, "--jobs", "2", "--", "timeout",
                               "1", "sh", "-c", script, "sh", "@SEED@"],
                              capture_output=True, text=True, check=False, timeout=100)
        return done.returncode, done.stdout

    table = (f'echo "  FRAME_ALLOC   OK $1 NO_MEMORY 2"; echo "contention: $1 tries in vain, 1 blocks split"; '
             f'echo "{LAST}"')
    code, said = of_shell("1-3", table)
    wanted = ["  FRAME_ALLOC                  OK 6 NO_MEMORY 6",
              "contention: 6 tries in vain, 3 blocks split",
              "stress: seeds 1 to 3, 15 operations on 4 CPUs in 3 worlds; model: 21 checked, 6 times "
              "everything, 0 differences; discipline: 27 events, 0 reports"]
    tap.check("tables and last lines are added up",
              [] if code == 0 and all(line in said.splitlines() for line in wanted) else [code, said])

    code, said = of_shell("1-9", f'echo "DIFFERENT $1"; [ $1 -lt 2 ] || exit 1; {table}')
    begun = set(re.findall(r"DIFFERENT (\d)", said))
    tap.check("a seed that is wrong ends the campaign, and what it said is there",
              [] if code == 1 and begun and begun <= {"2", "3", "4"} and "seeds 1 to" not in said
              else [code, said])

    code, said = of_shell("1-2", "true")
    tap.check("a seed that does not say how it ended was wrong", [] if code == 1 else [code, said])

    code, said = of_shell("7-7", 'echo "stress: world 3"; exec sleep 30')
    tap.check("how far a seed came that has no end is said",
              [] if code == 124 and said.endswith("NO END: seed 7, after: stress: world 3\n")
              else [code, said])
    tap.finish()


main()
