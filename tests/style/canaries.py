#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the list of canaries against what must have one.

    canaries.py SCRIPT
"""
import sys

from tap import Tap, complaint


def main():
    tap = Tap()
    tap.check("every invariant and every rule has a canary that breaks it, as docs/model.md says",
              complaint([sys.argv[1], "--check"]))
    tap.finish()


main()
