/* machine.c: reads /proc/stat, /proc/meminfo and statvfs. Runs in the job process of DAQJobPCMetrics, on its main
 * thread. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The first bytes of a file, with a NUL behind them: what is wanted stands at the start of both files. */
static int read_start(const char *proc, const char *name, char *ret_text, size_t text_bytes, struct enrg_error *err)
{
	char path[512];
	ssize_t count;
	int descriptor;

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	count = read(descriptor, ret_text, text_bytes - 1);
	if (count < 0) {
		int rc = enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));

		close(descriptor);
		return rc;
	}
	close(descriptor);
	ret_text[count] = '\0';
	return 0;
}

int machine_parse_stat(const char *text, struct machine_cpu *ret_cpu, struct enrg_error *err)
{
	uint64_t user, nice, system, idle, wait = 0, irq = 0, softirq = 0, steal = 0;
	int found;

	found = sscanf(text,
		"cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		&user, &nice, &system, &idle, &wait, &irq, &softirq, &steal);
	if (found < 4)
		return enrg_error_set(err, -EPROTO, "stat: expected a first line \"cpu\" with 4 numbers or more");
	/* The time of guests is part of user and nice already. */
	ret_cpu->busy_ticks = user + nice + system + irq + softirq + steal;
	ret_cpu->all_ticks = ret_cpu->busy_ticks + idle + wait;
	return 0;
}

static int find_kilobytes(const char *text, const char *key, uint64_t *ret_kilobytes, struct enrg_error *err)
{
	const char *line = text;
	size_t length = strlen(key);

	while (line) {
		if (strncmp(line, key, length) == 0 && line[length] == ':' &&
			sscanf(line + length + 1, "%" SCNu64, ret_kilobytes) == 1)
			return 0;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return enrg_error_set(err, -EPROTO, "meminfo: no number %s", key);
}

int machine_parse_meminfo(const char *text, double *ret_percent, struct enrg_error *err)
{
	uint64_t total, available;
	int rc = find_kilobytes(text, "MemTotal", &total, err);

	if (rc == 0)
		rc = find_kilobytes(text, "MemAvailable", &available, err);
	if (rc < 0)
		return rc;
	if (total == 0 || available > total)
		return enrg_error_set(err, -EPROTO, "meminfo: MemAvailable is more than MemTotal");
	*ret_percent = 100.0 * (double)(total - available) / (double)total;
	return 0;
}

int machine_read_cpu(const char *proc, struct machine_cpu *ret_cpu, struct enrg_error *err)
{
	char text[512];
	int rc = read_start(proc, "stat", text, sizeof(text), err);

	return rc < 0 ? rc : machine_parse_stat(text, ret_cpu, err);
}

int machine_read_memory(const char *proc, double *ret_percent, struct enrg_error *err)
{
	char text[1024];
	int rc = read_start(proc, "meminfo", text, sizeof(text), err);

	return rc < 0 ? rc : machine_parse_meminfo(text, ret_percent, err);
}

int machine_read_disk(const char *path, double *ret_percent, struct enrg_error *err)
{
	struct statvfs disk;
	double used, usable;

	if (statvfs(path, &disk) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	/* As df does: blocks kept for root count as neither used nor free. */
	used = (double)(disk.f_blocks - disk.f_bfree);
	usable = used + (double)disk.f_bavail;
	*ret_percent = usable > 0 ? 100.0 * used / usable : 0.0;
	return 0;
}

double machine_cpu_percent(const struct machine_cpu *before, const struct machine_cpu *now)
{
	uint64_t all = now->all_ticks - before->all_ticks, busy = now->busy_ticks - before->busy_ticks;

	/* The kernel's counters of idle time may run backwards by a tick or two. */
	if (now->all_ticks <= before->all_ticks || now->busy_ticks < before->busy_ticks)
		return 0.0;
	return busy >= all ? 100.0 : 100.0 * (double)busy / (double)all;
}
