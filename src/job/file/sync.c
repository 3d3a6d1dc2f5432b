/* sync.c: when the disk has what was stored, for all file stores. Store process, main thread. */
#include "job/file/sync.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "job/file/alert.h"

int enrg_file_sync(struct enrg_file *file, struct enrg_error *err)
{
	int rc;

	do
		rc = fdatasync(file->descriptor);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return disk_fail(err, file->path, "sync");
	file->unsynced_ns = 0;
	return 0;
}

void enrg_file_set_sync(struct enrg_file *file, double seconds)
{
	uint64_t sync_ns = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;

	if (!file->has_own_sync || sync_ns < file->sync_ns)
		file->sync_ns = sync_ns;
	file->has_own_sync = true;
}

void file_sync_opened(struct enrg_file *file)
{
	if (!file->set->options || file->use_count)
		return;
	const struct enrg_file_options *options = file->set->options;
	file->has_own_sync = false;
	file->sync_ns = UINT64_MAX;
	if (options->sync == ENRG_FILE_SYNC_COMMIT)
		file->sync_ns = 0;
	else if (options->sync == ENRG_FILE_SYNC_INTERVAL)
		file->sync_ns = (uint64_t)(options->rules.sync_seconds * 1e9);
}

void file_sync_closing(struct enrg_file *file)
{
	struct enrg_error why = {0};
	bool is_part = file->series || file->is_superseded;

	/* A file that was left for the next one is final: it may be copied away. */
	if (file->unsynced_ns && (is_part || file->sync_ns != UINT64_MAX) && enrg_file_sync(file, &why) < 0)
		file_set_tell(
			file->set, ENRG_ERROR, "%s (closed; its last batches may be lost in a power cut)", why.text);
}

void file_sync_committed(struct enrg_file *file)
{
	if (file->set->options && file->size != file->committed && !file->unsynced_ns && file->sync_ns)
		file->unsynced_ns = clock_mono_ns();
}

int file_sync_due(struct file_set *set, uint64_t now_ns, uint64_t ahead_ns, struct enrg_error *err)
{
	if (!set->options)
		return 0;
	for (struct enrg_file *file = set->first; file; file = file->next) {
		bool is_written = file->size != file->committed;
		bool is_due = file->unsynced_ns && now_ns + ahead_ns >= file->unsynced_ns &&
			      now_ns + ahead_ns - file->unsynced_ns >= file->sync_ns;
		if (!is_due && !(is_written && file->sync_ns == 0))
			continue;
		int rc = enrg_file_sync(file, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
