#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The model of the cursors' locking protocol, searched through by Spin.

    protocol.py MODEL COMPILER worlds FIRST LAST   no claim fails in any state of these worlds
    protocol.py MODEL COMPILER rules               without any one rule, the claim it is for does
    protocol.py MODEL COMPILER show MACRO          how, step by step
"""
import re
import subprocess
import sys
import tempfile

from tap import Tap

# What each claim is called here, and its bit in CLAIMS; Spin looks for deadlocks by itself.
DEADLOCK, FREED, RIGHT, STATE, FLUSH, MEMORY = (
    "deadlock", "use of a freed node", "two cursors with one address", "lost update",
    "freed while an MMU has it cached", "no table for who needs one")
BIT = {DEADLOCK: 0, FREED: 1, RIGHT: 2, STATE: 4, FLUSH: 8, MEMORY: 16}
OF_BIT = {bit: claim for claim, bit in BIT.items()}

# The macro that leaves a rule out, the rule, and which claims fail then, each by itself.
RULES = [
    ("NO_READ_SECTION", "tables are read without locks in a read section", [FREED]),
    ("NO_SECTION_FENCE", "a section is seen to be entered before anything is read in it", [FREED]),
    ("NO_GRACE_PERIOD", "tables are freed at once only if no CPU is in a section", [FREED]),
    ("NO_DEFERRED_WAIT", "deferred tables are freed after the sections that were noted", [FREED]),
    ("NO_SECOND_BATCH", "what is deferred while others wait has its sections noted later", [FREED]),
    ("NO_DRAIN", "who has no page frees deferred tables first", [MEMORY]),
    ("NO_FLUSH", "tables are freed after a flush", [FLUSH]),
    ("NO_STRAY_MARK", "a detached table is marked stray", [RIGHT, STATE]),
    ("NO_STRAY_MARK_BELOW", "so is each table below it", [RIGHT, STATE]),
    ("NO_STRAY_CHECK", "who has locked the covering node looks whether it is stray", [RIGHT, STATE]),
    ("NO_STRAY_CHECK_IN_SECTION", "he does before he leaves the section", [FREED]),
    ("NO_TRY_IN_SECTION", "nobody waits for a lock in a section", [DEADLOCK]),
    ("NO_RETRY", "who finds the covering node locked descends again", [FREED]),
    ("NO_DESCENDANT_LOCKS", "existing tables below the covering node are locked", [RIGHT, STATE]),
    ("NO_NEW_TABLE_LOCKED", "a new table is locked when it is linked", [RIGHT]),
    ("NO_SIBLING_ORDER", "the pages of a root are locked in ascending order", [DEADLOCK]),
    ("NO_UNLOCK_ORDER", "a table is unlocked after those below it", [FREED, RIGHT]),
    ("NO_UNLOCK_BEFORE_TIDY", "no lock is held when one nearer the root is taken", [DEADLOCK]),
    ("NO_SECOND_LOOK", "a table is looked at again before it is tidied away", [STATE]),
    ("NO_SECOND_READ", "a reader reads the leaf again once its node is locked", [STATE]),
]

# Where there are too few tables: the other worlds would be searched through in vain before.
WORLDS = {"NO_DRAIN": ["FIRST_WORLD=3", "LAST_WORLD=3"]}

# Enough for the largest world, and more steps than any run of one has.
MEMORY_MIB = 1024
DEPTH = 20000


class Model:
    """The searcher that Spin makes of the model, with some macros defined."""

    def __init__(self, directory, model, compiler, *macros, optimise="-O1"):
        self.directory, self.model = directory, model
        self.macros = ["-D" + macro for macro in macros]
        self.run("spin", *self.macros, "-a", model)
        self.run(*compiler.split(), optimise, "-w", "-DSAFETY", "-DCOLLAPSE",
                 f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c")

    def run(self, *command):
        done = subprocess.run(command, cwd=self.directory, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}")
        return done.stdout

    def search(self, *options):
        return self.run("./pan", f"-m{DEPTH}", *options)

    def trail(self):
        return self.run("spin", *self.macros, "-t", "-p", self.model)


def found_by(output):
    """Which claim a search found to fail; None if it went to the end and found none."""
    if "invalid end state (" in output:
        return DEADLOCK
    violated = re.search(r"assertion violated (.*)", output)
    if violated:
        bit = re.match(r"\(\(\(\d+&(\d+)\)==0\)\|\|", violated[1])
        return OF_BIT[int(bit[1])] if bit else violated[1]
    complete = ("errors: 0" in output and "not completed" not in output and
                "too small" not in output and "error:" not in output.lower().replace("errors:", ""))
    return None if complete else "incomplete search"


def check_worlds(tap, arguments, first, last):
    with tempfile.TemporaryDirectory() as directory:
        model = Model(directory, *arguments, f"FIRST_WORLD={first}", f"LAST_WORLD={last}")
        output = model.search("-w24")
        found = found_by(output)
        states = re.search(r"(\d+) states, stored", output)
        evidence = [] if found is None else [found, *output.splitlines()[:20],
                                             *model.trail().splitlines()[-40:]]
        tap.check(f"worlds {first} to {last}: no claim fails in {states and states[1]} states", evidence)


def check_rules(tap, arguments):
    with open(arguments[0], encoding="utf-8") as file:
        macros = set(re.findall(r"#ifn?def (NO_\w+)", file.read()))
    known = {macro for macro, _, _ in RULES}
    tap.check("each rule that the model can leave out is tried", macros ^ known)
    for macro, rule, claims in RULES:
        for claim in claims:
            with tempfile.TemporaryDirectory() as directory:
                # Most are found soon: to compile the searcher well would take longer than it runs.
                model = Model(directory, *arguments, macro, f"CLAIMS={BIT[claim]}",
                              *WORLDS.get(macro, []), optimise="-O0")
                # -E: deadlocks are not looked for.
                output = model.search("-w20", *([] if claim == DEADLOCK else ["-E"]))
            found = found_by(output)
            tap.check(f"{claim}, unless {rule}",
                      [] if found == claim else [f"{macro}: found {found}", output])


def main():
    arguments, what = sys.argv[1:3], sys.argv[3]
    if what == "show":
        with tempfile.TemporaryDirectory() as directory:
            model = Model(directory, *arguments, sys.argv[4])
            print(found_by(model.search("-w24")), model.trail(), sep="\n")
        return
    tap = Tap()
    if what == "worlds":
        check_worlds(tap, arguments, int(sys.argv[4]), int(sys.argv[5]))
    else:
        check_rules(tap, arguments)
    tap.finish()


main()
