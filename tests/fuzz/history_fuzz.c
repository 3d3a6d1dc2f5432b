/* history_fuzz.c: any bytes as a file of a history. Its check sums are put right as far as its blocks go, since nothing
 * gets past them else; values are finite, within their range, and have a name. Then it is asked for bins. */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "client/history_layout.h"
#include "enrgdaq/history.h"
#include "enrgdaq/history_file.h"

#define NAME   "seconds_00000001_20261128T06Z.history"
#define NOW_NS 1795845600000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count);

static char folder[64], path[128];

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void make_folder(void)
{
	if (folder[0])
		return;
	snprintf(folder, sizeof(folder), "/dev/shm/enrgdaq-fuzz-history.%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/" NAME, folder);
	mkdir(folder, 0700);
	atexit(remove_folder);
}

/* Lengths, types, times and payloads stay as they are. */
static void set_right(uint8_t *bytes, size_t count)
{
	struct history_head head;
	size_t at = 0;

	for (uint32_t number = 0; at + sizeof(head) <= count; number++) {
		memcpy(&head, bytes + at, sizeof(head));
		if (head.payload_bytes > count - at - sizeof(head))
			return;
		head.magic = HISTORY_MAGIC;
		head.number = number;
		head.payload_crc = crc32c(0, bytes + at + sizeof(head), head.payload_bytes);
		head.crc = crc32c(0, &head, offsetof(struct history_head, crc));
		memcpy(bytes + at, &head, sizeof(head));
		at += sizeof(head) + head.payload_bytes;
	}
}

static void read_blocks(struct enrg_history_file *file)
{
	struct enrg_history_block block;

	while (enrg_history_file_next(file, 0, &block) == 1)
		for (uint32_t i = 0; i < block.count; i++) {
			const struct enrg_history_value *value = &block.values[i];

			if (!isfinite(value->min) || !isfinite(value->mean) || !isfinite(value->max) ||
				value->mean < value->min || value->mean > value->max ||
				!enrg_history_file_name(file, value->series) ||
				value->seconds > enrg_history_file_span_s(file))
				abort();
		}
}

static void read_bins(void)
{
	static const char *const patterns[] = {"*", NULL};
	const struct enrg_history_query query = {.size = sizeof(query),
		.points = 100,
		.patterns = patterns,
		.from_ns = NOW_NS - 1000000000u,
		.to_ns = NOW_NS + 3600000000000u};
	struct enrg_history_result *result = NULL;
	struct enrg_history *history = NULL;

	if (enrg_history_open(folder, &history, NULL) < 0)
		abort();
	if (enrg_history_read(history, &query, &result, NULL) == 0 && result->point_count > query.points)
		abort();
	enrg_history_result_destroy(result);
	enrg_history_close(history);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count)
{
	struct enrg_history_file *file;
	uint8_t *bytes = malloc(count + 1);

	make_folder();
	int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (!bytes || descriptor < 0)
		abort();
	memcpy(bytes, data, count);
	set_right(bytes, count);
	if (write(descriptor, bytes, count) != (ssize_t)count)
		abort();
	close(descriptor);
	free(bytes);
	if (enrg_history_file_open(path, &file, NULL) < 0)
		return 0;
	read_blocks(file);
	enrg_history_file_close(file);
	read_bins();
	return 0;
}
