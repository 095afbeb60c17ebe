#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What can be said of a linked image without booting it.

    image.py READELF NM SYMBOLS checked|release IMAGE.elf IMAGE.bin IMAGE_symbols.S
"""
import os
import re
import sys
import tempfile

from tap import Tap, output_of


def lines_of(command):
    code, output = output_of(command)
    if code != 0:
        raise SystemExit(f"{command}: exit code {code}\n{output}")
    return output.splitlines()


def other_relocations(readelf, elf):
    """Start-up applies R_AARCH64_RELATIVE and knows no other."""
    rows = [line for line in lines_of([readelf, "-rW", elf]) if " R_AARCH64_" in line]
    if not rows:
        return ["not one relocation: this is no position-independent image"]
    return [line for line in rows if " R_AARCH64_RELATIVE " not in line]


def writable_code(readelf, elf):
    rows = [line for line in lines_of([readelf, "-lW", elf]) if line.strip().startswith("LOAD")]
    if not rows:
        return ["no LOAD segment"]
    return [line for line in rows if re.search(r"\bRWE\b", line)]


def moved_symbols(nm, symbols, elf, table):
    """The table was made from an earlier link; the image itself must give the same one."""
    with tempfile.TemporaryDirectory() as directory:
        again = os.path.join(directory, "again.S")
        lines_of([symbols, "--nm", nm, "--output", again, elf])
        with open(again, encoding="ascii") as new, open(table, encoding="ascii") as old:
            new_lines, old_lines = new.read().splitlines(), old.read().splitlines()
    if len(old_lines) < 100:
        return [f"a table of {len(old_lines)} lines is too short to be one"]
    return [f"{old} is {new} in the image" for old, new in zip(old_lines, new_lines) if old != new]


def sources_of_model(readelf, elf):
    """Compilation units of the model, by the debug information, and their names in the strings."""
    units = lines_of([readelf, "--debug-dump=info", "--dwarf-depth=1", elf])
    names = [line for line in units if "DW_AT_name" in line]
    if not any("boot/" in line for line in names):
        raise SystemExit(f"{elf} has no debug information")
    return [line for line in names if "mm/model/" in line]


# Where a release image may say "model": that it has none, and the name of a property of device trees.
OTHER_MODELS = ("no verdict: a release build has no model in it", "model")


def words_of_model(content):
    """Strings of the image that speak of the model or its verdict."""
    strings = [found.decode("ascii") for found in re.findall(rb"[\t\n -~]{4,}", content)]
    return [text for text in strings if text.strip() not in OTHER_MODELS
            and re.search(r"\bmodel\b|mm/model/|discipline|operations checked|differences", text)]


def main():
    readelf, nm, symbols, mode, elf, image, table = sys.argv[1:]
    tap = Tap()
    name = os.path.basename(elf)
    tap.check(f"{name} needs relative relocations only", other_relocations(readelf, elf))
    tap.check(f"{name} has no segment that is both writable and executable",
              writable_code(readelf, elf))
    tap.check(f"{name} was linked with its own symbol table", moved_symbols(nm, symbols, elf, table))

    with open(image, "rb") as file:
        content = file.read()
    tap.check("the raw image has the arm64 Image header",
              [] if content[56:60] == b"ARM\x64" else [content[:64].hex()])

    tap.check(f"{name} holds no canary",
              [line for line in lines_of([nm, elf]) if "canary" in line and "stack" not in line])

    found = sources_of_model(readelf, elf)
    if mode == "release":
        found += [line for line in lines_of([nm, elf]) if re.search(r"model|discipline", line)]
        tap.check("a release image holds nothing of the model", found)
        tap.check("a release image speaks of no model and no verdict", words_of_model(content))
        if name == "strata.elf":
            tap.check("a release image holds nothing of shares",
                      [line for line in lines_of([nm, elf]) if " share_" in line])
    elif name == "strata.elf":  # test images may have no use for it
        tap.check("a checked image holds the model",
                  [] if found else ["no compilation unit is of mm/model"])
    tap.finish()


main()
