#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The judges judged: what scripts/boot and scripts/tally make of runs that go wrong.

    helpers.py SCRIPTS
"""
import json
import os
import sys
import tempfile

from tap import Tap, output_of

# Stands in for QEMU: prints what it is told and ends as it is told.
EMULATOR = """#!/bin/sh
printf "$FAKE_OUTPUT"
[ -z "$FAKE_SLEEP" ] || exec sleep "$FAKE_SLEEP"
exit "${FAKE_EXIT:-0}"
"""

# What the emulator does, what is asked of scripts/boot, and the exit code that is right.
BOOTS = [
    ("a good end", {}, [], 0),
    ("the image's own exit code", {"FAKE_EXIT": "42"}, [], 42),
    ("a run that takes too long", {"FAKE_SLEEP": "20"}, ["--timeout", "0.5"], 124),
    ("an exit code nobody asked for", {"FAKE_EXIT": "3"}, ["--expect", "one"], 1),
    ("the exit code that was asked for", {"FAKE_EXIT": "3"}, ["--exit", "3"], 0),
    ("no error where one was asked for", {}, ["--exit", "3"], 1),
    ("lines in order", {}, ["--expect", "^one$", "--expect", "^two$"], 0),
    ("lines out of order", {}, ["--expect", "^two$", "--expect", "^one$"], 1),
    ("a line that is not there", {}, ["--expect", "three"], 1),
    ("a line that must not be there", {}, ["--reject", "tw"], 1),
    ("no line that must not be there", {}, ["--reject", "three"], 0),
    ("TAP cut short by the time limit", {"FAKE_OUTPUT": "1..2\\nok 1 - a\\n", "FAKE_SLEEP": "20"},
     ["--tap", "--timeout", "0.5"], 1),
]

# One log of `meson test`: result, what was printed; then what of it counts: passed, failed, skipped.
LOGS = [
    ("a test that passes", "OK", "", (1, 0, 0)),
    ("a test that fails", "FAIL", "", (0, 1, 0)),
    ("a test that takes too long", "TIMEOUT", "", (0, 1, 0)),
    ("a test that is skipped", "SKIP", "1..0 # SKIP no emulator\n", (0, 0, 1)),
    ("a defect that is expected", "EXPECTEDFAIL", "", (1, 0, 0)),
    ("a defect that went away", "UNEXPECTEDPASS", "", (0, 1, 0)),
    ("points", "OK", "1..3\nok 1 - a\nok 2 - b\nok 3 - c # SKIP not here\n", (2, 0, 1)),
    ("a point that fails", "FAIL", "1..2\nok 1 - a\nnot ok 2 - b\n", (1, 1, 0)),
    ("a crash after good points", "ERROR", "1..3\nok 1 - a\nok 2 - b\n", (2, 1, 0)),
]


def check_boot(tap, scripts, directory):
    emulator = os.path.join(directory, "qemu-system-aarch64")
    with open(emulator, "w", encoding="ascii") as file:
        file.write(EMULATOR)
    os.chmod(emulator, 0o755)
    for claim, fake, options, right in BOOTS:
        environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}",
                       "FAKE_OUTPUT": "one\\ntwo\\n", **fake}
        code, output = output_of([os.path.join(scripts, "boot"), *options, "image"],
                                 env=environment)
        tap.check(f"boot: {claim}: exit code {right}",
                  [] if code == right else [f"exit code {code}", output])


def check_tally(tap, scripts, directory):
    tally = os.path.join(scripts, "tally")
    log = os.path.join(directory, "log.json")
    records = os.path.join(directory, "records")
    sums = [0, 0, 0]
    with open(records, "w", encoding="utf-8") as record:
        for name, result, output, counts in LOGS:
            with open(log, "w", encoding="utf-8") as file:
                json.dump({"name": f"strata:x / {name}", "stdout": output, "result": result,
                           "duration": 1.0}, file)
            said = output_of([tally, "suite", log])[1]
            record.write(said)
            sums = [a + b for a, b in zip(sums, counts)]
            last = "suite: {} passed, {} failed, {} skipped".format(*counts)
            lines = said.splitlines()
            evidence = [] if lines[-1] == last else [said]
            if counts[1] + counts[2] and name not in said:
                evidence.append("the test is not named")
            tap.check(f"tally: {name}: {last}", evidence)

    code, said = output_of([tally, "suite", os.path.join(directory, "absent.json")])
    tap.check("tally: a suite without a log has failed", [] if "1 failed" in said else [said])
    code, said = output_of([tally, "--total", records])
    right = "{} passed, {} failed, {} skipped".format(*sums)
    tap.check(f"tally: in all {right}, exit code 1",
              [] if code == 1 and said.strip() == right else [code, said])
    with open(records, "w", encoding="utf-8") as record:
        record.write("suite: 2 passed, 0 failed, 0 skipped\n")
    code, said = output_of([tally, "--total", records])
    tap.check("tally: 2 passed, 0 failed, exit code 0",
              [] if code == 0 and said.strip() == "2 passed, 0 failed" else [code, said])
    with open(records, "w", encoding="utf-8") as record:
        record.write("")
    code, said = output_of([tally, "--total", records])
    tap.check("tally: that nothing ran is no success", [] if code == 1 else [code, said])


def main():
    scripts = sys.argv[1]
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        check_boot(tap, scripts, directory)
        check_tally(tap, scripts, directory)
    tap.finish()


main()
