/* describe_statistics.c: `enrgdaq describe statistics`: all figures of a job, for humans and the documentation. */
#include <stdio.h>

#include <enrgdaq/statistics.h>

#include "cli/describe_statistics.h"

static const char *kind_name(const struct enrg_statistic *statistic)
{
	return statistic->kind == ENRG_STATISTIC_COUNTER ? "counter" : "gauge";
}

static void print_text(const struct enrg_statistic *statistic)
{
	printf("  %-22s %-11s %-8s %s\n", statistic->name, statistic->unit[0] ? statistic->unit : "-",
		kind_name(statistic), statistic->help);
}

/* A key, or nothing. */
static void print_key(const char *key)
{
	printf(key ? " | `%s`" : " | –", key);
}

static void print_row(const struct enrg_statistic *statistic)
{
	printf("| `%s` | %s | %s", statistic->name, statistic->unit[0] ? statistic->unit : "–", kind_name(statistic));
	print_key(statistic->json);
	print_key(statistic->report);
	if (statistic->metric && statistic->label)
		printf(" | `%s{%s}`", statistic->metric, statistic->label);
	else
		print_key(statistic->metric);
	printf(" | %s |\n", statistic->help);
}

void describe_statistics(bool is_markdown)
{
	puts(is_markdown ? "| statistic | unit | kind | `status --json` | report | metric | meaning |\n"
			   "|---|---|---|---|---|---|---|"
			 : "Figures of a job, by the names that programs use (docs/statistics.md):\n");
	for (uint32_t i = 0; i < enrg_statistics_count(); i++)
		if (is_markdown)
			print_row(enrg_statistics_get(i));
		else
			print_text(enrg_statistics_get(i));
	if (!is_markdown)
		puts("\nTheir values now: enrgdaq status --json");
}
