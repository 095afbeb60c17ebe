/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The locking protocol of cursors (strata/cursor.h), for Spin: three CPUs on one space.
 *
 *  level 1     [ R0 | R1 ]      a root of two pages, one descriptor each: locked like siblings
 *                |    nothing is mapped below R1: a cursor takes it, or does not
 *  level 2     [ M     ]        two descriptors: a hole, a block of two pages, or a table
 *               /     \
 *  level 3   [ L ]   [ L ]      two descriptors: a hole, or a page
 *  address    0 1     2 3       (4 to 7 are R1's)
 *
 * Each CPU makes one of the OPERATIONS below, and what follows of it: a cursor that leaves its covering
 * node empty or full goes on with space_tidy. A step of the model is one access to what CPUs share;
 * what a lock protects is read and written in one step. The names before the steps are those of the
 * functions of mm/ that make them.
 *
 * Each rule of the protocol can be left out by a macro, NO_... (tests/protocol/protocol.py lists them).
 *
 * Claims, each an assertion with the word that it is known by:
 *  allocated  no CPU reads, locks or unlocks a node that was freed
 *  right      of two cursors that are open at once no two have the same address; who unlocks, locked
 *  mapped     what the table says when a cursor opens and closes, and at the end, is what operations
 *             made of it; no table is left over
 *  cached     no node is freed while an MMU may have cached what leads to it
 *  memory     who needs a table gets one, if not all are linked, or about to be freed or linked
 * and Spin's own: no CPU waits for ever because all do.
 *
 * Memory is sequentially consistent here; where a fence is what makes it so, leaving out the fence
 * reorders the accesses. An MMU caches all that is linked, so what may be cached is what was linked
 * and not invalidated since. Not modelled: a CPU that has two cursors (who has one open waits for nobody,
 * but is MM_BUSY, or leaves a table over); the wait, even with a cursor open, for a stray node that goes to
 * a queue (put in deferred_tables.c: whoever finds the node gives it back at once); reservations of tables
 * that fail; pages (they are parked as tables are, and dropped at the same places).
 */

#define CPUS 3
#define TABLES 7 /* R0, R1, and those that are allocated */
#define FIRST 2  /* of them */

#ifndef CLAIMS
#define CLAIMS 31
#endif
#define CLAIM_FREED(condition) assert((CLAIMS & 1) == 0 || (condition))
#define CLAIM_RIGHT(condition) assert((CLAIMS & 2) == 0 || (condition))
#define CLAIM_STATE(condition) assert((CLAIMS & 4) == 0 || (condition))
#define CLAIM_FLUSH(condition) assert((CLAIMS & 8) == 0 || (condition))
#define CLAIM_MEMORY(condition) assert((CLAIMS & 16) == 0 || (condition))

/* A descriptor: 0 is a hole, LEAF a page or a block, any other the number of a table. */
#define LEAF 1
#define IS_TABLE(descriptor) ((descriptor) >= FIRST)
byte descriptor[TABLES * 2];
#define D(table, index) descriptor[(table) * 2 + (index)]

byte lock[TABLES]; /* node.lock: 0, or 1 + the CPU */
bit stray[TABLES];
bit allocated[TABLES];
byte cached;	     /* by an MMU: a bit for each table */
bit section[CPUS];   /* mm_cpu.read_sections: whether it is odd */

/* mm_cpu.deferred: tables, a bit for each; and the CPUs whose sections are noted and have not ended. */
byte waiting[CPUS], next[CPUS], noted[CPUS];

byte mapped; /* what operations made of the space: a bit for each address */
byte right[CPUS]; /* addresses of the open cursor: a bit for each */

#define BITS(from, to) (((1 << ((to) + 1)) - 1) & ~((1 << (from)) - 1))

/* What a walk finds at an address, without steps. */
#define BELOW(d, address) (IS_TABLE(d) -> D(d, (address) & 1) : (d))
#define WALK_FROM(m, address) ((m) == 0 -> 0 : BELOW(D(m, (address) >> 1), address))
#define WALK(address) WALK_FROM(D(0, 0), address)
#define AS_MAPPED(address) (WALK(address) == ((mapped >> (address)) & 1))

#define IS_EMPTY(table) (D(table, 0) == 0 && D(table, 1) == 0)
/* makes_one_block: all leaves are alike here. */
#define IS_FULL(table) (D(table, 0) == LEAF && D(table, 1) == LEAF)

/* ---- node.h: an access to a node, its lock ---- */

#define USE(node) CLAIM_FREED(allocated[node])

inline node_try_lock(node) /* sets got */
{
	atomic {
		USE(node);
		got = (lock[node] == 0);
		if
		:: got -> lock[node] = p + 1
		:: else
		fi
	}
}

inline node_lock(node)
{
	atomic {
		(lock[node] == 0 || lock[node] == p + 1);
		USE(node);
		lock[node] = p + 1
	}
}

inline node_unlock(node)
{
	atomic {
		USE(node);
		CLAIM_RIGHT(lock[node] == p + 1);
		lock[node] = 0
	}
}

/* ---- read_section.h ---- */

/* A section that ends is one that was noted no more: the counter is not what it was. */
inline section_step()
{
#ifndef NO_READ_SECTION
	atomic {
		section[p] = 1 - section[p];
		if
		:: section[p] == 0 ->
			noted[0] = noted[0] & ~(1 << p);
			noted[1] = noted[1] & ~(1 << p);
			noted[2] = noted[2] & ~(1 << p)
		:: else
		fi
	}
#else
	skip
#endif
}

/* read_sections_any: each CPU in turn. Sets seen. */
inline read_sections_any()
{
	i = 0;
	do
	:: i < CPUS && !seen ->
#ifndef NO_GRACE_PERIOD
		atomic {
			seen = section[i];
			i++
		}
#else
		i++
#endif
	:: else -> break
	od;
	i = 0
}

/* ---- deferred_tables.c: what is done under the lock of a queue is one step ---- */

#define NO_FREE_TABLE (allocated[2] && allocated[3] && allocated[4] && allocated[5] && allocated[6])
#define IS_DEFERRED_TABLE ((waiting[0] | waiting[1] | waiting[2]) != 0)

/* free_chain: of those in freed, a bit for each. */
inline free_chain()
{
	n = FIRST;
	do
	:: n < TABLES ->
		if
		:: (freed >> n) & 1 ->
			CLAIM_FLUSH(((cached >> n) & 1) == 0);
			CLAIM_FREED(lock[n] == 0);
			allocated[n] = 0;
			lock[n] = 0;
			stray[n] = 0;
			D(n, 0) = 0;
			D(n, 1) = 0
		:: else
		fi;
		n++
	:: else -> break
	od;
	n = 0;
	freed = 0
}

/* advance, of the queue of CPU @cpu_number: adds to freed. */
inline advance(cpu_number)
{
	if
#ifdef NO_DEFERRED_WAIT
	:: true ->
#else
	:: noted[cpu_number] == 0 ->
#endif
		freed = freed | waiting[cpu_number];
		waiting[cpu_number] = next[cpu_number];
		next[cpu_number] = 0;
		if
		:: waiting[cpu_number] != 0 ->
			noted[cpu_number] = section[0] | (section[1] << 1) | (section[2] << 2)
		:: else -> noted[cpu_number] = 0
		fi;
		if
		:: noted[cpu_number] == 0 ->
			freed = freed | waiting[cpu_number];
			waiting[cpu_number] = 0
		:: else
		fi
#ifndef NO_DEFERRED_WAIT
	:: else
#endif
	fi
}

/* Of all CPUs' queues, each when what it waits for has ended. */
inline deferred_tables_drain()
{
	do
	:: i < CPUS && waiting[i] == 0 -> i++
	:: i < CPUS && waiting[i] != 0 && noted[i] == 0 -> advance(i)
	:: i == CPUS -> break
	od;
	i = 0;
	free_chain()
}

/* tables_free, of what the gather has parked. */
inline tables_free()
{
	read_sections_any();
	atomic {
		if
		:: !seen -> freed = parked
#ifdef NO_SECOND_BATCH
		:: seen && waiting[p] != 0 -> waiting[p] = waiting[p] | parked
		:: seen && waiting[p] == 0 -> next[p] = next[p] | parked
#else
		:: seen -> next[p] = next[p] | parked
#endif
		fi;
		parked = 0;
		if
		:: (waiting[p] | next[p]) != 0 -> advance(p)
		:: else
		fi;
		seen = false;
		free_chain()
	}
}

/* ---- node.c ---- */

/*
 * node_reserve_fill and node_reserve_take: a table that nobody else knows, locked. Memory has other uses, so
 * that there may be no page, and the queues be emptied first, at any time.
 */
inline node_take(node)
{
	atomic {
#ifndef NO_DRAIN
		do
		:: IS_DEFERRED_TABLE -> deferred_tables_drain()
		:: !(NO_FREE_TABLE && IS_DEFERRED_TABLE) -> break
		od;
#endif
		node = FIRST;
		do
		:: node < TABLES && allocated[node] -> node++
		:: else -> break
		od;
		CLAIM_MEMORY(node < TABLES); /* there are enough of them */
		(node < TABLES);
		allocated[node] = 1;
#ifndef NO_NEW_TABLE_LOCKED
		lock[node] = p + 1
#endif
	}
}

/* ---- gather.c ---- */

/* gather_flush: DSB, TLBI, DSB; then drop_tables. With locks held. */
inline gather_flush()
{
	if
	:: parked != 0 ->
#ifndef NO_FLUSH
		cached = cached & ~parked;
#endif
		tables_free()
	:: else
	fi
}

/* ---- cursor_block.c, cursor_unmap.c, cursor_map.c: changes of the tables ---- */

/* A descriptor that leads to @child: complete before it is linked. */
inline link(table, index, child)
{
	atomic {
		USE(table);
		D(table, index) = child;
		cached = cached | (1 << child)
	}
}

/* A descriptor becomes a leaf or a hole; addresses are mapped, others are not mapped any more. */
inline write(table, index, value, maps, unmaps)
{
	atomic {
		USE(table);
		D(table, index) = value;
		mapped = (mapped | (maps)) & ~(unmaps)
	}
}

/* table_retire: stray, parked, and unlocked; in a subtree, each table of it (park_subtree). */
inline table_retire(node)
{
	atomic {
		USE(node);
#ifndef NO_STRAY_MARK
		stray[node] = 1;
#endif
		parked = parked | (1 << node);
		CLAIM_RIGHT(lock[node] == p + 1);
		lock[node] = 0
	}
}

inline table_retire_below(node)
{
#ifdef NO_STRAY_MARK_BELOW
	atomic {
		parked = parked | (1 << node);
		lock[node] = 0
	}
#else
	table_retire(node)
#endif
}

/* block_split: break, flush, make. */
inline block_split(table, index)
{
	node_take(l);
	atomic {
		D(l, 0) = LEAF;
		D(l, 1) = LEAF
	}
	write(table, index, 0, 0, 0);
	gather_flush();
	link(table, index, l)
}

/* table_merge: likewise. The flush frees the table while its parent is locked. */
inline table_merge(table, index, child)
{
	write(table, index, 0, 0, 0);
	table_retire(child);
	gather_flush();
	write(table, index, LEAF, 0, 0)
}

/* ---- What cursors do ---- */

#define MAP 0	/* cursor_map, cursor_map_segment */
#define UNMAP 1 /* cursor_unmap */
#define READ 2	/* vm_io.c: lock_leaf, and a transfer */
#define TIDY 3	/* space_tidy, after any of the others */

/* The addresses of a table of level 3 at @index of M that the cursor has. */
#define PART_START(index) (lo > 2 * (index) -> lo : 2 * (index))
#define PART_END(index) (hi < 2 * (index) + 1 -> hi : 2 * (index) + 1)
#define CONTAINS(index) (lo <= 2 * (index) && 2 * (index) + 1 <= hi)
/* The descriptors of M that the cursor's range touches. */
#define M_START (lo >> 1)
#define M_END ((hi > 3 -> 3 : hi) >> 1)

/* remove_leaf, and map_pages: those of @table in the cursor's range. */
inline write_leaves(table, index, value)
{
	a = PART_START(index);
	do
	:: a <= PART_END(index) ->
		atomic {
			USE(table);
			D(table, a & 1) = value;
			if
			:: value == 0 -> mapped = mapped & ~BITS(a, a)
			:: else -> mapped = mapped | BITS(a, a)
			fi;
			a++
		}
	:: else -> break
	od;
	a = 0
}

/* table_detach_empty, of a table of level 3. */
inline detach_if_empty(table, index, child)
{
	if
	:: IS_EMPTY(child) ->
		write(table, index, 0, 0, 0);
		table_retire(child)
	:: else
	fi
}

/* remove_below, in M. */
inline remove_in_m()
{
	j = M_START;
	do
	:: j <= M_END ->
		atomic {
			USE(m);
			d = D(m, j)
		}
		if
		:: d != 0 && CONTAINS(j) -> /* remove_leaf, or detach_subtree */
			write(m, j, 0, 0, BITS(2 * j, 2 * j + 1));
			if
			:: IS_TABLE(d) -> table_retire(d)
			:: else
			fi
		:: d != 0 && !CONTAINS(j) ->
			if
			:: d == LEAF -> block_split(m, j)
			:: else -> l = d
			fi;
			write_leaves(l, j, 0);
			detach_if_empty(m, j, l);
			l = 0
		:: else
		fi;
		d = 0;
		j++
	:: else -> break
	od;
	j = 0
}

/* cursor_remove */
inline remove_range()
{
	if
	:: level == 3 -> write_leaves(cover, M_START, 0)
	:: level == 2 -> m = cover; remove_in_m()
	:: level == 1 && lo <= 3 ->
		m = D(0, 0);
		if
		:: m != 0 && lo == 0 && hi >= 3 -> /* detach_subtree */
			write(0, 0, 0, 0, BITS(0, 3));
			j = 0;
			do
			:: j < 2 ->
				atomic {
					USE(m);
					d = D(m, j)
				}
				if
				:: IS_TABLE(d) -> table_retire_below(d)
				:: else
				fi;
				d = 0;
				j++
			:: else -> break
			od;
			j = 0;
			table_retire(m)
		:: m != 0 && !(lo == 0 && hi >= 3) ->
			remove_in_m();
			detach_if_empty(0, 0, m)
		:: else
		fi
	:: else
	fi;
	m = 0;
	changed = true
}

/* map_below, in M. */
inline map_in_m()
{
	j = M_START;
	do
	:: j <= M_END ->
		atomic {
			USE(m);
			d = D(m, j)
		}
		if
		:: d == 0 && CONTAINS(j) -> write(m, j, LEAF, BITS(2 * j, 2 * j + 1), 0)
		:: d == 0 && !CONTAINS(j) ->
			node_take(l);
			write_leaves(l, j, LEAF);
			link(m, j, l);
			l = 0
		:: d != 0 ->
			write_leaves(d, j, LEAF);
			if
			:: CONTAINS(j) && IS_FULL(d) -> table_merge(m, j, d)
			:: else
			fi
		fi;
		d = 0;
		j++
	:: else -> break
	od;
	j = 0
}

/* What the cursor sees at an address of its range. */
#define SEEN_BELOW_ROOT(address) \
	(level == 2 -> BELOW(D(cover, (address) >> 1), address) : D(cover, (address) & 1))
#define SEEN(address) (level == 1 -> WALK(address) : SEEN_BELOW_ROOT(address))

/* map_planned; MM_EXISTS changes nothing. Ranges are of one page, or of all below R0. */
inline map_range()
{
	if
	:: SEEN(lo) != 0 || SEEN(hi) != 0 || (hi == 3 && (SEEN(1) != 0 || SEEN(2) != 0))
	:: else ->
		if
		:: level == 3 -> write_leaves(cover, M_START, LEAF)
		:: level == 2 -> m = cover; map_in_m()
		:: level == 1 && D(0, 0) != 0 -> m = D(0, 0); map_in_m()
		:: level == 1 && D(0, 0) == 0 ->
			node_take(m);
			map_in_m();
			link(0, 0, m)
		fi;
		m = 0;
		changed = true
	fi
}

/* space_tidy, with the descriptor's cursor: looks again, since the right was given up in between. */
inline tidy()
{
	if
	:: level == deepest && level == 2 ->
		l = D(cover, M_START);
		if
#ifdef NO_SECOND_LOOK
		:: IS_TABLE(l) ->
			write(cover, M_START, 0, 0, 0);
			table_retire(l)
#else
		:: IS_TABLE(l) && IS_EMPTY(l) ->
			write(cover, M_START, 0, 0, 0);
			table_retire(l)
		:: IS_TABLE(l) && IS_FULL(l) -> table_merge(cover, M_START, l)
#endif
		:: else
		fi;
		l = 0;
		changed = true
	:: level == deepest && level == 1 && D(0, 0) != 0 ->
		m = D(0, 0);
		detach_if_empty(0, 0, m);
		m = 0
	:: else
	fi
}

/* ---- cursor_lock.c ---- */

/* find_covering, and find_leaf of vm_io.c, which ends at the same node. */
inline find_covering()
{
	level = 1;
	cover = lo >> 2;
	if
	:: deepest > 1 && (lo >> 2) == (hi >> 2) ->
		atomic {
			USE(cover);
			d = D(cover, 0);
			if
			:: IS_TABLE(d) -> cover = d; level = 2
			:: else
			fi;
			d = 0
		}
	:: else
	fi;
	if
	:: level == 2 && deepest > 2 && (lo >> 1) == (hi >> 1) ->
		atomic {
			USE(cover);
			d = D(cover, M_START);
			if
			:: IS_TABLE(d) -> cover = d; level = 3
			:: else
			fi;
			d = 0
		}
	:: else
	fi
}

/*
 * The node that find_covering would end at now. Who did not get his node tries again; as long as that node
 * is locked, in vain, which changes nothing: so he waits, and Spin sees who waits for ever.
 */
#define M_NOW D(0, 0)
#define IS_ONE_M (deepest > 1 && (lo >> 2) == (hi >> 2) && IS_TABLE(M_NOW))
#define IS_ONE_L (deepest > 2 && (lo >> 1) == (hi >> 1) && IS_TABLE(D(M_NOW, M_START)))
#define COVERING_IN_M (IS_ONE_L -> D(M_NOW, M_START) : M_NOW)
#define COVERING_NOW (IS_ONE_M -> COVERING_IN_M : (lo >> 2))

/* lock_pages, of the root. */
inline lock_root()
{
#ifdef NO_SIBLING_ORDER
	if
	:: (lo >> 2) != (hi >> 2) -> node_lock(1); node_lock(0)
	:: (lo >> 2) != (hi >> 2) -> node_lock(0); node_lock(1)
	:: else -> node_lock(cover)
	fi
#else
	node_lock(cover);
	if
	:: (lo >> 2) != (hi >> 2) -> node_lock(1)
	:: else
	fi
#endif
}

inline unlock_root()
{
	if
	:: (lo >> 2) != (hi >> 2) -> node_unlock(1)
	:: else
	fi;
	node_unlock(cover)
}

inline drop_if_stray()
{
	atomic {
		USE(cover);
#ifndef NO_STRAY_CHECK
		if
		:: got && stray[cover] ->
			lock[cover] = 0;
			got = false
		:: else
		fi
#endif
	}
}

/* lock_covering: sets got, if the covering node is locked. */
inline lock_covering()
{
#ifndef NO_SECTION_FENCE
	section_step();
#endif
	find_covering();
#ifdef NO_SECTION_FENCE
	section_step(); /* seen by others after what was read after it */
#endif
	if
	:: level == 1 && op != READ ->
		section_step();
		lock_root();
		got = true
	:: else ->
#ifdef NO_TRY_IN_SECTION
		node_lock(cover);
		got = true;
#else
		node_try_lock(cover);
#endif
#ifdef NO_STRAY_CHECK_IN_SECTION
		section_step();
		if
		:: got -> drop_if_stray()
		:: else
		fi
#else
		if
		:: got -> drop_if_stray()
		:: else
		fi;
		section_step();
#endif
#ifdef NO_RETRY
		if
		:: !got -> node_lock(cover); got = true
		:: else
		fi
#endif
	fi
}

/* lock_below: parent before child, ascending. */
inline lock_below()
{
#ifndef NO_DESCENDANT_LOCKS
	if
	:: level == 1 && lo <= 3 && D(0, 0) != 0 ->
		m = D(0, 0);
		node_lock(m)
	:: level == 2 -> m = cover
	:: else
	fi;
	if
	:: m != 0 ->
		j = M_START;
		do
		:: j <= M_END ->
			d = D(m, j);
			if
			:: IS_TABLE(d) -> node_lock(d)
			:: else
			fi;
			d = 0;
			j++
		:: else -> break
		od;
		j = 0
	:: else
	fi;
	m = 0
#else
	skip
#endif
}

inline unlock_below(node)
{
	if
#if defined(NO_DESCENDANT_LOCKS) || defined(NO_NEW_TABLE_LOCKED)
	:: IS_TABLE(node) && lock[node] == p + 1 -> node_unlock(node)
#else
	:: IS_TABLE(node) -> node_unlock(node)
#endif
	:: else
	fi
}

/* unlock_table: in the reverse of that order. */
inline unlock_table()
{
#ifdef NO_UNLOCK_ORDER
	if
	:: level == 1 -> unlock_root()
	:: level == 2 -> node_unlock(cover)
	:: else
	fi;
#endif
	if
	:: level == 1 && lo <= 3 -> m = D(0, 0)
	:: level == 2 -> m = cover
	:: else
	fi;
	if
	:: m != 0 ->
		j = M_END + 1;
		do
		:: j > M_START ->
			j--;
			atomic {
				USE(m);
				d = D(m, j)
			}
			unlock_below(d);
			d = 0
		:: else -> break
		od;
		j = 0;
		if
		:: level == 1 -> unlock_below(m)
		:: else
		fi
	:: else
	fi;
	m = 0;
#ifdef NO_UNLOCK_ORDER
	if
	:: level == 3 -> node_unlock(cover)
	:: else
	fi
#else
	if
	:: level == 1 -> unlock_root()
	:: else -> node_unlock(cover)
	fi
#endif
}

/* A cursor is open: it alone has its range, and the table is what the space should be. */
inline take_right()
{
	atomic {
		CLAIM_RIGHT(((right[0] | right[1] | right[2]) & BITS(lo, hi)) == 0);
		right[p] = BITS(lo, hi);
		compare()
	}
}

inline compare()
{
	a = lo;
	do
	:: a <= hi && a <= 3 ->
		CLAIM_STATE(AS_MAPPED(a));
		a++
	:: else -> break
	od;
	a = 0
}

inline give_right()
{
	atomic {
		compare();
		right[p] = 0
	}
}

proctype cpu(byte p; byte op; byte lo; byte hi)
{
	byte deepest = 3, level, cover, parked;
	byte a, d, freed, i, j, l, m, n;
	bool got, changed, untidy, seen;

open: /* cursor_lock, or lock_leaf of vm_io.c */
	lock_covering();
	if
	:: !got -> (lock[COVERING_NOW] == 0) -> goto open
	:: else
	fi;
	got = false;
	if
	:: op == READ ->
		/* Meanwhile a hole or a block may have become a table. */
		if
#ifndef NO_SECOND_READ
		:: level < 3 && IS_TABLE(D(cover, (level == 1 -> 0 : lo >> 1))) ->
			node_unlock(cover);
			goto open
#endif
		:: else
		fi;
		atomic {
			CLAIM_RIGHT(((right[0] | right[1] | right[2]) & BITS(lo, lo)) == 0);
			right[p] = BITS(lo, lo);
			d = D(cover, (level == 1 -> 0 : (level == 2 -> lo >> 1 : lo & 1)));
			CLAIM_STATE((d != 0) == ((mapped >> lo) & 1));
			d = 0
		}
		right[p] = 0;
		node_unlock(cover);
		goto done
	:: else
	fi;
	lock_below();
	take_right();

	if
	:: op == MAP -> map_range()
	:: op == UNMAP -> remove_range()
	:: op == TIDY -> tidy()
	fi;

	/* cursor_close: flushed with the locks, tidied without. */
	gather_flush();
	give_right();
	untidy = changed && level > 1 && (IS_EMPTY(cover) || (level == 3 && IS_FULL(cover)));
	changed = false;
#ifdef NO_UNLOCK_BEFORE_TIDY
	if
	:: untidy && level == 3 -> skip
	:: else -> unlock_table()
	fi;
#else
	unlock_table();
#endif
	if
	:: untidy ->
		atomic {
			op = TIDY;
			deepest = level - 1;
			if
			:: level == 3 -> lo = lo & 2; hi = lo + 1
			:: else -> lo = 0; hi = 3
			fi;
			untidy = false
		}
		goto open
	:: else
	fi;
done:
	skip
}

/* ---- The worlds ---- */

#ifndef FIRST_WORLD
#define FIRST_WORLD 0
#define LAST_WORLD 3
#endif

/* What a CPU begins with. */
#define OPERATIONS 8
inline operation(number, op, lo, hi)
{
	if
	:: number == 0 -> op = MAP; lo = 0; hi = 0
	:: number == 1 -> op = UNMAP; lo = 0; hi = 0
	:: number == 2 -> op = READ; lo = 0; hi = 0
	:: number == 3 -> op = MAP; lo = 0; hi = 3
	:: number == 4 -> op = MAP; lo = 2; hi = 2
	:: number == 5 -> op = UNMAP; lo = 1; hi = 3
	:: number == 6 -> op = UNMAP; lo = 0; hi = 7
	:: number == 7 -> op = UNMAP; lo = 2; hi = 7
	fi
}

inline start(cpu_number, number)
{
	operation(number, op, lo, hi);
	run cpu(cpu_number, op, lo, hi)
}

init
{
	byte op, lo, hi, freed, i, n, x, y, z;

	atomic {
		allocated[0] = 1;
		allocated[1] = 1;
		/* The tables that there are. */
		select(x : FIRST_WORLD .. LAST_WORLD);
		if
		:: x == 0 /* none */
		:: x == 1 -> /* one page, with its two tables */
			allocated[2] = 1;
			allocated[3] = 1;
			D(0, 0) = 2;
			D(2, 0) = 3;
			D(3, 0) = LEAF;
			mapped = BITS(0, 0);
			cached = BITS(2, 3)
		:: x == 2 -> /* a block */
			allocated[2] = 1;
			D(0, 0) = 2;
			D(2, 0) = LEAF;
			mapped = BITS(0, 1);
			cached = BITS(2, 2)
		:: x == 3 -> /* pages in both tables of level 3; one more makes a block of the first */
			allocated[2] = 1;
			allocated[3] = 1;
			allocated[4] = 1;
			D(0, 0) = 2;
			D(2, 0) = 3;
			D(2, 1) = 4;
			D(3, 1) = LEAF;
			D(4, 0) = LEAF;
			mapped = BITS(1, 2);
			cached = BITS(2, 4)
		fi;
		/* CPUs are alike: the operations in ascending order. */
		select(x : 0 .. OPERATIONS - 1);
		select(y : x .. OPERATIONS - 1);
		select(z : y .. OPERATIONS - 1);
		start(0, x);
		start(1, y);
		start(2, z);
		op = 0;
		lo = 0;
		hi = 0
	}
	atomic {
		(_nr_pr == 1);
		deferred_tables_drain();
		CLAIM_STATE(AS_MAPPED(0) && AS_MAPPED(1) && AS_MAPPED(2) && AS_MAPPED(3));
		/* Each table is linked, once, and nobody has it. */
		i = 0;
		x = 2;
		do
		:: i < TABLES ->
			x = x + (IS_TABLE(descriptor[2 * i]) -> 1 : 0) +
			    (IS_TABLE(descriptor[2 * i + 1]) -> 1 : 0) - allocated[i];
			CLAIM_RIGHT(lock[i] == 0);
			i++
		:: else -> break
		od;
		CLAIM_STATE(x == 0)
	}
}
