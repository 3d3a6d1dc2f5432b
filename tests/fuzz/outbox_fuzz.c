/* outbox_fuzz.c: any bytes as the file in which alerts wait to be sent. What is read of it is within bounds, and what
 * is written after it is read as it was. Runs in a fuzzer or over its corpus. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../plugins/shared/outgoing/outbox.h"
#include "../../plugins/shared/outgoing/quota.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static char folder[64], path[80];

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void clean(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	(void)!system(command);
}

static void write_file(const uint8_t *bytes, size_t count)
{
	if (!folder[0]) {
		strcpy(folder, "/dev/shm/enrgdaq-fuzz-outbox.XXXXXX");
		check(mkdtemp(folder) != NULL);
		atexit(clean);
		snprintf(path, sizeof(path), "%s/box", folder);
	}
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(file >= 0 && write(file, bytes, count) == (ssize_t)count);
	close(file);
}

static void check_entries(const struct outbox *outbox)
{
	uint32_t entries = 0;

	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		check(strlen(entry->message) <= OUTBOX_TEXT_MAX && strlen(entry->id) < OUTBOX_ID_BYTES);
		check(entry->severity <= ENRG_ERROR && entry->event <= ENRG_ALERT_ENDS);
		check(strlen(entry->job) + strlen(entry->supervisor) + strlen(entry->key) < 1000);
		entries++;
	}
	check(entries == outbox->count && entries <= OUTBOX_MAX && outbox->alarm_count <= OUTBOX_ALARMS_MAX);
}

static void try_file(const uint8_t *bytes, size_t count)
{
	const struct enrg_alert alert = {.sender.supervisor = "lab",
		.job = "dice",
		.severity = ENRG_ERROR,
		.message = "it's # 100 %\n",
		.time_ns = 1};
	struct outbox outbox;
	bool is_put;

	write_file(bytes, count);
	if (outbox_open(&outbox, path, NULL) < 0) {
		outbox_close(&outbox);
		return;
	}
	check_entries(&outbox);
	is_put = outbox_put(&outbox, &alert, NULL) == 0;
	uint32_t entries = outbox.count, alarms = outbox.alarm_count;
	outbox_close(&outbox);

	check(outbox_open(&outbox, path, NULL) == 0);
	check_entries(&outbox);
	check(outbox.count == entries && outbox.alarm_count == alarms);
	const struct outbox_entry *last = outbox.first;
	while (last && last->next)
		last = last->next;
	check(!is_put || (last && strcmp(last->message, alert.message) == 0 && strcmp(last->job, "dice") == 0));
	outbox_close(&outbox);
}

/* The same with the hash of each line made right: else hardly any changed line is looked at. */
static void repair_lines(const uint8_t *bytes, size_t count, FILE *stream)
{
	for (size_t end; count > 0; bytes += end, count -= end) {
		const uint8_t *newline = memchr(bytes, '\n', count);
		size_t text = newline ? (size_t)(newline - bytes) : count;
		const uint8_t *mark = memrchr(bytes, '#', text);

		end = text + (newline != NULL);
		if (mark && mark > bytes)
			text = (size_t)(mark - bytes) - 1;
		fwrite(bytes, 1, text, stream);
		fprintf(stream, " #%016llx\n", (unsigned long long)quota_hash(QUOTA_HASH, bytes, text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *repaired = NULL;
	size_t repaired_count = 0;
	FILE *stream = open_memstream(&repaired, &repaired_count);

	check(stream != NULL);
	try_file(bytes, count);
	repair_lines(bytes, count, stream);
	check(fclose(stream) == 0);
	try_file((const uint8_t *)repaired, repaired_count);
	free(repaired);
	return 0;
}
