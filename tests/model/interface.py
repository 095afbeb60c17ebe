#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the model takes from what it judges is what docs/model.md lists.

    interface.py NM LIBMODEL LIBSTRATA DOCUMENT

Seen in a build for the host: what the simulated machine stands in for there is left out (machine_*).
"""
import re
import sys

from tap import Tap, output_of

LIST = re.compile(r"<!-- taken by the model -->\n(.*?)<!-- end of what is taken -->", re.S)


def symbols(nm, library, option):
    code, output = output_of([nm, option, library])
    if code != 0:
        raise SystemExit(f"{nm} {library}: exit code {code}\n{output}")
    return {line.split()[-1] for line in output.splitlines() if re.search(r" [A-Z] \w+$", line)}


def main():
    nm, model, strata, document = sys.argv[1:]
    tap = Tap()
    wanted = symbols(nm, model, "--undefined-only") - symbols(nm, model, "--defined-only")
    taken = {name for name in wanted & symbols(nm, strata, "--defined-only")
             if not name.startswith("machine_")}
    with open(document, encoding="utf-8") as file:
        found = LIST.search(file.read())
    listed = set(re.findall(r"`(\w+)`", found[1])) if found else set()
    tap.check("the model takes something", [] if taken else ["nothing"])
    tap.check("what the model takes is listed", sorted(taken - listed))
    tap.check("what is listed is taken", sorted(listed - taken))
    tap.finish()


main()
