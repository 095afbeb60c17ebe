#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots the product with an input file and holds its output against what it must say.

Sums are computed here again, and the syndromes of the escape table are decoded here again.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import zlib

from boot.machines import compile_tree, raspberry
from tap import Tap

PARTS = ["entry", "memory map", "EL2 Stage 1, live", "guests", "escape", "summary"]
SERVICES = [
    # row of the table, least in each guest
    ("pages filled on demand", 1000), ("2 MiB filled on demand", 1),
    ("pages migrated, old frame poisoned", 500), ("pages unmapped", 500),
    ("pages migrated to the guest's colour", 500),
    ("pages refilled", 400), ("dirty logs of a write-protected 2 MiB", 8),
    ("pages on the dirty lists", 8), ("looks at the working set of a 2 MiB", 8),
    ("pages seen accessed between two looks", 100), ("pages unmapped because they were cold", 32),
    ("snapshots of write-protected pages", 8), ("pages copied before the next write", 4),
]
# Of guests with several virtual CPUs.
MEANWHILE = [
    ("pages migrated while another one ran", 16),
    ("pages unmapped while another one ran", 8),
]
# Of all guests together.
TOGETHER = [
    "spurious faults", "cold pages unmapped meanwhile", "dirty logs begun meanwhile",
    "looks begun meanwhile", "snapshots begun meanwhile",
]
COUNTS = ["leaves mapped", "leaves unmapped", "leaves changed", "blocks split",
          "tables merged to blocks", "TLBI by address", "DSB", "ISB", "Stage-2 contexts loaded"]
ATTEMPT = re.compile(
    r"^  (read|write|execute) +(\S.*?) +0x([0-9a-f]+)  (?:(permitted)|"
    r"(permission|translation) fault, level (\d): esr 0x([0-9a-f]+) far 0x([0-9a-f]+) "
    r"hpfar 0x([0-9a-f]+), (injected|stopped))$")
# What is permitted; everything else must be aborted, and every target is there.
PERMITTED = {
    "program": {"read", "execute"}, "read-only page": {"read"},
    "never-execute page": {"read", "write"}, "write-only page": {"write"},
    "execute-only page": {"execute"}, "unmapped page": set(), "unmapped 2 MiB": set(),
    "unmapped 1 GiB": set(), "beyond the IPA space": set(), "hypervisor's code": set(),
    "hypervisor's rodata": set(), "hypervisor's data": set(), "frame metadata": set(),
    "console device": set(), "guest 1's memory": set(), "guest 1's table": set(),
    "guest 2's memory": set(), "guest 2's table": set(), "its own table": set(),
}
# What the monitor itself cannot map for the probing guest.
MAPPING = re.compile(r"^  map +(\S.*?) +0x[0-9a-f]+  (MM_\w+)$")
ANOTHERS = {
    "hypervisor's code", "hypervisor's rodata", "hypervisor's data", "frame metadata",
    "guest 1's memory", "guest 1's table", "guest 2's memory", "guest 2's table", "its own table",
}
LEVELS = {"unmapped page": 3, "unmapped 2 MiB": 2, "unmapped 1 GiB": 1, "beyond the IPA space": 0}
CLASS_INSTRUCTION, CLASS_DATA = 0x20, 0x24


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boot", required=True, help="scripts/boot")
    parser.add_argument("--image", required=True)
    parser.add_argument("--size", help="of the input, in bytes, or MiB with M; none if not given")
    parser.add_argument("--sum", help="what bootargs say of it instead of its sum; none if empty")
    parser.add_argument("--code", type=int, default=0, help="the exit code that is right")
    parser.add_argument("--says", help="what an ending with another code must say")
    parser.add_argument("--log", default="info", help="how much the image says beside its results")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--checked", action="store_true")
    mode.add_argument("--release", action="store_true")
    parser.add_argument("rest", nargs="*", help="options of scripts/boot")
    return parser.parse_args()


def make_input(size):
    """That many bytes; every page differs from every other."""
    words = b"".join(zlib.crc32(i.to_bytes(4, "little")).to_bytes(4, "little")
                     for i in range(min(size, 1 << 20) // 4 + 1))
    data = bytearray((words * (size // len(words) + 1))[:size])
    for page in range(0, size - 8, 4096):
        data[page:page + 8] = page.to_bytes(8, "big")
    return bytes(data)


def boot(arguments, data):
    command = [sys.executable, arguments.boot, "--timeout", "200",
               "--append", f"log={arguments.log}", *arguments.rest]
    with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as tree:
        if "raspi4b" in arguments.rest:  # which comes without a tree
            tree.write(compile_tree(raspberry("")))
            tree.flush()
            command += ["--device-tree", tree.name]
        if data is not None:
            file.write(data)
            file.flush()
            if arguments.sum is None:
                command += ["--initrd", file.name]
            else:
                command += ["--qemu=-initrd", f"--qemu={file.name}"]
                command += ["--append", f"crc32={arguments.sum}"] if arguments.sum else []
        done = subprocess.run(command + [arguments.image], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout.splitlines()


def row(lines, text):
    """The numbers behind text in a table, or None."""
    for line in lines:
        if line.strip().startswith(text + "  "):
            return [int(number) for number in line.strip()[len(text):].split() if number.isdigit()]
    return None


def unless(held, *evidence):
    return [] if held else list(evidence)


def check_order(tap, lines):
    parts = [line.split(" (")[0] for line in lines
             if not line.startswith((" ", "warning: ", "debug: ", "discipline: ", "checks "))]
    tap.check("all parts are there, in order", unless(parts[:-1] == PARTS, *parts))


def machine_of(rest):
    """How many CPUs the machine has, how many guests it is to run, and how many virtual CPUs each has. One
    guest for two CPUs, two at least; a small memory has room for two."""
    given = argparse.ArgumentParser()
    given.add_argument("--smp", type=int, default=1)
    given.add_argument("--memory", default="1G")
    machine, _ = given.parse_known_args(rest)
    guests = 2 if machine.memory.endswith("M") else max(2, machine.smp // 2)
    return machine.smp, guests, 1 if machine.smp == 1 else max(2, -(-machine.smp // guests))


def check_cpus(tap, lines, cpus, guests, vcpus):
    up = next((line for line in lines if line.startswith("  board ")), "")
    tap.check("all CPUs are up", unless(up.endswith(f"CPUs: {cpus}, up: {cpus}"), up))
    ran = row(lines, "CPUs that ran them")
    tap.check("no CPU was idle", unless(ran == [cpus], ran))
    turns = row(lines, "turns taken in alternation") or [0]
    if guests * vcpus > cpus:
        tap.check("virtual CPUs took turns", unless(turns[0] >= 50, turns))
    else:
        tap.check("each virtual CPU had a CPU to itself", unless(turns == [0], turns))
    together = row(lines, "virtual CPUs that came to their end")
    tap.check(f"each guest has {vcpus} virtual CPUs", unless(
        together == (None if vcpus == 1 else [vcpus] * guests), together))
    for text, least in MEANWHILE if vcpus > 1 else []:
        found = row(lines, text) or []
        tap.check(f"{text}: {least} or more",
                  unless(len(found) == guests and min(found) >= least, found))
    if vcpus > 1:
        for text in TOGETHER:
            found = row(lines, text) or []
            tap.check(f"{text}: some", unless(len(found) == guests and sum(found) > 0, found))


def check_guests(tap, lines, data, guests):
    total = f"{zlib.crc32(data):08x}"
    for guest in ("guest 1", "guest 2"):
        line = f"  {guest}: crc32 0x{total} expected 0x{total} equal"
        tap.check(f"{guest} sums what zlib sums", unless(line in lines, f"no line '{line}'"))
        summed = next((line for line in lines if line.startswith(f"  {guest}: repetitions")), "")
        found = re.search(r"of the file (\d+), with another sum (\d+)$", summed)
        area = max(len(data), 64 << 20)
        times = -(-(area // 4096) // -(-len(data) // 4096)) if len(data) < area else 1
        tap.check(f"{guest} fills all of its area",
                  unless(found and int(found[1]) == times and int(found[2]) == 0, summed, times))
    for guest in range(3, guests + 1):
        line = f"  guest {guest}: crc32 0x{total} expected 0x{total} equal"
        tap.check(f"guest {guest} sums what zlib sums", unless(line in lines, f"no line '{line}'"))
    area = next((re.search(r"over (\d+) KiB", line) for line in lines if line.startswith("guests (")),
                None)
    tap.check("the working set is at least 64 MiB and the file",
              unless(area and int(area[1]) * 1024 >= max(len(data), 64 << 20), area))
    vmids = row(lines, "VMID of the space") or []
    tap.check("each space has a VMID of its own",
              unless(len(vmids) == guests and 0 not in vmids and len(set(vmids)) == guests, vmids))
    for text, least in SERVICES:
        # The area of a third guest, and of those after it, may be smaller.
        found = row(lines, text) or []
        tap.check(f"{text}: {least} or more",
                  unless(len(found) == guests and min(found[:2]) >= least and min(found) > 0, found))
    for text in ("pages changed but not on the list", "old frames written afterwards",
                 "pages used but not seen accessed", "pages in a snapshot with later bytes"):
        found = row(lines, text)
        tap.check(f"{text}: none", unless(found == [0] * guests, found))


def wrong_attempt(match):
    """What is wrong with a line of the escape table, decoded anew."""
    access, target, address, permitted, kind, level, esr, far, hpfar, _ = match.groups()
    if (access in PERMITTED.get(target, set())) != bool(permitted):
        return "permitted or not"
    if permitted:
        return None
    address, esr, far, hpfar = (int(text, 16) for text in (address, esr, far, hpfar))
    status = 0x0c if kind == "permission" else 0x04
    if far != address or (kind == "translation" and hpfar != address >> 12 << 4):
        return "address"
    if esr & 0x3f != status | int(level) or LEVELS.get(target, int(level)) != int(level):
        return "fault status"
    if (kind == "permission") != bool(PERMITTED[target]) or (kind == "permission" and level != "3"):
        return "kind of fault"
    if esr >> 26 != (CLASS_INSTRUCTION if access == "execute" else CLASS_DATA):
        return "class"
    if (esr >> 6 & 1) != (access == "write"):
        return "direction"
    return None


def check_escape(tap, lines):
    matches = [match for match in map(ATTEMPT.match, lines) if match]
    tried = [(match[2], match[1]) for match in matches]
    missing = [(target, access) for target in PERMITTED for access in ("read", "write", "execute")
               if (target, access) not in tried]
    tap.check("every access to every target was tried", [f"not tried: {one}" for one in missing])
    wrong = [f"{wrong_attempt(match)}: {match[0]}" for match in matches if wrong_attempt(match)]
    tap.check("every attempt ended as the architecture says", wrong)
    stopped = [match[0] for match in matches if match[10] == "stopped"]
    tap.check("the last attempt stopped the guest, no other did",
              unless(len(stopped) == 1 and matches[-1][10] == "stopped", stopped))
    mapped = [match for match in map(MAPPING.match, lines) if match]
    tap.check("nothing of another's can be mapped for the guest", unless(
        {match[1] for match in mapped} == ANOTHERS and
        all(match[2] == "MM_ACCESS_DENIED" for match in mapped), [match[0] for match in mapped]))
    last = f"  attempts {len(matches) + len(mapped)}, not as expected 0"
    tap.check("the image agrees", unless(last in lines, f"no line '{last}'"))


def check_closing(tap, lines, checked):
    for text in COUNTS:
        found = row(lines, text)
        tap.check(f"{text}: not zero", unless(found and found[0] > 0, found))
    start = next((i for i, line in enumerate(lines) if "pages by usage" in line), len(lines))
    usage = [line for line in lines[start + 1:] if re.match(r"    \S", line)]
    changed = [line for line in usage
               if not re.match(r"    \S.*? +(\d+) +\1$", line)]
    tap.check("every page is used as before the guests",
              unless(len(usage) >= 6 and not changed, *(changed or ["no table"])))
    if checked:
        found = re.fullmatch(r"model: (\d+) operations checked, 0 differences", lines[-1])
        tap.check("the last line is the model's verdict",
                  unless(found and int(found[1]) > 10000, lines[-1]))
        found = re.fullmatch(r"discipline: (\d+) events, 0 reports", lines[-2])
        tap.check("the line before is the discipline's",
                  unless(found and int(found[1]) > 10000, lines[-2]))
    else:
        tap.check("the last line says that there is no model", unless(
            lines[-1] == "no verdict: a release build has no model in it", lines[-1]))
        tap.check("no line is a verdict of a model or a discipline", [
            line for line in lines if re.match(r"(model|discipline|checks)\b", line)])


def check_log(tap, lines, level, guests):
    progress = [line for line in lines if re.match(r"  guest \d has its sum, after \d+ calls$", line)]
    debug = [line for line in lines if line.startswith("debug: guest ")]
    tap.check(f"log={level} says how far the guests are",
              unless(len(progress) == (guests if level in ("info", "debug") else 0), *progress))
    tap.check(f"log={level} says what the guests go through",
              unless(len(debug) >= 32 if level == "debug" else not debug, f"{len(debug)} lines"))


def main():
    arguments = parse_arguments()
    tap = Tap()
    data = None
    if arguments.size:
        mebibytes = arguments.size.endswith("M")
        data = make_input(int(arguments.size.rstrip("M")) << (20 if mebibytes else 0))
    code, lines = boot(arguments, data)
    lines = [line for line in lines if line] or [""]
    for line in lines:
        print("#", line)
    tap.check(f"exit code {arguments.code}", unless(code == arguments.code, code))
    if arguments.code == 0:
        check_order(tap, lines)
        cpus, guests, vcpus = machine_of(arguments.rest)
        check_cpus(tap, lines, cpus, guests, vcpus)
        check_guests(tap, lines, data, guests)
        check_escape(tap, lines)
        check_closing(tap, lines, arguments.checked)
        check_log(tap, lines, arguments.log, guests)
    else:
        tap.check(f"it says '{arguments.says}'",
                  unless(any(arguments.says in line for line in lines), "it does not"))
    tap.finish()


main()
