#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Installs a build into an empty directory, and builds a consumer from what is there.

    install.py BUILD_ROOT CONSUMER.c PICOLIBC COMPILER...
"""
import os
import sys
import tempfile

import staging
from tap import Tap, complaint, output_of


def files_below(directory):
    return sorted(os.path.relpath(os.path.join(where, name), directory)
                  for where, _, names in os.walk(directory) for name in names)


def missing(found, wanted):
    return [f"{name} is not installed" for name in wanted if name not in found]


def main():
    build, consumer, picolibc, *compiler = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as stage:
        root = staging.install(tap, build, stage)
        found = files_below(root)
        headers = [name for name in found if name.endswith(".h")]
        tap.check("library, headers and pkg-config file are installed", missing(found, [
            "lib/libstrata.a", "lib/pkgconfig/strata.pc", "include/strata/arch/address.h",
            "include/strata/strata/mm.h", "include/strata/strata/cursor.h",
            "include/strata/aarch64/vcpu.h"]))
        tap.check("nothing else is", [name for name in found if name not in headers and name not in (
            "lib/libstrata.a", "lib/pkgconfig/strata.pc", "include/strata/strata/ops.def")])

        flags = staging.flags(tap, stage, root)
        common = staging.compile_flags(picolibc)
        for name in headers:
            path = name.removeprefix("include/strata/")
            with open(os.path.join(root, name), encoding="utf-8") as file:
                language = "assembler-with-cpp" if "\n.macro " in file.read() else "c"
            tap.check(f"<{path}> needs no other header before it", complaint(
                [*compiler, *common, *flags, "-c", "-o", "/dev/null", "-include", path,
                 "-x", language, "/dev/null"]))

        program = os.path.join(stage, "program")
        link = ["-nostdlib", "-static", "-Wl,--fatal-warnings", "-Wl,-e,consumer"]
        tap.check("a consumer compiles and links", complaint(
            [*compiler, *common, consumer, *link, *flags, "-o", program]))
        tap.check("without the library it would not", [] if output_of(
            [*compiler, *common, consumer, *link, *[flag for flag in flags if flag != "-lstrata"],
             "-o", program])[0] else ["it linked"])
    tap.finish()


main()
