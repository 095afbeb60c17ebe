#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Start-up under QEMU: what it accepts, what it refuses, and how it ends.

    boot.py BOOT GROUP IMAGE.bin PRODUCT.bin ENTRY.bin PEN.bin

BOOT is scripts/boot, PRODUCT the image with the main job, the others are boot_probe, boot_entry and boot_pen
(tests/boot/image), GROUP is one of the functions below.
"""
import os
import sys
import tempfile
import zlib

import machines
from machines import IMAGE_ADDRESS, STUB_ADDRESS, TREE_ADDRESS, compile_tree, loader, source
from tap import Tap, complaint

HEX = "0x[0-9a-f]{16}"

WRITE_MAIR = (0xd51ca203).to_bytes(4, "little")  # MSR MAIR_EL2, x3: once, in mmu_enable
PSCI_CPU_OFF = 0x84000002
SCR_EL3, HVC_ENABLE = 0x80038c01c030531, 1 << 8  # as entry.S has it, and its bit HCE
RELATIVE = (1027).to_bytes(8, "little")  # r_info of R_AARCH64_RELATIVE


class Boots:
    """Each claim is one run of scripts/boot."""

    def __init__(self, boot, image, product, entry, pen, tap, directory):
        self.boot, self.image, self.product = boot, image, product
        self.tap, self.directory = tap, directory
        with open(entry, "rb") as file:
            self.entry = file.read()
        with open(pen, "rb") as file:
            self.pen = file.read()
        self.files = 0

    def check(self, claim, *arguments, image=None):
        self.tap.check(claim, complaint([sys.executable, self.boot, image or self.image,
                                         "--timeout", "60", *arguments]))

    def file(self, content):
        self.files += 1
        path = os.path.join(self.directory, str(self.files))
        with open(path, "wb") as file:
            file.write(content)
        return path

    def check_x0(self, claim, x0, *arguments, entry=IMAGE_ADDRESS):
        """Starts the image at entry, with x0."""
        code = self.file(machines.stub(x0, entry))
        self.check(claim, "--loader", hex(STUB_ADDRESS), *loader(self.image, entry), *arguments,
                   image=code)

    def check_tree(self, claim, tree, *arguments, entry=IMAGE_ADDRESS):
        """Starts the image with the bytes of a tree."""
        self.check_x0(claim, TREE_ADDRESS, *loader(self.file(tree), TREE_ADDRESS), *arguments,
                      entry=entry)


    def check_firmware(self, claim, tree, *arguments, entry=None, **data):
        """Starts the image from EL3, with EL2 full of ones, on the CPU or on all at once; with a spin
        table, on the first one."""
        code = machines.firmware(entry or self.entry, TREE_ADDRESS, IMAGE_ADDRESS, **data)
        self.check(claim, "--bios", "--machine", "secure=on", "--smp", "4",
                   *loader(self.image, IMAGE_ADDRESS),
                   *loader(self.file(tree), TREE_ADDRESS), *arguments, image=self.file(code))

    def check_late(self, claim, image, bootargs, *arguments, data=b"", delay=0):
        """Starts the image with CPU 2 of four at a spin table, late; the others PSCI starts. @data is its
        input file."""
        table, start = 0x43000000, 0x60000000
        nodes = [machines.cpu(0), machines.cpu(1), machines.spinning_cpu(2, table), machines.cpu(3)]
        chosen = f"linux,initrd-start = <0 {start}>; linux,initrd-end = <0 {start + len(data)}>;"
        tree = source(bootargs=f"exit=semihosting {bootargs}", chosen=chosen if data else "",
                      console=machines.CONSOLE + machines.GIC + machines.cpus(*nodes))
        code = machines.pen(self.pen, TREE_ADDRESS, IMAGE_ADDRESS, 2, table, delay)
        self.check(claim, "--loader", hex(STUB_ADDRESS), "--smp", "4",
                   *loader(image, IMAGE_ADDRESS),
                   *loader(self.file(compile_tree(tree)), TREE_ADDRESS),
                   *(loader(self.file(data), start) if data else []), *arguments,
                   image=self.file(code))

    def damaged(self, old, new):
        """The image with the first such bytes replaced."""
        with open(self.image, "rb") as file:
            content = file.read()
        if old not in content:
            raise SystemExit(f"{self.image} has no bytes {old.hex()}")
        return self.file(content.replace(old, new, 1))


def expect(*patterns):
    return [word for pattern in patterns for word in ("--expect", pattern)]


def refused(reason, code=1):
    return [*expect(rf"^strata: cannot start: .*{reason}"), "--exit", str(code)]


def levels(boots):
    """Any level but EL2 is refused, in words, and the CPU halts."""
    boots.check("entered at EL1, it says so and halts", "--machine", "virtualization=off",
                *expect("^strata: entered at EL1"), "--halts")
    boots.check("entered at EL1 on a CPU with everything, it says so and halts", "--machine",
                "virtualization=off", "--cpu", "max", *expect("^strata: entered at EL1"), "--halts")
    for cpu in ("cortex-a53", "cortex-a72", "max"):
        boots.check(f"entered at EL3 on {cpu}, it says so and halts", "--machine", "secure=on",
                    "--loader", hex(STUB_ADDRESS), "--cpu", cpu,
                    *expect("^strata: entered at EL3"), "--halts")
    boots.check("entered at EL2 with EL3 above, it starts", "--machine", "secure=on",
                *expect("exception level +EL2"))
    for cpu in ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "max"):
        for board in ("virt-gicv2", "virt-gicv3"):
            boots.check(f"entered at EL2 on {cpu}, {board}, it starts", "--cpu", cpu, "--board",
                        board, *expect("exception level +EL2", "runs; WXN on"))


def places(boots):
    """The image runs wherever it was loaded, and from whatever EL2 was left in."""
    tree = compile_tree(source())
    for address in (0x40280000, 0x47301000, IMAGE_ADDRESS, 0x7f000000):
        boots.check_tree(f"it runs at {address:#x}", tree, *expect(rf"{address:#014x} \.\. .*text"),
                         entry=address)
    boots.check("256 MiB of RAM", "--memory", "256M",
                *expect(r"RAM +0x000040000000 \.\. 0x000050000000"))
    boots.check("64 GiB of RAM", "--memory", "64G",
                *expect(r"RAM +0x000040000000 \.\. 0x001040000000", r" -> .* 1 GiB  rw-"))
    boots.check("devices that nobody uses are listed, and not mapped",
                *expect(r"device +0x000009000000 \.\. 0x000009001000 .* pl011@9000000$",
                        r"device +0x000000000000 \.\. 0x000004000000 .* flash@0 \(not mapped\)$",
                        r"device +0x000009010000 .* pl031@9010000 \(not mapped\)$",
                        r"device +0x00000a003e00 .* virtio_mmio@a003e00 \(not mapped\)$",
                        "^EL2 Stage 1", r" -> 0x000009000000 .* Device-nGnRE$"),
                "--reject", r" -> 0x0000(00000000|09010000|0a00)|^  0x0000[0-3]")
    boots.check("each CPU that is there has two stacks, each above a page that is not mapped",
                "--smp", "2",
                *expect(r"guard .* 4 KiB  --- below CPU 0's emergency stack$",
                        r"guard .* --- below CPU 1's emergency stack$",
                        r"guard .* --- below CPU 0's stack$",
                        r"guard .* --- below CPU 1's stack$"),
                "--reject", "below CPU [2-9]")
    for log, option in (("error", "--reject"), ("info", "--expect")):
        boots.check(f"log={log}: results are printed", "--append", f"log={log}",
                    *expect("^memory map", "runs; WXN on"))
        boots.check(f"log={log} says what else is printed", "--append", f"log={log} do=control",
                    option, "^EL2's control registers are right$")
    boots.check("log=nonsense is said to be nonsense", "--append", "log=nonsense",
                *expect("^warning: log=nonsense", "^memory map"))


def loaders(boots):
    """EL2 in a state that no loader should leave, but may; more CPUs than were asked for."""
    tree = compile_tree(source(bootargs="exit=semihosting do=control"))
    right = expect("^EL2's control registers are right$")
    for cpu in ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "max"):
        for board in ("virt-gicv2", "virt-gicv3"):
            boots.check(f"EL2 as QEMU leaves it, on {cpu}, {board}", "--append", "do=control",
                        "--cpu", cpu, "--board", board, *right)
            boots.check_firmware(f"EL2 full of ones, four CPUs at once, on {cpu}, {board}", tree,
                                 "--cpu", cpu, "--board", board, *right)
    for cpu in (1, 2):
        boots.check_firmware(f"only CPU {cpu} arrives", tree, *right, cpu=cpu)
    boots.check_firmware("CPUs that were not asked for stay away",
                         compile_tree(source(bootargs="exit=semihosting do=wait")),
                         *expect("^nobody came$"))
    boots.check_firmware("a refusal is printed from such a start as well",
                         compile_tree(source(memory="")),
                         *refused("the device tree has no memory"))
    boots.check("an exception before the MMU is on is named", "--halts",
                *expect("^strata: exception while the MMU is off: ESR_EL2 0{8}02000000 ELR_EL2 "),
                image=boots.damaged(WRITE_MAIR, bytes(4)))
    boots.check("a relocation of another kind is refused", "--halts",
                *expect("^strata: the image has a relocation that start-up does not know"),
                image=boots.damaged(RELATIVE, (257).to_bytes(8, "little")))


def trees(boots):
    """Device trees that cannot be used are refused; odd ones that can be used are."""
    def check(claim, *arguments, **parts):
        boots.check_tree(claim, compile_tree(source(**parts)), *arguments)

    def memory(*ranges):
        return " ".join(f'ram@{i} {{ device_type = "memory"; reg = <{cells}>; }};'
                        for i, cells in enumerate(ranges))

    check("a small tree is enough", *expect("with a tree made for a test", "runs; WXN on"))
    check("no memory", *refused("the device tree has no memory"), memory="")
    check("overlapping memory", *refused("overlaps memory"),
          memory=memory("0 0x40000000 0 0x30000000", "0 0x60000000 0 0x20000000"))
    check("unaligned memory", *refused("is not aligned to 4 KiB"),
          memory=memory("0 0x40000800 0 0x3ffff800"))
    check("memory that ends inside a page", *refused("is not aligned to 4 KiB"),
          memory=memory("0 0x40000000 0 0x3fffffff"))
    check("memory without the image", *refused("the image, .* is not in usable memory"),
          memory=memory("0 0x40000000 0 0x10000000"))
    check("memory nodes that touch", *expect(r"RAM +0x000040000000 \.\. 0x000080000000 +1 GiB"),
          memory=memory("0 0x60000000 0 0x20000000", "0 0x40000000 0 0x20000000"))
    check("memory that is not there, above 48 bits", *expect("runs; WXN on"),
          memory=memory("0 0x40000000 0 0x40000000", "0x10000 0 0 0x40000000"))
    check("a reserved range that may be mapped",
          *expect(r"RAM +0x000040000000 \.\. 0x000080000000",
                  r"reserved +0x000060000000 \.\. 0x000060001000 .*firmware@60000000$"),
          reserved="firmware@60000000 { reg = <0 0x60000000 0 0x234>; };")
    check("reserved ranges that split RAM are not mapped",
          *expect(r"RAM +0x000040000000 \.\. 0x000060000000",
                  r"RAM +0x000060003000 \.\. 0x000070000000",
                  r"RAM +0x000070200000 \.\. 0x000080000000",
                  r"reserved .*secret@60000fff \(not mapped\)",
                  r" \.\. 0x000060000000 -> ", "^  0x000060003000 "),
          "--reject", r"^  0x00006000[012]",
          reserved="""secret@60000fff { reg = <0 0x60000fff 0 0x1002>; no-map; };
                      secret@70000000 { reg = <0 0x70000000 0 0x200000>; no-map; };""")
    # Holes over boundaries of 1 GiB need the most tables.
    for claim, per_4gib, words in (
            ("forty holes in RAM", 3, expect(r"RAM +0x000ec0001000 \.\. ", "runs; WXN on")),
            ("more odd edges than the boot table has pages for", 4, refused("too many odd edges"))):
        check(claim, *words, "--memory", "64G", memory=memory("0 0x40000000 0xf 0xc0000000"),
              reserved=" ".join(
                  f"hole@{high}{low} {{ no-map; reg = <{high} {(low << 30) - 4096} 0 8192>; }};"
                  for high in range(1, 15) for low in range(1, per_4gib + 1)))
    check("a hole that the CPU cannot reach is a hole", *expect("data abort, translation fault",
                                                               "ELR_EL2 .*read_hole"),
          "--exit", "1", bootargs="exit=semihosting do=read-hole",
          reserved="secret@60000000 { reg = <0 0x60000000 0 0x1000>; no-map; };")
    check("more devices than the map has room for",
          *expect(r"device .* timer@a000000 \(not mapped\)$", r"^  device +and 7 more \(not mapped\)$",
                  "runs; WXN on"),
          console=machines.CONSOLE + " ".join(
              f"timer@{address:x} {{ reg = <0 {address} 0 0x1000>; }};"
              for address in range(0xa000000, 0xa000000 + (64 + 7) * 0x1000, 0x1000)))
    check("reservations in the header", *expect(r"reserved +0x000061000000 .*memreserve"),
          memreserve="/memreserve/ 0x61000010 0x20;")
    check("an initrd outside memory", *refused("the initrd, .* is not in usable memory"),
          chosen="linux,initrd-start = <0x90000000>; linux,initrd-end = <0x90001000>;")
    check("an initrd over the image", *refused("the initrd, .* overlaps"),
          chosen="linux,initrd-start = <0x50080000>; linux,initrd-end = <0x50081000>;")
    check("no console", *refused("no PL011"), console="")
    check("a console in memory", *refused("device .* lies in memory"),
          console='uart { compatible = "arm,pl011"; reg = <0 0x70000000 0 0x1000>; };')

    whole = compile_tree(source())
    for size in (0, 8, 40, 200, len(whole) // 2):
        boots.check_tree(f"a tree of which only {size} bytes were loaded", whole[:size],
                         *expect("^strata: cannot start: .*device tree"), "--halts")
    boots.check_tree("a tree that says it is larger than any", whole[:4] + b"\x7f" + whole[5:],
                     *expect("^strata: cannot start: .*says it has"), "--halts")
    boots.check_x0("x0 = 0", 0, *expect("^strata: cannot start: x0 = 0x0 "), "--halts")
    boots.check_x0("x0 not aligned", TREE_ADDRESS + 4, *expect("^strata: cannot start: x0 = "),
                   "--halts")
    boots.check_x0("x0 that is no address", 1 << 60, *expect("^strata: cannot start: x0 = "),
                   "--halts")
    boots.check_x0("x0 where there is no memory", 1 << 43,
                   *expect("unexpected exception", "data abort, .* on a read of 0x0000080000000000",
                           "ELR_EL2 .*device_tree_size"), "--halts")


def exceptions(boots):
    """What nobody expects is dumped, with names; what is writable does not run."""
    def check(claim, probe, *patterns):
        boots.check(claim, "--append", f"do={probe}", "--exit", "1", *expect(*patterns),
                    "--reject", "was possible")

    registers = [f"^  x0  {HEX}   x1  {HEX}   x2  {HEX}$", f"^  x30 {HEX}   sp  {HEX}$"]
    backtrace = ["^called by:", r"\(image_main\+0x[0-9a-f]+\)$", r"\(boot_main\+0x[0-9a-f]+\)$",
                 r"\(start\+0x[0-9a-f]+\)$"]
    check("an undefined instruction", "undefined",
          "^strata: unexpected exception on CPU 0: current EL with SP_ELx, synchronous$",
          "^  undefined instruction$", *registers,
          rf"^  ELR_EL2   {HEX} \(undefined\+0x[0-9a-f]+\)$",
          f"^  SPSR_EL2  {HEX}   ESR_EL2   0x0000000002000000$", *backtrace)
    check("text cannot be written", "write-text",
          f"data abort, permission fault at level 3 on a write of {HEX}$", r"\(write_text\+")
    check("rodata cannot be written", "write-rodata",
          f"data abort, permission fault at level 3 on a write of {HEX}$", r"\(write_rodata\+")
    check("what was relocated cannot be written", "write-relro",
          f"data abort, permission fault at level 3 on a write of {HEX}$", r"\(write_relro\+")
    for place in ("data", "rodata", "memory", "stack"):
        check(f"{place} cannot be executed", f"execute-{place}",
              f"instruction abort, permission fault at level [123] on a fetch of {HEX}")
    check("memory that is not there cannot be read", "read-unmapped",
          "data abort, translation fault at level [0-3] on a read of 0x0000000080000000$")
    check("a stack that overflows runs into its guard page", "overflow",
          "data abort, translation fault at level 3 on a write of .*: the stack of CPU 0 overflowed into",
          r"ELR_EL2 .*\(recurse\+", *registers[:0], "^called by:", r"\(recurse\+")
    check("an emergency stack that overflows runs into its guard page", "overflow-emergency",
          "data abort, translation fault at level 3 on a write of .*: the emergency stack "
          "of CPU 0 overflowed into its guard page$", r"ELR_EL2 .*\(recurse\+", "^called by:",
          r"\(recurse\+")
    check("an HVC of EL2 itself", "hvc", "HVC$", r"ELR_EL2 .*\(hvc_from_el2\+", *backtrace)
    check("a jump to nowhere", "jump", "instruction abort, .* on a fetch of 0x0000000000001000$",
          "ELR_EL2   0x0000000000001000$")
    check("a stack frame that was written over", "smash",
          "^strata: broken invariant: a function returns through the frame it was called with")
    check("a broken invariant", "panic",
          r"^strata: broken invariant: the probe holds nothing \(0x5a\)$", "^  on CPU 0$", *backtrace)
    check("a frame that is dropped twice", "drop-twice",
          "^strata: broken invariant: a (share is ended once|dropped page is referenced) ",
          r"\(drop_twice\+", *backtrace[1:])


def exits(boots):
    """Each way to end a run."""
    boots.check("semihosting returns the code", "--append", "do=exit", "--exit", "3")
    boots.check("PSCI turns the machine off", "--no-semihosting", "--append", "do=exit", "--exit",
                "0", "--reject", ".")
    boots.check("semihosting that is not there is dumped, once, and the CPU halts",
                "--no-semihosting", "--append", "do=exit exit=semihosting", "--halts",
                *expect("^  undefined instruction$", r"ELR_EL2 .*\(machine_exit\+"))
    for method, arguments in (("hvc", ["--halts"]), ("smc", [])):
        tree = source(bootargs="do=refuse").replace('"smc"', f'"{method}"')
        boots.check_tree(f"PSCI by {method.upper()}", compile_tree(tree),
                         *expect("^strata: cannot start: asked to"), *arguments)
    boots.check("start-up that cannot go on ends with code 1", "--append", "do=refuse",
                *refused("asked to by"))


def interrupts(boots):
    """The timer of EL2 through each interrupt controller."""
    for cpu in ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "max"):
        for board in ("virt-gicv2", "virt-gicv3"):
            boots.check(f"the timer fires on {cpu}, {board}", "--cpu", cpu, "--board", board,
                        "--append", "do=timer", *expect("^the timer fired 3 times$"))
    boots.check("the timer fires below EL3 with a GICv3", "--machine", "secure=on", "--append",
                "do=timer", *expect("^the timer fired 3 times$"))
    boots.check_tree("without an interrupt controller there are no interrupts",
                     compile_tree(source(bootargs="exit=semihosting do=timer")),
                     *expect("^error: a start without interrupts"), "--exit", "4")


def up(count, tree=None):
    """All CPUs of the tree are up but for those that are left out, and right."""
    return expect(f"^{tree or count} CPUs in the tree, {count} up, {count} right$")


def cpus(boots):
    """Other CPUs come up as the boot CPU did, and do what they are given."""
    for board in ("virt-gicv2", "virt-gicv3"):
        for count in (1, 2, 3, 4, 5, 6, 7, 8):
            boots.check(f"{count} CPUs on {board}", "--smp", str(count), "--board", board,
                        "--append", "do=cpus", *up(count))
    for cpu in ("cortex-a53", "cortex-a76", "max"):
        boots.check(f"four CPUs, {cpu}", "--smp", "4", "--cpu", cpu, "--append", "do=cpus", *up(4))
    boots.check("four CPUs below EL3", "--smp", "4", "--machine", "secure=on", "--append",
                "do=cpus", *up(4))
    for board in ("virt-gicv2", "virt-gicv3"):
        boots.check(f"work for all CPUs, many times, on {board}", "--smp", "4", "--board", board,
                    "--append", "do=cpus-rounds", *expect("^4 CPUs in step, 8000 rounds done$"))
    boots.check("lines of several CPUs are whole", "--smp", "4", "--append", "do=cpus-lines",
                *expect("^line 199 of CPU"), "--reject",
                "^(?!line [0-9]+ of CPU [0-3], which is long enough to be cut into$)")
    boots.check("one of several CPUs that find a broken invariant says so", "--smp", "4",
                "--append", "do=cpus-panic", "--exit", "1",
                *expect("^strata: broken invariant: the probe holds nothing", "^  on CPU [1-3]$",
                        r"\(secondary_start\+[0-9a-fx]+\)$"))
    boots.check("the stack of a CPU that overflows is named", "--smp", "4", "--append",
                "do=cpus-overflow", "--exit", "1",
                *expect("^strata: unexpected exception on CPU 3: ",
                        "a write of .*: the stack of CPU 3 overflowed into its guard page$",
                        r"ELR_EL2 .*\(recurse\+"))


def left_out(name, reason):
    return expect(f"^warning: CPU {name} .*is left out: {reason}")


def absent_cpus(boots):
    """A CPU that does not come up is named and left out, and the rest go on."""
    psci = machines.cpu

    def check(claim, nodes, *arguments, smp=4, change=lambda text: text, bootargs="do=cpus"):
        tree = source(bootargs=f"exit=semihosting log=debug {bootargs}",
                      console=machines.CONSOLE + machines.GIC + machines.cpus(*nodes))
        boots.check_tree(claim, compile_tree(change(tree)), "--smp", str(smp), *arguments)

    check("a CPU that the machine does not have", [psci(i) for i in range(5)],
          *left_out("cpu@4", "INVALID_PARAMETERS$"), *up(4, 5))
    check("one in the middle", [psci(i) for i in (0, 1, 9, 3)],
          *left_out("cpu@9", "INVALID_PARAMETERS$"), *up(3, 4))
    check("a CPU that waits nowhere", [psci(0), machines.spinning_cpu(1, 0x43000000), psci(2)],
          *left_out("cpu@1", "it did not come up within 2000 ms$"), *up(2, 3))
    check("a CPU that waits where there is no memory",
          [psci(0), machines.spinning_cpu(1, 0x1000), psci(2)],
          *left_out("cpu@1", "its cpu-release-addr is not in memory"), *up(2, 3))
    check("a CPU that waits in the image", [psci(0), machines.spinning_cpu(1, IMAGE_ADDRESS + 64)],
          *left_out("cpu@1", "its cpu-release-addr is not in memory outside the image"), *up(1, 2))
    check("a CPU without an address to wait at", [psci(0), psci(1, "spin-table"), psci(2)],
          *left_out("cpu@1", "it has no cpu-release-addr"), *up(2, 3))
    check("a CPU that is started in no way", [psci(0), psci(1, None), psci(2)],
          *left_out("cpu@1", "it has no enable-method"), *up(2, 3))
    check("a CPU that is started in another way", [psci(0), psci(1, "by-hand"), psci(2)],
          *left_out("cpu@1", "its enable-method is neither"), *up(2, 3))
    check("a CPU that is broken", [psci(0), psci(1, properties='status = "fail-ecc";'), psci(2)],
          *left_out("cpu@1", "its status"), *up(2, 3))
    check("two CPUs of one number", [psci(0), psci(1), psci(2, reg="<1>"), psci(3)],
          *left_out("cpu@2", "another CPU has its reg$"), *up(3, 4))
    check("a number that no CPU has", [psci(0), psci(1, reg="<0x1000000>"), psci(2)],
          *left_out("cpu@1", "its reg is not"), *up(2, 3))
    check("more CPUs than there is room for", [psci(i) for i in range(10)],
          *left_out("cpu@8", "there is no room for one more$"),
          *left_out("cpu@9", "there is no room for one more$"), *up(8, 10), smp=8)
    check("a boot CPU that the tree does not name", [psci(1)], *up(2, 1))
    check("PSCI by HVC, which nobody serves", [psci(i) for i in range(3)],
          *left_out("cpu@1", "NOT_SUPPORTED$"), *left_out("cpu@2", "NOT_SUPPORTED$"), *up(1, 3),
          change=lambda text: text.replace('"smc"', '"hvc"'))
    check("PSCI by other means", [psci(0), psci(1)],
          *left_out("cpu@1", "the method of PSCI is neither smc nor hvc$"), *up(1, 2),
          change=lambda text: text.replace('"smc"', '"svc"'))
    check("no PSCI", [psci(0), psci(1)], *left_out("cpu@1", "there is no usable PSCI node$"),
          *up(1, 2), change=lambda text: text.replace('"arm,psci-1.0"', '"arm,nothing"'))
    check("PSCI 0.1", [psci(0), psci(1)], *up(2),
          change=lambda text: text.replace('"arm,psci-1.0";', '"arm,psci"; cpu_on = <0xc4000003>;'))
    check("PSCI 0.1 that starts no CPU", [psci(0), psci(1)],
          *left_out("cpu@1", "PSCI has no CPU_ON$"), *up(1, 2),
          change=lambda text: text.replace('"arm,psci-1.0"', '"arm,psci"'))


def by_hvc(boots):
    """PSCI by HVC from EL2, answered above it: by the machine, as if by a hypervisor that has one as guest."""
    # Nobody has given the interrupts to us: CPUs wait for events.
    nodes = machines.cpus(*(machines.cpu(i) for i in range(4)))

    def tree(bootargs):
        text = source(bootargs=bootargs, console=machines.CONSOLE + nodes)
        return compile_tree(text.replace('"smc"', '"hvc"'))

    for cpu in ("cortex-a53", "cortex-a72", "cortex-a76", "max"):
        answered = ["--cpu", cpu, "--qemu=-global", f"--qemu={cpu}-arm-cpu.psci-conduit=2"]
        boots.check_firmware(f"CPUs are started, {cpu}", tree("exit=semihosting do=cpus"),
                             *answered, *up(4), cpu=0, off=PSCI_CPU_OFF)
        boots.check_firmware(f"the machine is turned off, {cpu}", tree("do=exit"), *answered,
                             "--no-semihosting", "--exit", "0", "--reject", "^strata: unexpected",
                             cpu=0, off=PSCI_CPU_OFF)
    enabled, disabled = (scr.to_bytes(8, "little") for scr in (SCR_EL3, SCR_EL3 & ~HVC_ENABLE))
    boots.check_firmware("HVC is UNDEFINED at EL2", tree("exit=semihosting do=cpus"),
                         *left_out("cpu@1", "NOT_SUPPORTED$"), *up(1, 4), cpu=0,
                         entry=boots.entry.replace(enabled, disabled))


def late_cpus(boots):
    """A CPU that arrives after its time is named and left out, and does no harm when it arrives."""
    table = 0x43000000
    seconds = 62500000  # of the system counter, in counts
    nodes = machines.cpus(*(machines.spinning_cpu(i, table + 8 * i) for i in range(4)))
    tree = compile_tree(source(bootargs="exit=semihosting do=cpus-late",
                               console=machines.CONSOLE + nodes))
    late = "it did not come up within 2000 ms$"
    # The others are up by then, and at work.
    for number in range(1, 4):
        boots.check_firmware(f"CPU {number} is late", tree, *left_out(f"cpu@{number}", late),
                             *expect(f"^CPU {number} arrived, 3 CPUs up before and 3 after$",
                                     "^3 CPUs in step, 150 rounds done$"), *up(3, 4),
                             table=table, late=number, delay=4 * seconds)
    boots.check_late("CPU 2 is late, and the others have interrupts", boots.image,
                     "do=cpus-late", *left_out("cpu@2", late),
                     *expect("^CPU 2 arrived, 3 CPUs up before and 3 after$"), *up(3, 4),
                     delay=4 * seconds)
    data = bytes(range(256)) * 4096
    boots.check_late("CPU 2 arrives in the middle of the main job", boots.product,
                     f"crc32={zlib.crc32(data):08x}", *left_out("cpu@2", late),
                     *expect("CPUs: 4, up: 3$", "^  CPUs left out that arrived meanwhile +1$",
                             "^  guest 2: crc32 0x.* equal$",
                             "^(discipline: .* 0 reports|no verdict: )"),
                     "--reject", "DIFFERENT|WRONG|[1-9][0-9]* differences", data=data,
                     delay=3 * seconds)
    # Each arrives while the boot CPU waits for the next.
    boots.check_firmware("all CPUs are late", tree,
                         *(word for number in range(1, 4)
                           for word in left_out(f"cpu@{number}", late)),
                         *expect(*(f"^CPU {number} arrived, 1 CPUs up before and 1 after$"
                                   for number in range(1, 4)),
                                 "^1 CPUs in step, 50 rounds done$"), *up(1, 4),
                         table=table, delay=3 * seconds)


def spin_tables(boots):
    """CPUs that wait for an address in memory; EL2 in a state that no firmware should leave."""
    table = 0x43000000
    nodes = machines.cpus(*(machines.spinning_cpu(i, table + 8 * i) for i in range(4)))
    # Nobody has given the interrupts to us: CPUs wait for events.
    for cpu in ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "max"):
        tree = compile_tree(source(bootargs="exit=semihosting do=cpus",
                                   console=machines.CONSOLE + nodes))
        boots.check_firmware(f"EL2 full of ones on four CPUs that wait, {cpu}", tree, "--cpu", cpu,
                             *up(4), table=table)
    tree = boots.file(compile_tree(machines.raspberry("log=debug do=cpus")))
    boots.check("the CPUs of a Raspberry Pi 4", "--board", "raspi4b", "--device-tree", tree,
                "--append", "log=debug do=cpus", *up(4))
    boots.check("their work, many times", "--board", "raspi4b", "--device-tree", tree,
                "--append", "do=cpus-rounds", *expect("^4 CPUs in step, 8000 rounds done$"))
    # There is no way to turn the machine off: the other CPUs would print for ever.
    boots.check("a CPU that finds a broken invariant stops the others", "--board", "raspi4b",
                "--no-semihosting", "--device-tree", tree, "--append", "do=cpus-panic", "--halts",
                *expect("^strata: broken invariant", "^  on CPU [1-3]$", r"\(secondary_start\+"))


GROUPS = {group.__name__: group for group in (
    levels, places, loaders, trees, exceptions, exits, interrupts, cpus, absent_cpus, by_hvc, late_cpus,
    spin_tables)}


def main():
    boot, group, *images = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        GROUPS[group](Boots(boot, *images, tap, directory))
    tap.finish()


main()
