#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each event that a trace prints is a record of casemate's trace format, as docs/model.md lists them.

    events.py TRACE
"""
import re
import sys

from tap import Tap, output_of

HEX = r"0x[0-9a-f]+"
PAGE = r"0x[0-9a-f]*000"
TLBI = {
    "by address": r"(vae2|vale2|ipas2e1|ipas2le1)(is)? \(value " + HEX + r"\)",
    "of all": r"(alle2|vmalle1|vmalls12e1|alle1)(is)?",
}
# A record without its number, CPU and source, which all have.
RECORDS = {
    "mem-init": rf"\(address {PAGE}\) \(size 0x1000\)",
    "mem-free": rf"\(address {PAGE}\) \(size 0x1000\)",
    "mem-write": rf"\(mem-order (plain|release)\) \(address {HEX}\) \(value {HEX}\)",
    "hint": rf"\(kind set_root_lock\) \(location ({PAGE})\) \(value \1\)",
    "lock": rf"\(address {PAGE}\)",
    "unlock": rf"\(address {PAGE}\)",
    "tlbi": "(?:" + "|".join(TLBI.values()) + ")",
    "barrier": r"(isb|dsb \(kind (nsh|ishst|ish)\))",
    "sysreg-write": rf"\(sysreg (vtcr_el2|vttbr_el2|ttbr0_el2)\) \(value {HEX}\)",
}
RECORD = re.compile(r"\(([a-z-]+) \(id (\d+)\) \(tid (\d+)\) (.*) \(src \"([\w./-]+):(\d+)\"\)\)$")


def wrong(line):
    """Whether it is no record."""
    found = RECORD.match(line)
    return not found or not re.fullmatch(RECORDS.get(found[1], r"\0"), found[4])


def main():
    tap = Tap()
    trace = sys.argv[1]
    code, output = output_of([trace, "--events", "7", "3000"])
    lines = output.splitlines()
    events = [line for line in lines if line.startswith("(")]
    others = [line for line in lines if not line.startswith("(")]
    tap.check("nothing is wrong", [] if code == 0 else lines[-5:])
    tap.check("each event is a record", [line for line in events if wrong(line)])
    seen = {line[1:].partition(" ")[0] for line in events}
    tap.check("there is one of each kind", sorted(RECORDS.keys() - seen))
    tap.check("the rest is what is said without them",
              [] if output_of([trace, "7", "3000"])[1].splitlines() == others else ["it is not"])

    worlds = []
    for line in events:
        found = RECORD.match(line)
        if "vtcr_el2" in line:
            worlds.append([])
        if found and worlds:
            worlds[-1].append(int(found[2]))
    made = re.search(r" in (\d+) worlds", lines[-1])
    tap.check("each world begins with VTCR_EL2",
              [] if made and "vtcr_el2" in events[0] and len(worlds) == int(made[1]) else lines[-1:])
    tap.check("numbers ascend in each world", [numbers for numbers in worlds
                                               if numbers != sorted(numbers) or numbers[:1] != [0]])
    tap.finish()


main()
