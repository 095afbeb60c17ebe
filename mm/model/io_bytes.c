/* SPDX-License-Identifier: BSD-3-Clause */
#include "io_bytes.h"

#include <string.h>

bool io_copied(struct store *store, const struct vm_io_range *to, const struct vm_io_range *from,
	       uint64_t size, uint64_t *wrong)
{
	struct io_tables tables = { .count = 0 };

	for (uint64_t done = 0; done < size;) {
		struct io_place source = io_place(store, from, done, PAGE_READ, &tables);
		struct io_place target = io_place(store, to, done, PAGE_WRITE, &tables);
		uint64_t part = least(size - done, least(source.length, target.length));

		if (source.bytes == NULL || target.bytes == NULL)
			return true;
		if (memcmp(source.bytes, target.bytes, part) != 0) {
			*wrong = done;
			while (*source.bytes++ == *target.bytes++)
				(*wrong)++;
			return false;
		}
		done += part;
	}
	return true;
}

bool io_filled(struct store *store, const struct vm_io_range *to, unsigned int element,
	       uint64_t value, uint64_t size, uint64_t *wrong)
{
	struct io_tables tables = { .count = 0 };

	for (uint64_t done = 0; done < size;) {
		struct io_place target = io_place(store, to, done, PAGE_WRITE, &tables);
		uint64_t part = least(size - done, target.length);

		if (target.bytes == NULL)
			return true;
		for (uint64_t i = 0; i < part; i++) {
			if (target.bytes[i] == (uint8_t)(value >> (8 * ((done + i) % element))))
				continue;
			*wrong = done + i;
			return false;
		}
		done += part;
	}
	return true;
}
