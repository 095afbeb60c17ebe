/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "discipline_state.h"

/* How many are told: one defect must not flood a console. */
#define REPORTS_TOLD 20
#define LINE_LENGTH 400

struct rule_text {
	const char *name, *sentence, *section;
};

#define RULE_TEXT(name, sentence, section) { #name, sentence, section },
static const struct rule_text rules[] = { DISCIPLINE_RULES(RULE_TEXT) };
#undef RULE_TEXT

const char *discipline_rule_name(enum discipline_rule rule)
{
	return rules[rule].name;
}

const char *discipline_rule_sentence(enum discipline_rule rule)
{
	return rules[rule].sentence;
}

const char *discipline_rule_section(enum discipline_rule rule)
{
	return rules[rule].section;
}

void discipline_broken(struct discipline *discipline, enum discipline_rule rule,
		       const struct observe_event *event, const char *format, ...)
{
	char line[LINE_LENGTH];
	va_list arguments;
	int length;

	if (discipline->reports++ == 0)
		discipline->first = rule;
	if (discipline->complain == NULL || discipline->reports > REPORTS_TOLD)
		return;
	length = snprintf(line, sizeof(line), "%s: event %" PRIu64 " of CPU %u: ", rules[rule].name,
			  discipline->events, event->cpu);
	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	va_end(arguments);
	if ((size_t)length < sizeof(line))
		snprintf(line + length, sizeof(line) - (size_t)length, ". %s (%s)",
			 rules[rule].sentence, rules[rule].section);
	discipline->complain(line);
	if (discipline->reports == REPORTS_TOLD)
		discipline->complain("further reports are only counted");
}

void discipline_unpaid(struct discipline *discipline, struct context *context, struct debt *debt,
		       enum discipline_rule not_begun, const struct observe_event *event,
		       const char *what)
{
	static const char *const steps[] = {
		[DEBT_WRITTEN] = "no DSB since",
		[DEBT_PUBLISHED] = "no TLBI that names it",
		[DEBT_ISSUED] = "no DSB ISH after its TLBI",
		[DEBT_BY_IPA] = "no VMALLE1IS after its TLBI",
		[DEBT_COMBINED] = "no DSB ISH after VMALLE1IS",
	};

	discipline_broken(discipline, debt_rule(debt, not_begun), event,
			  "%s; 0x%" PRIx64 " at 0x%" PRIx64 ", level %d, input 0x%" PRIx64
			  ", %s %u, changed in event %" PRIu64 ", %s",
			  what, debt->old, debt->at, debt->level, debt->ia,
			  context->is_el2 ? "EL2" : "VMID", context->vmid, debt->event,
			  steps[debt->step]);
	debt_end(discipline, context, debt);
}
