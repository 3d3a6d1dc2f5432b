/* guard.c: free space on the disks of a store's files. Store process, main thread. */
#include "job/file/guard.h"

#include "job/file/alert.h"

#define NS_PER_S 1000000000ull

static int tell_finding(struct file_set *set, int rc, enum disk_guard_finding finding, const char *text)
{
	if (rc == 0 && finding != DISK_GUARD_GOOD)
		file_set_tell(set, finding == DISK_GUARD_WARN ? ENRG_WARNING : ENRG_INFO, "%s", text);
	return rc;
}

static bool is_seen(dev_t *seen, uint32_t *seen_count, dev_t device)
{
	for (uint32_t i = 0; i < *seen_count; i++)
		if (seen[i] == device)
			return true;
	if (*seen_count < DISK_GUARD_DISKS_MAX)
		seen[(*seen_count)++] = device;
	return false;
}

int file_guard_check(struct file_set *set, uint64_t now_ns, struct enrg_error *err)
{
	struct disk_guard *guard = &set->guard;
	enum disk_guard_finding finding;
	dev_t seen[DISK_GUARD_DISKS_MAX];
	uint32_t seen_count = 0;
	char text[400];
	int rc = 0;

	if (!disk_guard_is_due(guard, now_ns))
		return 0;
	guard->next_check_ns = now_ns + NS_PER_S;
	guard->unchecked_bytes = 0;
	guard->reserve = 0;
	for (struct enrg_file *file = set->first; file && rc == 0; file = file->next) {
		if (is_seen(seen, &seen_count, file->device))
			continue;
		rc = disk_guard_check(guard, &(struct disk_guard_place){file->descriptor, file->device, file->path},
			&finding, text, sizeof(text), err);
		rc = tell_finding(set, rc, finding, text);
	}
	for (uint32_t i = 0; i < guard->folder_count && rc == 0; i++) {
		if (is_seen(seen, &seen_count, guard->folders[i].device))
			continue;
		rc = disk_guard_check_folder(guard, i, &finding, text, sizeof(text), err);
		rc = tell_finding(set, rc, finding, text);
	}
	return rc;
}
