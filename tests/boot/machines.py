# SPDX-License-Identifier: BSD-3-Clause
"""Device trees and loaders for the tests of start-up.

QEMU puts its own memory nodes into every tree it is given. A tree that has none, or odd ones, must
get past it: a few instructions put its address in x0, as a loader would, and jump to the image.
"""
import struct
import subprocess

STUB_ADDRESS = 0x40200000
TREE_ADDRESS = 0x44000000
IMAGE_ADDRESS = 0x50080000
ALL = (1 << 64) - 1  # CPUs

MEMORY = "memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x40000000>; };"
CONSOLE = "pl011@9000000 { compatible = \"arm,pl011\"; reg = <0 0x09000000 0 0x1000>; };"

GIC = """interrupt-controller@8000000 {
    compatible = "arm,gic-v3"; reg = <0 0x08000000 0 0x10000 0 0x080a0000 0 0xf60000>; };"""


def source(memory=MEMORY, reserved="", chosen="", console=CONSOLE, memreserve="",
           bootargs="exit=semihosting"):
    """The source of a tree for QEMU's virt board."""
    return f"""/dts-v1/;
{memreserve}
/ {{
    #address-cells = <2>;
    #size-cells = <2>;
    model = "QEMU virt, with a tree made for a test";
    chosen {{ bootargs = "{bootargs}"; {chosen} }};
    psci {{ compatible = "arm,psci-1.0"; method = "smc"; }};
    {memory}
    {f"reserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges; {reserved} }};"
     if reserved else ""}
    {console}
}};
"""


def cpu(number, method="psci", properties="", reg=None):
    """A node of /cpus."""
    enable = f'enable-method = "{method}";' if method else ""
    reg = f"<{number}>" if reg is None else reg
    return f'cpu@{number:x} {{ device_type = "cpu"; reg = {reg}; {enable} {properties} }};'


def spinning_cpu(number, address):
    return cpu(number, "spin-table", f"cpu-release-addr = <{address >> 32} {address & 0xffffffff}>;")


def cpus(*nodes):
    return "cpus { #address-cells = <1>; #size-cells = <0>; " + " ".join(nodes) + " };"


def raspberry(bootargs):
    """The source of a tree for QEMU's raspi4b, whose CPUs wait at 0xd8 and from there on."""
    return f"""/dts-v1/;
/memreserve/ 0x0 0x1000;
/ {{
    #address-cells = <2>;
    #size-cells = <1>;
    model = "QEMU raspi4b, with a tree made for a test";
    compatible = "raspberrypi,4-model-b", "brcm,bcm2711";
    chosen {{ bootargs = "{bootargs}"; }};
    memory@0 {{ device_type = "memory"; reg = <0 0 0x3c000000>; }};
    pl011@fe201000 {{ compatible = "arm,pl011"; reg = <0 0xfe201000 0x1000>; }};
    interrupt-controller@ff841000 {{
        compatible = "arm,gic-400";
        reg = <0 0xff841000 0x1000 0 0xff842000 0x2000>;
    }};
    {cpus(*(spinning_cpu(i, 0xd8 + 8 * i) for i in range(4)))}
}};
"""


def compile_tree(text):
    return subprocess.run(["dtc", "-q", "-f", "-I", "dts", "-O", "dtb"], input=text.encode(),
                          stdout=subprocess.PIPE, check=True).stdout


def stub(x0, entry):
    """Machine code: LDR x0, =x0; LDR x1, =entry; BR x1."""
    return struct.pack("<4I2Q", 0x58000080, 0x580000a1, 0xd61f0020, 0xd503201f, x0, entry)


def firmware(code, x0, entry, cpu=None, off=0, table=0, late=None, delay=0):
    """Flat code of boot_entry (tests/boot/image/entry.S) with its data."""
    cpu, late = (ALL if which is None else which for which in (cpu, late))
    return code + struct.pack("<7Q", x0, entry, cpu, off, table, late, delay)


def pen(code, x0, entry, late, table, delay):
    """Flat code of boot_pen (tests/boot/image/pen.S) with its data."""
    return code + struct.pack("<5Q", x0, entry, late, table, delay)


def loader(path, address):
    """QEMU's arguments that put the file there."""
    return ["--qemu=-device", f"--qemu=loader,file={path},addr={address:#x},force-raw=on"]
