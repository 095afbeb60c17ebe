#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Wrong options of the scripts: one line on stderr, exit code 2, nothing built or installed.

The scripts run with stand-ins for every program that builds, installs or boots; a stand-in leaves
a mark. That the stand-ins are in use is shown by a right command line, which must leave one.
"""
import os
import signal
import subprocess
import sys
import tempfile

from tap import Tap

ACTING = ["apt-get", "sudo", "meson", "ninja", "qemu-system-aarch64", "dpkg-query", "dpkg-deb",
          "sleep"]

WRONG = [
    "run --board raspberry", "run --board", "run --board=", "run --cpu cortex-a9",
    "run --cpu cortex-a72,pmu=off", "run --smp 0", "run --smp 9", "run --smp two", "run --smp 1.5",
    "run --smp 08", "run --memory 255M", "run --memory 65G", "run --memory 1T", "run --memory 1",
    "run --memory -1G", "run --memory 99999999999999999999G", "run --memory", "run --log loud",
    "run --log", "run --input /nonexistent/file", "run --input /", "run --input",
    "run --input /dev/null", "run --gdb=0", "run --gdb=65536", "run --gdb=here",
    "run --compiler tcc", "run --timeout 0", "run --timeout 1h", "run --checked=yes",
    "run --release --bogus", "run -x", "run file", "test nonsense", "test --nonsense",
    "test quick nonsense", "test --list quick nonsense", "test --list --nonsense", "setup --nonsense", "setup nonsense",
    "stress --cpus 0", "stress --cpus 9", "stress --cpu cortex-a9", "stress --icount", "stress --host --cpu max",
    "stress --order /nonexistent", "stress --seeds 5-1", "stress --ops 0", "stress --seed", "stress --bogus",
]


def unread_complaint(boot, directory):
    """What is wrong with the end of a run whose reader goes after the first line."""
    tools = os.path.join(directory, "tools")
    os.mkdir(tools)
    with open(os.path.join(tools, "qemu-system-aarch64"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexec yes line\n")
    os.chmod(file.name, 0o755)
    with subprocess.Popen([boot, "--timeout", "20", os.devnull], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}")) as process:
        line = process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait()
    right = line == "line\n" and said == "" and code == 128 + signal.SIGPIPE
    return [] if right else [f"first line {line!r}, stderr {said!r}, exit code {code}"]


def main():
    scripts = sys.argv[1]
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        mark = os.path.join(directory, "mark")
        for name in ACTING:
            path = os.path.join(directory, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\necho {name} >> '{mark}'\nexit 1\n")
            os.chmod(path, 0o755)
        environment = dict(os.environ, PATH=f"{directory}:{os.environ['PATH']}",
                           XDG_CACHE_HOME=os.path.join(directory, "cache"))

        def run(words):
            program, *arguments = words
            done = subprocess.run([os.path.join(scripts, program), *arguments], env=environment,
                                  capture_output=True, text=True, check=False, timeout=60)
            acted = os.path.exists(mark)
            if acted:
                os.unlink(mark)
            return done, acted

        def check_refused(words):
            done, acted = run(words)
            evidence = []
            if done.returncode != 2:
                evidence.append(f"exit code {done.returncode}")
            if done.stdout:
                evidence.append(f"on stdout: {done.stdout!r}")
            if done.stderr.count("\n") != 1 or len(done.stderr.strip()) < 20:
                evidence.append(f"not one line on stderr: {done.stderr!r}")
            if acted:
                evidence.append("something was built, installed or booted")
            tap.check("refuses " + " ".join(words).replace("\n", "\\n"), evidence)

        for line in WRONG:
            check_refused(line.split())
        check_refused(["run", "--board", "two\nlines"])

        # Memory, the MiB that fit, and one more that do not: sparse files, nothing is booted.
        big = os.path.join(directory, "big")
        for memory, fits in (("256M", 75), ("600M", 184), ("1300M", 404), ("16G", 2047)):
            command = ["run", "--memory", memory, "--input", big]
            with open(big, "wb") as file:
                file.truncate(fits << 20)
            done, acted = run(command)
            tap.check(f"--memory {memory} takes a file of {fits} MiB",
                      [] if acted and done.returncode != 2 else [done])
            with open(big, "ab") as file:
                file.truncate((fits << 20) + 1)
            check_refused(command)

        done, acted = run(["run", "--smp", "2"])
        tap.check("the stand-ins see a right command line",
                  [] if acted and done.returncode == 1 else [f"{acted}, {done}"])
        for program in ("run", "test", "setup"):
            done, acted = run([program, "--help"])
            tap.check(f"{program} --help prints its usage and does nothing",
                      [] if done.returncode == 0 and not acted and "Usage" in done.stdout else [done])
        link = os.path.join(directory, "link")
        os.symlink(os.path.join(os.path.abspath(scripts), "test"), link)
        done, acted = run([link, "--list"])
        tap.check("test runs through a symbolic link",
                  [] if done.returncode == 0 and not acted and "\nhost " in done.stdout else [done])
        tap.check("boot ends quietly when nobody reads its console", unread_complaint(
            os.path.join(scripts, "boot"), directory))
        done, _ = run(["run", "--help"])
        for option in ("--input", "--board", "--cpu", "--smp", "--memory", "--gdb", "--log",
                       "--checked", "--release"):
            tap.check(f"run --help explains {option}",
                      [] if f"  {option}" in done.stdout else [done.stdout])
        done, acted = run(["test", "--list"])
        tap.check("test --list names the suites",
                  [] if done.returncode == 0 and not acted and "\nhost " in done.stdout else [done])
    tap.finish()


main()
