#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Campaigns: what several seeds say is added up, one that is wrong ends them, and where one hangs is said.

    campaigns.py CAMPAIGN TRACE
"""
import re
import subprocess
import sys

from tap import Tap

LAST = ("trace: 5 operations in 1 worlds, 2 refused; model: 7 checked, 0 differences; "
        "discipline: 9 events, 0 reports")


def main():
    tap = Tap()
    program, trace = sys.argv[1:]

    def campaign(seeds, *command):
        done = subprocess.run([sys.executable, program, "--seeds", seeds, "--jobs", "2", "--", *command],
                              capture_output=True, text=True, check=False, timeout=100)
        return done.returncode, done.stdout

    def of_shell(seeds, script):
        return campaign(seeds, "timeout", "1", "sh", "-c", script, "sh", "@SEED@", "@PRINT@")

    code, said = campaign("4-4", trace, "@SEED@", "3000")
    alone = subprocess.run([trace, "4", "3000"], capture_output=True, text=True, check=False).stdout
    tap.check("one seed says what it says alone", [] if code == 0 and said == alone else [said])

    code, said = campaign("4-6", trace, "@SEED@", "3000")
    tap.check("three seeds are three times as many operations",
              [] if code == 0 and re.search(r"^trace: seeds 4 to 6, 9000 operations in 15 worlds, ", said,
                                            re.M) else [code, said])
    tap.check("and say the same again", [] if said == campaign("4-6", trace, "@SEED@", "3000")[1] else
              ["they differ"])

    table = f'echo "  FRAME_ALLOC   OK $1 NO_MEMORY 2"; echo "  blocks split  $1"; echo "{LAST}"'
    code, said = of_shell("1-3", table)
    wanted = ["  FRAME_ALLOC                  OK 6 NO_MEMORY 6", "  blocks split                 6",
              "trace: seeds 1 to 3, 15 operations in 3 worlds, 6 refused; model: 21 checked, 0 "
              "differences; discipline: 27 events, 0 reports"]
    tap.check("tables and last lines are added up",
              [] if code == 0 and all(line in said.splitlines() for line in wanted) else [code, said])

    code, said = of_shell("1-9", f'echo "DIFFERENT $1"; [ $1 -lt 2 ] || exit 1; {table}')
    begun = set(re.findall(r"DIFFERENT (\d)", said))
    tap.check("a seed that is wrong ends the campaign, and what it said is there",
              [] if code == 1 and begun and begun <= {"2", "3", "4"} and "seeds 1 to" not in said
              else [code, said])

    code, said = of_shell("1-2", "true")
    tap.check("a seed that does not say how it ended was wrong", [] if code == 1 else [code, said])

    hangs = ('[ $2 != 0 ] && echo "$2 frame_alloc()" && echo "20002 frame_drop()"; echo "trace: step 10000"; '
             'echo "trace: step 20000"; exec sleep 30')
    code, said = of_shell("7-7", hangs)
    tap.check("where a seed has no end is said",
              [] if code == 124 and said.endswith("NO END: seed 7, step 20002 frame_drop()\n")
              else [code, said])
    code, said = of_shell("7-7", "exec sleep 30")
    tap.check("if nothing is known of it, the step that it came to",
              [] if code == 124 and said == "NO END: seed 7, after step 0\n" else [code, said])
    tap.finish()


main()
