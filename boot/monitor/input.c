/* SPDX-License-Identifier: BSD-3-Clause */
#include "input.h"

#include <string.h>
#include "../log.h"

static bool parse_hexadecimal(const char *text, uint32_t *out)
{
	uint32_t value = 0;
	size_t digits = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; text[digits]; digits++) {
		static const char alphabet[] = "0123456789abcdefABCDEF";
		const char *found = strchr(alphabet, text[digits]);

		if (!found || digits == 8)
			return false;
		size_t digit = (size_t)(found - alphabet);
		value = value << 4 | (uint32_t)(digit < 16 ? digit : digit - 6);
	}
	*out = value;
	return digits > 0;
}

bool input_open(const struct boot_info *info, struct job_input *out)
{
	struct job_input input = { .size = prange_size(info->initrd) };
	char text[16];

	if (prange_is_empty(info->initrd)) {
		log_error("no input: the guests sum the file that is given as initial RAM disk");
		return false;
	}
	if (!is_page_aligned(info->initrd.start.value)) {
		log_error("the initial RAM disk does not start at a page");
		return false;
	}
	if (!boot_option(info, "crc32", text, sizeof(text)) ||
	    !parse_hexadecimal(text, &input.expected_sum)) {
		log_error("the command line does not say crc32=HEX, what the guests' sums must be");
		return false;
	}

	struct prange pages =
		prange(info->initrd.start, paddr(page_align_up(info->initrd.end.value)));
	enum mm_status status = segment_from_reserved(pages, &input.pages);
	if (status != MM_OK) {
		log_error("the initial RAM disk's pages cannot be had: %s", mm_status_name(status));
		return false;
	}
	*out = input;
	return true;
}

void input_close(struct job_input *input)
{
	segment_drop(&input->pages);
}
