# SPDX-License-Identifier: BSD-3-Clause
"""TAP for tests in Python: each claim is one point, and what speaks against it is printed above."""
import subprocess
import sys


class Tap:
    def __init__(self):
        self.points = 0
        self.failed = 0

    def check(self, claim, evidence=()):
        """One point: ok if there is no evidence (an iterable of lines) against the claim."""
        evidence = [line for text in evidence for line in str(text).splitlines()]
        for line in evidence[:60]:
            print(f"# {line}")
        self.points += 1
        self.failed += bool(evidence)
        print(f"{'not ok' if evidence else 'ok'} {self.points} - {claim}", flush=True)

    def skip(self, claim, reason):
        self.points += 1
        print(f"ok {self.points} - {claim} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.points}", flush=True)
        sys.exit(1 if self.failed else 0)


def output_of(command, **options):
    """Runs command; returns its exit code, and stdout and stderr as one text."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    return done.returncode, done.stdout


def complaint(command, **options):
    """The evidence against `command ends with exit code 0`: its output, or nothing."""
    code, output = output_of(command, **options)
    return [] if code == 0 else [f"exit code {code}: {command}", output]
