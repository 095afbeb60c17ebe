#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same program without a defect must pass, and say nothing that a defect is known by.

    healthy.py REGEX... -- COMMAND...
"""
import re
import sys

from tap import Tap, output_of


def main():
    end = sys.argv.index("--")
    evidence, command = sorted(set(sys.argv[1:end])), sys.argv[end + 1:]
    tap = Tap()
    code, output = output_of(command)
    lines = output.splitlines()
    tap.check("it passes", [] if code == 0 else [f"exit code {code}", *lines[-40:]])
    tap.check("it says nothing that a defect is known by",
              [f"{regex}: {line}" for regex in evidence for line in lines if re.search(regex, line)])
    tap.finish()


main()
