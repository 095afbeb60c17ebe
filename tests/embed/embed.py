#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds an EL2 program of its own from an installed library, and runs it under QEMU.

    embed.py BUILD_ROOT SOURCE_DIRECTORY PICOLIBC BOOT NM READELF COMPILER...
"""
import os
import re
import sys
import tempfile

import staging
from tap import Tap, complaint, output_of

CPUS = ["cortex-a53", "max"]

# The one object that may use vector registers.
SWITCH = "switch.S.o"

# The linker itself gives these, as bounds of a section.
UNDEFINED = {"__start_exception_fixups", "__stop_exception_fixups"}


def undefined_symbols(nm, archive):
    code, output = output_of([nm, "--format=posix", archive])
    rows = [line.split() for line in output.splitlines() if not line.endswith(":")]
    symbols = [(row[0], row[1]) for row in rows if len(row) >= 2]
    defined = {name for name, kind in symbols if kind not in "Uw"}
    if code != 0 or "mm_init" not in defined:
        return [f"{nm} does not know the library", output]
    return sorted({name for name, kind in symbols if kind in "Uw"} - defined - UNDEFINED)


def constructors(readelf, archive):
    code, output = output_of([readelf, "-SW", archive])
    if code != 0 or ".text" not in output:
        return [f"{readelf} does not know the library", output]
    return [line for line in output.splitlines()
            if re.search(r" \.(preinit_array|init_array|fini_array|ctors|dtors|tdata|tbss)\b", line)]


def vector_registers(objdump, archive):
    """Instructions of the library that name a register of SIMD and floating point. What a guest has in
    them is the world switch's to save and restore, and nobody else's to touch."""
    code, output = output_of([objdump, "-d", "--no-show-raw-insn", archive])
    member, instructions, found = "", 0, []
    for line in output.splitlines():
        if " file format " in line:
            member = line.partition(":")[0]
        # A branch's target is a number in hexadecimal, and no register.
        instruction = re.match(r"\s*[0-9a-f]+:\t(\S+)(?:\t([^/]*))?",
                               re.sub(r"[0-9a-f]+ <.*", "", line))
        if not instruction:
            continue
        instructions += 1
        if re.search(r"(?<![\w.])([vqdsh]|b(?=\d))\d{1,2}(?!\w)", instruction[2] or "") \
                and instruction[1] not in ("msr", "mrs") and not member.endswith(SWITCH):
            found.append(f"{member}: {line.strip()}")
    return found if code == 0 and instructions > 5000 else [f"{objdump} does not know the library"]


def main():
    build, source, picolibc, boot, nm, readelf, *compiler = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as stage:
        root = staging.install(tap, build, stage)
        flags = staging.flags(tap, stage, root)
        archive = os.path.join(root, "lib/libstrata.a")
        tap.check("it needs no symbol of its user", undefined_symbols(nm, archive))
        tap.check("it has no constructor and no thread-local storage",
                  constructors(readelf, archive))
        tap.check("it uses general registers only, but for the world switch",
                  vector_registers(re.sub(r"nm$", "objdump", nm), archive))

        program = os.path.join(stage, "embed.elf")
        sources = [os.path.join(source, name) for name in ("start.S", "main.c", "report.c")]
        link = ["-nostdlib", "-static", "-Wl,--fatal-warnings", "-Wl,--build-id=none",
                "-Wl,-z,max-page-size=4096", "-Wl,-z,noexecstack",
                "-Wl,-T," + os.path.join(source, "embed.ld")]
        evidence = complaint(
            [*compiler, *staging.compile_flags(picolibc), "-O2", "-mstrict-align",
             "-mno-outline-atomics", "-fno-stack-protector", *sources, *link, *flags,
             "-o", program])
        tap.check("a hypervisor is built with it", evidence)
        for cpu in [] if evidence else CPUS:
            code, output = output_of([boot, "--tap", "--cpu", cpu, "--memory", "128M",
                                      "--timeout", "60", "--expect", r"^1\.\.\d+$",
                                      "--reject", "^not ok", program])
            print("".join(f"# {line}\n" for line in output.splitlines()), end="")
            tap.check(f"its own checks hold on {cpu}", [f"exit code {code}"] if code else [])
    tap.finish()


main()
