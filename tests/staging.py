# SPDX-License-Identifier: BSD-3-Clause
"""The library as a user of it finds it: installed in an empty directory, with its flags."""
import os
import shlex

from tap import complaint, output_of


def install(tap, build, stage):
    """Installs build below stage; returns where."""
    tap.check("meson install works", complaint(
        ["meson", "install", "-C", build, "--no-rebuild", "--destdir", stage]))
    return os.path.join(stage, "usr/local")


def flags(tap, stage, root):
    """What pkg-config says, as a list."""
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=os.path.join(root, "lib/pkgconfig"),
                       PKG_CONFIG_SYSROOT_DIR=stage)
    code, output = output_of(["pkg-config", "--cflags", "--libs", "strata"], env=environment)
    tap.check("pkg-config finds it", [] if code == 0 and "-lstrata" in output else [output])
    return shlex.split(output)


def compile_flags(picolibc):
    """What every program at EL2 is compiled with here."""
    return ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-mgeneral-regs-only",
            "-isystem", os.path.join(picolibc, "include")]
