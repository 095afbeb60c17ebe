#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An image that is built with -Dlse=true: its atomics are FEAT_LSE's, and it says that it needs it.

    lse.py BOOT IMAGE.bin IMAGE.elf OBJDUMP
"""
import re
import sys

from tap import Tap, complaint, output_of

# Written by hand, for every CPU: an abort ends it at its instruction (user_copy.S).
BY_HAND = {"memory_compare_exchange"}


def atomics(objdump, elf):
    """The functions that have each kind of atomic instruction."""
    found = {"exclusive": set(), "lse": set()}
    function = "?"
    code, output = output_of([objdump, "-d", "--no-show-raw-insn", elf])
    if code != 0:
        raise SystemExit(output)
    for line in output.splitlines():
        header = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if header:
            function = header[1]
        mnemonic = re.match(r" +[0-9a-f]+:\s+([a-z0-9]+)", line)
        if mnemonic and re.fullmatch(r"ld(a?)x[rp][bh]?|st(l?)x[rp][bh]?", mnemonic[1]):
            found["exclusive"].add(function)
        if mnemonic and re.fullmatch(r"(cas|swp|ld(add|clr|eor|set)|st(add|clr|eor|set))a?l?[bh]?",
                                     mnemonic[1]):
            found["lse"].add(function)
    return found


def main():
    boot, image, elf, objdump = sys.argv[1:]
    tap = Tap()
    found = atomics(objdump, elf)
    tap.check("atomics are single instructions", [] if len(found["lse"]) > 10 else [f"in these alone: {found['lse']}"])
    tap.check("no loop of exclusives is left but those written by hand",
              found["exclusive"] - BY_HAND)
    tap.check("a CPU without FEAT_LSE is refused, in words",
              complaint([boot, image, "--cpu", "cortex-a72", "--timeout", "60", "--halts", "--expect",
                         "this CPU has no FEAT_LSE; halted."]))
    tap.finish()


main()
