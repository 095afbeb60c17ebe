/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the examples are made of: pages with names on a simulated machine, and the steps of changing a
 * table, each done and seen. Every step is a line of the trace.
 */
#pragma once

#include <arch/barrier.h>
#include <arch/observe.h>
#include <arch/tlb.h>
#include <arch/translation.h>
#include <host/machine.h>

/* Tables of one space from 0x40000000, of another behind them; pages of data. */
#define ROOT UINT64_C(0x40000000)
#define MIDDLE UINT64_C(0x40001000)
#define LEAVES UINT64_C(0x40002000)
#define OTHER_ROOT UINT64_C(0x40004000)
#define PAGE(n) (UINT64_C(0x40100000) + (uint64_t)(n)*PAGE_SIZE)

/* Stage 2: Normal Write-Back, Inner Shareable, accessed; a page, and a block of 2 MiB. */
#define LEAF(page) ((page) | UINT64_C(0x7ff))
#define READ_ONLY_LEAF(page) ((page) | UINT64_C(0x77f))
#define BLOCK UINT64_C(0x402007fd)
/* EL2's Stage 1: writable, accessed, never executed. */
#define EL2_LEAF(page) ((page) | UINT64_C(0x40000000000743))
#define TABLE(page) ((page) | UINT64_C(3))

/* A table page with its lock free; @root: it is one. */
void new_table(uint64_t page, int level);
void new_root(uint64_t page, int level);
void free_table(uint64_t page, int level);

void take(uint64_t page);
void give(uint64_t page);

/* Stores a descriptor, by a release; and by a plain store. */
void put(uint64_t table, unsigned int index, uint64_t descriptor);
void put_plain(uint64_t table, unsigned int index, uint64_t descriptor);

/* The reference of what was mapped is dropped. */
void release(uint64_t page);

/* Stage 2 with 39 bits from level 1. */
void load(uint64_t root, uint16_t vmid);
void unload(void);
void load_el2(uint64_t root);

/* TLBI IPAS2LE1 without IS: no function of the contract issues it. */
void tlbi_here(uint64_t ipa);

/* From here on another CPU acts. */
void on_cpu(unsigned int cpu);

/* A guest's access on this CPU; says where it led. */
void guest_reads(uint64_t ipa);

/* ROOT, MIDDLE and LEAVES in VMID 1, active; page 0 and 1 are PAGE(0) and PAGE(1), and were read. */
void two_pages(void);

/* The whole of it: from a store to the moment when nobody has the old one. */
void flush_page(uint64_t ipa);

/* Its second half, which takes the entries that combine both stages. */
void stage1_step(void);

/* The same two pages, of which the first has just been unmapped, and nothing else was done; and what ends such a
 * program, with the page given back. */
void unmap_first(void);
void give_back_first(void);
