#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Campaigns: what several seeds say is added up, one that is wrong ends them, and where one hangs is said.

    campaigns.py CAMPAIGN KIND COMMAND...

KIND is trace or stress: how the last line of a run is. COMMAND is a run that says the same each time; in it,
@SEED@ stands for the seed.
"""
import re
import subprocess
import sys

from tap import Tap

# The last line of a run; of the first three seeds.
LAST = {
    "trace": ("trace: 5 operations in 1 worlds, 2 refused; model: 7 checked, 0 differences; "
              "discipline: 9 events, 0 reports",
              "trace: seeds 1 to 3, 15 operations in 3 worlds, 6 refused; model: 21 checked, 0 differences; "
              "discipline: 27 events, 0 reports"),
    "stress": ("stress: 5 operations on 4 CPUs in 1 worlds; model: 7 checked, 2 times everything, 0 "
               "differences; discipline: 9 events, 0 reports",
               "stress: seeds 1 to 3, 15 operations on 4 CPUs in 3 worlds; model: 21 checked, 6 times "
               "everything, 0 differences; discipline: 27 events, 0 reports"),
}
# What a run says, by a shell whose $1 is the seed; of the first three seeds.
TABLE = ('echo "operations, and how they ended"; echo "  FRAME_ALLOC   OK $1 NO_MEMORY 2"; '
         '[ $1 != 2 ] || echo "  FRAME_DROP    OK 3"; '
         'echo branches; echo "  blocks split                 $1"; '
         'echo "contention: $1 tries in vain, 1 blocks split"')
SUMS = ["operations, and how they ended", "  FRAME_ALLOC                  OK 6 NO_MEMORY 6",
        "  FRAME_DROP                   OK 3", "branches", "  blocks split                 6",
        "contention: 6 tries in vain, 3 blocks split"]


def operations(said):
    found = re.findall(r"(\d+) operations (?:on \d+ CPUs )?in \d+ worlds", said)
    return int(found[-1]) if found else 0


def main():
    tap = Tap()
    program, kind, *command = sys.argv[1:]
    last, sum_of_last = LAST[kind]

    def campaign(seeds, *words):
        done = subprocess.run([sys.executable, program, "--seeds", seeds, "--jobs", "2", "--", *words],
                              capture_output=True, text=True, check=False, timeout=100)
        return done.returncode, done.stdout

    def of_shell(seeds, script, *words):
        return campaign(seeds, "timeout", "1", "sh", "-c", script, "sh", "@SEED@", *words)

    def alone(seed):
        return subprocess.run([word.replace("@SEED@", str(seed)) for word in command], capture_output=True,
                              text=True, check=False).stdout

    code, said = campaign("4-4", *command)
    tap.check("one seed says what it says alone", [] if code == 0 and said == alone(4) else [said])

    code, said = campaign("4-6", *command)
    each = sum(operations(alone(seed)) for seed in range(4, 7))
    tap.check("three seeds are as many operations as each of them alone",
              [] if code == 0 and operations(said) == each > 0 and f"{kind}: seeds 4 to 6, " in said
              else [code, each, said])
    tap.check("and say the same again", [] if said == campaign("4-6", *command)[1] else ["they differ"])

    code, said = of_shell("1-3", f'{TABLE}; echo "{last}"')
    tap.check("tables and last lines are added up, in their order",
              [] if code == 0 and said.splitlines() == [*SUMS, sum_of_last] else [code, said])

    code, said = of_shell("1-9", f'echo "DIFFERENT $1"; [ $1 -lt 2 ] || exit 1; {TABLE}; echo "{last}"')
    begun = set(re.findall(r"DIFFERENT (\d)", said))
    tap.check("a seed that is wrong ends the campaign, and what it said is there",
              [] if code == 1 and begun and begun <= {"2", "3", "4"} and "seeds 1 to" not in said
              else [code, said])

    code, said = of_shell("1-2", "true")
    tap.check("a seed that does not say how it ended was wrong", [] if code == 1 else [code, said])

    hangs = ('[ $2 != 0 ] && echo "$2 frame_alloc()" && echo "20002 frame_drop()"; echo "trace: step 10000"; '
             'echo "trace: step 20000"; exec sleep 30')
    code, said = of_shell("7-7", hangs, "@PRINT@")
    tap.check("where a seed has no end is said",
              [] if code == 124 and said.endswith("NO END: seed 7, step 20002 frame_drop()\n")
              else [code, said])
    code, said = of_shell("7-7", f'echo "{kind}: world 3"; exec sleep 30')
    tap.check("if its calls are not said, how far it came",
              [] if code == 124 and said.endswith(f"NO END: seed 7, after: {kind}: world 3\n")
              else [code, said])
    code, said = of_shell("7-7", "exec sleep 30", "@PRINT@")
    tap.check("if nothing is known of it, that",
              [] if code == 124 and said == "NO END: seed 7, after: nothing\n" else [code, said])
    tap.finish()


main()
