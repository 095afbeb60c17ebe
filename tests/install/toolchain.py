#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds with a cross file whose toolchain Debian does not package.

The names in the file are given to wrappers around Debian's cross tools: this shows that the file
names what it must and that Meson accepts it, not that Arm's own release compiles the tree.

    toolchain.py SOURCE_ROOT CROSS_FILE LIBFDT
"""
import os
import re
import stat
import sys
import tempfile

from tap import Tap, complaint

THERE = "aarch64-linux-gnu-"


def main():
    source, cross_file, libfdt = sys.argv[1:]
    with open(cross_file, encoding="utf-8") as file:
        names = re.findall(r"= '(aarch64-none-elf-[\w-]+)'", file.read())
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        tools = os.path.join(directory, "bin")
        os.mkdir(tools)
        for name in names:
            path = os.path.join(tools, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\nexec {THERE}{name.removeprefix('aarch64-none-elf-')} \"$@\"\n")
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}")
        build = os.path.join(directory, "build")
        tap.check("the file names a compiler and its tools", [] if len(names) >= 6 else [names])
        tap.check("Meson accepts the file, and the wrappers around Debian's tools", complaint(
            ["meson", "setup", build, source, "--cross-file", cross_file, f"-Dlibfdt={libfdt}"],
            env=environment))
        tap.check("the library and the images build with those names", complaint(
            ["ninja", "-C", build, "--quiet"], env=environment))
    tap.finish()


main()
