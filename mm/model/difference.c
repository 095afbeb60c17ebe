/* SPDX-License-Identifier: BSD-3-Clause */
#include "difference.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_LENGTH 320

static void (*complain)(const char *text);
static uint64_t count;

void differences_start(void (*function)(const char *text))
{
	complain = function;
	count = 0;
}

uint64_t differences_count(void)
{
	return count;
}

void difference(struct subject subject, struct iaddr address, const char *format, ...)
{
	char line[LINE_LENGTH];
	int length;
	va_list arguments;

	count++;
	if (complain == NULL || count > DIFFERENCES_TOLD)
		return;
	length = snprintf(line, sizeof(line),
			  "difference %" PRIu64 ": %s in space %u at 0x%" PRIx64 ": ", count,
			  subject.operation, subject.space, address.value);
	va_start(arguments, format);
	vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	va_end(arguments);
	complain(line);
	if (count == DIFFERENCES_TOLD)
		complain("further differences are only counted");
}

void difference_explain(const char *format, ...)
{
	char line[LINE_LENGTH];
	va_list arguments;

	if (complain == NULL || count > DIFFERENCES_TOLD)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	complain(line);
}

static const char *cache_text(uint8_t cache)
{
	switch (cache) {
	case CACHE_WRITEBACK:
		return "write-back";
	case CACHE_WRITETHROUGH:
		return "write-through";
	case CACHE_UNCACHED:
		return "uncached";
	case CACHE_DEVICE:
		return "device";
	default:
		return "unknown memory type";
	}
}

struct mapping_text mapping_text(const struct mapping *mapping)
{
	struct mapping_text out = { "nothing" };

	if (mapping == NULL)
		return out;

	uint8_t flags = mapping->property.flags;

	snprintf(out.text, sizeof(out.text), "0x%" PRIx64 " %c%c%c%c %s%s", mapping->output.value,
		 flags & PAGE_READ ? 'r' : '-', flags & PAGE_WRITE ? 'w' : '-',
		 flags & PAGE_EXECUTE ? 'x' : '-', flags & PAGE_ACCESSED ? 'a' : '-',
		 cache_text(mapping->property.cache), mapping->counted ? " counted" : "");
	return out;
}

struct statuses_text statuses_text(status_set statuses)
{
	struct statuses_text out = { "" };
	size_t length = 0;

	for (int status = 0; status < 32; status++) {
		if (!status_in(statuses, (enum mm_status)status))
			continue;
		length += (size_t)snprintf(out.text + length, sizeof(out.text) - length, "%s%s",
					   length != 0 ? " or " : "",
					   mm_status_name((enum mm_status)status));
		if (length >= sizeof(out.text))
			break;
	}
	return out;
}
