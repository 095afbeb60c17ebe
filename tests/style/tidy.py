#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""clang-tidy on the C files of a build: one point for each.

    tidy.py SOURCE_ROOT BUILD_ROOT [DIRECTORY...]

With DIRECTORYs (relative to SOURCE_ROOT) only the files below them.
"""
import concurrent.futures
import json
import os
import re
import sys

from tap import Tap, output_of


def main():
    source, build = (os.path.realpath(path) for path in sys.argv[1:3])
    below = [os.path.join(source, directory) + "/" for directory in sys.argv[3:]] or [source + "/"]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        paths = {os.path.realpath(os.path.join(entry["directory"], entry["file"]))
                 for entry in json.load(file)}
    paths = sorted(path for path in paths if path.endswith(".c") and path.startswith(tuple(below))
                   and not path.startswith(build + "/"))

    def tidy(path):
        return output_of(["clang-tidy", "--quiet", "-p", build, path])

    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (code, output) in zip(paths, pool.map(tidy, paths)):
            found = [line for line in output.splitlines()
                     if not re.match(r"\d+ warnings? (generated|treated)|Suppressed ", line)]
            tap.check(f"clang-tidy accepts {os.path.relpath(path, source)}",
                      found or [f"exit code {code}"] if code else [])
    tap.finish()


main()
