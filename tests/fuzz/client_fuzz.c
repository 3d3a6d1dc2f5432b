/* client_fuzz.c: any bytes as a line of a log and as the state of a system, as the client library takes them from files
 * of others. Runs in a fuzzer or over its corpus. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/figures.h"
#include "client/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A text that was handed out ends, and has nothing in it that steers a terminal. */
static void check_text(const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			abort();
}

static void try_line(const uint8_t *bytes, size_t count)
{
	static struct log_line_room room;
	struct enrg_log_line line;
	char *copy = malloc(count + 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, count);
	copy[count] = '\0';
	log_line_parse(copy, count, &room, &line);
	check_text(line.time);
	check_text(line.level);
	check_text(line.process);
	check_text(line.message);
	free(copy);
}

static void try_status(const uint8_t *bytes, size_t count)
{
	struct figures figures;
	uint64_t sum = 0;

	if (figures_init(&figures, json_loadb((const char *)bytes, count, 0, NULL), NULL) < 0)
		return;
	for (uint32_t i = 0; i < figures.shown.job_count; i++)
		sum += strlen(figures.shown.jobs[i]->name) + strlen(figures.shown.jobs[i]->reason);
	for (uint32_t i = 0; i < figures.shown.link_count; i++)
		sum += strlen(figures.shown.links[i]->through) + figures.shown.links[i]->backlog_bytes;
	for (uint32_t i = 0; i < figures.shown.ledger_count; i++)
		sum += strlen(figures.shown.ledger[i]->store);
	if (sum + strlen(figures.shown.json) == 0)
		abort();
	figures_fini(&figures);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	try_line(bytes, count);
	try_status(bytes, count);
	return 0;
}
