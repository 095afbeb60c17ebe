#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the table of operations in docs/model.md against the one that the code is made from.

    operations.py SCRIPT
"""
import sys

from tap import Tap, complaint


def main():
    tap = Tap()
    tap.check("docs/model.md has every operation of ops.def", complaint([sys.argv[1], "--check"]))
    tap.finish()


main()
