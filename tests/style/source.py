#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What can be said of the source files without building them.

    source.py SOURCE_ROOT PICOLIBC CROSS_COMPILER...
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Tap, complaint, output_of

# The version that .clang-format was written for: others break lines elsewhere.
FORMAT_VERSION = "14"

# Who may include whom: a floor sees its own headers and those of the floors below it. A header is
# known by the way it is written: <arch/x.h> belongs to arch/include, "x.h" to the directory itself.
FLOORS = [
    # directory, the prefixes of <...> it may use besides the C library's
    ("arch/include", ["arch"]),
    ("arch/aarch64", ["arch", "aarch64"]),
    ("arch/host", ["arch"]),
    ("arch", ["arch"]),
    ("mm/include", ["arch", "strata"]),
    ("mm/model", ["arch", "strata"]),
    ("mm", ["arch", "strata"]),
    ("boot", ["arch", "strata", "aarch64"]),
    ("tests/guests", ["aarch64"]),
    ("tests", ["arch", "strata", "aarch64"]),
]
OURS = {"arch": "arch/include", "strata": "mm/include", "aarch64": "arch/aarch64/include"}

# Directories above the first two may also include by "x.h" what their include path offers.
QUOTED_FROM = {
    "arch/include": [], "arch/aarch64": [], "arch/host": [], "arch": [], "mm/include": [], "mm/model": [],
    "mm": [], "boot": ["boot", "mm/model"],
    "tests/guests": ["boot"],
    "tests": ["boot", "mm/model", "mm", "tests/component", "tests/host", "tests/image", "tests/random",
              "arch/host", "arch/aarch64"],
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tracked(*patterns):
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard", *patterns],
                            check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0") if path and os.path.isfile(path)]


def is_script(path, interpreter):
    with open(path, "rb") as file:
        first = file.readline()
    return first.startswith(b"#!") and interpreter.encode() in first


def unlicensed(paths):
    for path in paths:
        if path == "LICENSE" or path.endswith(".md") or os.path.islink(path):
            continue
        lines = read(path).splitlines()[:2]
        if lines and lines[0].startswith("#!"):
            del lines[0]
        if not lines or "SPDX-License-Identifier: BSD-3-Clause" not in lines[0]:
            yield f"{path}: the first line is no SPDX line"


def floor_of(path):
    return next((floor for floor in FLOORS if path.startswith(floor[0] + "/")), None)


def broken_floors(paths):
    for path in paths:
        floor = floor_of(path)
        if floor is None:
            yield f"{path}: it is on no floor"
            continue
        directory, prefixes = floor
        for number, line in enumerate(read(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if not match:
                continue
            kind, name = match.groups()
            where = f"{path}:{number}: {name}"
            if kind == "<":
                prefix = name.partition("/")[0]
                if prefix in OURS and prefix not in prefixes:
                    yield f"{where} is above {directory}"
                elif prefix in OURS and not os.path.exists(f"{OURS[prefix]}/{name}"):
                    yield f"{where} is not there"
                continue
            beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if os.path.exists(beside):
                if floor_of(beside) is not floor:
                    yield f"{where} is in {os.path.dirname(beside)}"
            elif not any(os.path.exists(f"{other}/{name}") for other in QUOTED_FROM[directory]):
                yield f"{where} is neither beside the file nor where {directory} may look"


def canary_names():
    """A canary is in the list, goes wrong somewhere, and something must catch it."""
    listed = set(re.findall(r"^\tX\((\w+),", read("arch/include/arch/canary.h"), re.M))
    caught = set(re.findall(r"^ +'(\w+)':", read("tests/canary/meson.build"), re.M))
    caught.update(re.findall(r"^\w+ +(\w+) ", read("tests/canary/broken.txt"), re.M))
    used = set()
    for path in tracked("arch/*.c", "mm/*.[ch]", "boot/*.[ch]"):
        used.update(re.findall(r"\bCANARY\((\w+)\)", read(path)))
    if not listed:
        yield "canary.h lists none"
    for where, names in ("the list of canary.h", listed), ("tests/canary", caught), \
            ("the code", used):
        for name in sorted((listed | caught | used) - names):
            yield f"{name}: not in {where}"


def check_format(tap, paths):
    claim = "clang-format leaves every file as it is"
    version = re.search(r"version (\d+)", output_of(["clang-format", "--version"])[1])
    if not version or version[1] != FORMAT_VERSION:
        tap.skip(claim, f"clang-format {FORMAT_VERSION} is not here")
        return
    tap.check(claim, complaint(["clang-format", "--dry-run", "-Werror", *paths]))


# Compiles, but no tool may let it pass. It includes a header of ours, since cppcheck gives up
# silently on a file in which it cannot make sense of one.
DEFECT = """
#include <strata/mm.h>
int planted(int choice);
int planted(int choice)
{
	int array[2] = {0};

	return choice ? array[2] : 0;
}
"""


def check_cppcheck(tap, paths, compiler, picolibc):
    """With the headers and the predefined macros of the target; neither attributes nor the names of
    registers matter to it.

    What it gets wrong: it takes the linker's start and stop symbols of a section for two objects
    (comparePointers, subtractPointers), a pointer copied out of a local struct for one into it
    (returnDanglingLifetime, invalidLifetime), and a struct whose array snprintf filled for one
    without a value (uninitvar; the compilers look for those too). That a test on the host
    dereferences NULL when there is no memory is well (nullPointerOutOfMemory).
    """
    with tempfile.TemporaryDirectory() as directory:
        macros = os.path.join(directory, "macros.h")
        with open(macros, "w", encoding="ascii") as file:
            file.write(output_of([*compiler, "-E", "-dM", "-x", "c", "/dev/null"])[1])
        command = ["cppcheck", "--quiet", "--std=c11", "--enable=warning,portability",
                   "--inline-suppr", "--error-exitcode=1", "-j2", f"--include={macros}",
                   *[f"--suppress={what}" for what in (
                       "missingInclude", "comparePointers", "subtractPointers",
                       "returnDanglingLifetime", "invalidLifetime", "uninitvar",
                       "nullPointerOutOfMemory", "nullPointerArithmeticOutOfMemory",
                       "normalCheckLevelMaxBranches", f"*:{picolibc}/*")],
                   "-D__attribute__(x)=", "-D__asm__(x)=", "-DSTRATA_CHECKED=1", "-DSTRATA_CANARIES=0",
                   "-DSTRATA_MAX_CPUS=8", "-DSTRATA_LOG_LEVEL=LOG_INFO", f"-I{picolibc}/include",
                   "-Iarch/include", "-Imm/include", "-Iarch/aarch64/include", "-Imm/model",
                   "-Imm", "-Iboot", "-Itests/component", "-Itests/random"]
        tap.check("cppcheck has nothing to say", complaint([*command, *paths]))

        defect = os.path.join(directory, "defect.c")
        with open(defect, "w", encoding="ascii") as file:
            file.write(DEFECT)
        code, output = output_of([*command, defect])
        tap.check("cppcheck finds a planted defect",
                  [] if code and "arrayIndexOutOfBounds" in output else [output, f"exit code {code}"])


def readme_examples(compiler, picolibc):
    """README's C, compiled as somebody who pasted it would."""
    examples = re.findall(r"^```c\n(.*?)^```", read("README.md"), re.M | re.S)
    if not examples:
        yield "README.md shows no C"
    for example in examples:
        command = [*compiler, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                   "-ffreestanding", "-isystem", os.path.join(picolibc, "include"),
                   "-Iarch/include", "-Imm/include", "-x", "c", "-"]
        done = subprocess.run(command, input=example, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield done.stderr


def dead_links():
    for path in tracked("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", read(path)):
            if not os.path.exists(os.path.join(os.path.dirname(path), link)):
                yield f"{path}: {link} is not there"


def wrong_upstream_rows():
    """docs/upstream.md names tests that exist, and all those that were written for it."""
    path = "docs/upstream.md"
    tests, named = {}, set()
    for file in tracked("tests/*.c"):
        tests.update(dict.fromkeys(re.findall(r"^TEST\((\w+)\)", read(file), re.M), file))
    for number, row in enumerate(read(path).splitlines(), 1):
        if not row.startswith("| ") or row.endswith("| Held by |"):
            continue
        holders = re.findall(r"`(\w+)`", row.split("|")[2])
        named.update(holders)
        if not holders and "does not apply: " not in row:
            yield f"{path}:{number}: no test, and no reason"
        for name in holders:
            if name not in tests:
                yield f"{path}:{number}: {name} is no test"
    if not named:
        yield f"{path} names no test"
    for name, file in tests.items():
        if os.path.basename(file).startswith("upstream_") and name not in named:
            yield f"{file}: {name} is not in {path}"


def main():
    source, picolibc, *compiler = sys.argv[1:]
    os.chdir(source)
    tap = Tap()
    every = tracked()
    # A header of assembler macros is not C.
    c_files = [path for path in tracked("*.c", "*.h") if "\n.macro " not in read(path)]
    includers = tracked("*.c", "*.h", "*.S")
    bash = [path for path in every if is_script(path, "bash") or is_script(path, "/sh")]
    bash += [path for path in every if path.endswith(".sh")]

    check_format(tap, c_files)
    tap.check("shellcheck has nothing to say", complaint(["shellcheck", "-x", *bash]))
    tap.check("Python files compile", complaint(
        [sys.executable, "-W", "error", "-c",
         "import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path)",
         *[path for path in every if path.endswith(".py") or is_script(path, "python3")]]))
    tap.check("every file starts with its licence", unlicensed(every))
    tap.check("no file includes from a floor above its own", broken_floors(includers))
    tap.check("README's C compiles", readme_examples(compiler, picolibc))
    tap.check("links between documents lead somewhere", dead_links())
    tap.check("tests and docs/upstream.md name each other", wrong_upstream_rows())
    tap.check("every canary is listed, built in and caught", canary_names())
    check_cppcheck(tap, [path for path in c_files if path.endswith(".c")], compiler, picolibc)
    lengths = [(path, read(path).count("\n")) for path in c_files]
    tap.check("no C file is longer than 400 lines, no test than 600",
              [f"{path}: {length} lines" for path, length in lengths
               if length > (600 if path.startswith("tests/") else 400)])
    tap.finish()


if shutil.which("git") is None:
    print("1..0 # SKIP git is not here")
    sys.exit(0)
main()
