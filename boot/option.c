/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot_info.h"
#include <string.h>

bool boot_option(const struct boot_info *info, const char *key, char *value, size_t size)
{
	static const char separators[] = " \t\n";
	const char *word = info->command_line;
	size_t key_length = strlen(key);

	while (*word) {
		word += strspn(word, separators);

		size_t length = strcspn(word, separators);

		if (length > key_length && strncmp(word, key, key_length) == 0 &&
		    word[key_length] == '=') {
			size_t value_length = length - key_length - 1;

			if (value_length >= size)
				return false;
			memcpy(value, word + key_length + 1, value_length);
			value[value_length] = '\0';
			return true;
		}
		word += length;
	}
	return false;
}

uint64_t boot_number(const struct boot_info *info, const char *key, uint64_t otherwise)
{
	char text[24];
	uint64_t number = 0;

	if (!boot_option(info, key, text, sizeof(text)))
		return otherwise;
	for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
		number = number * 10 + (uint64_t)(*digit - '0');
	return number;
}
