/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One access to memory, and what may come of it: what all the machines speak about.
 *
 * Permissions are those of a page_property and one more, PROPERTY_USER: that an access by EL0 may use
 * the mapping. Only a guest's own Stage 1 knows it. EL2 has no users, and Stage 2 does not tell EL0
 * from EL1: accesses through these alone are never a user's.
 *
 * An access meets these questions in this order, and the first that is answered "no" is its fault
 * (Arm ARM D8.15, "Memory aborts"):
 *
 *	is the address one of the table's?	FAULT_TRANSLATION; FAULT_ADDRESS_SIZE if there is no
 *						table yet: a guest's Stage 1 that is off takes every
 *						address that physical memory could have
 *	is it mapped?				FAULT_TRANSLATION
 *	has it the Access flag?			FAULT_ACCESS_FLAG
 *	may this kind of access use it,
 *	and this user?				FAULT_PERMISSION
 *
 * Nobody executes from device memory, whatever its mapping says: that is a permission fault too.
 */
#pragma once

#include "page_table.h"

#define PROPERTY_USER 0x80

enum access_kind {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXECUTE, /* the word is fetched */
};

struct access {
	enum access_kind kind;
	bool user;	      /* by EL0 */
	struct iaddr address; /* of a word, aligned */
	uint64_t value;	      /* that is written */
};

enum fault_kind {
	FAULT_NONE,
	FAULT_TRANSLATION,
	FAULT_ACCESS_FLAG,
	FAULT_PERMISSION,
	FAULT_ADDRESS_SIZE,
};

/*
 * What came of an access, or, where a machine says what may come of it, all outcomes of one kind: then
 * levels has every level that the fault may be reported with, and a value that is not known is any.
 */
struct outcome {
	enum fault_kind fault;
	int stage;	    /* of a fault: 1 or 2; 0 where nobody can tell */
	bool table_walk;    /* of a fault of Stage 2: on the way through the guest's own tables */
	uint8_t levels;	    /* of a fault: bit per level; none where nobody can tell */
	struct paddr place; /* without a fault: where the word is; of an observation: unused */
	bool value_known;   /* the word was read or fetched, and is this: */
	uint64_t value;
};

/* What an access comes to if @mapping, which contains its address, translates it. */
struct outcome outcome_through(const struct table_arch *arch, const struct mapping *mapping,
			       const struct access *access);

/* What an access comes to if @table has nothing at @address. */
struct outcome outcome_of_hole(const struct page_table_state *table, struct iaddr address);

/* Whether @observed is one of those that @allowed stands for. */
bool outcome_allows(const struct outcome *allowed, const struct outcome *observed);
