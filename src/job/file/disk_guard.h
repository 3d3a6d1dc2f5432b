/* disk_guard.h: keeps a store from filling its disk: an alert while there is time, and an error like that of a full
 * disk before it is full, so that the last bytes stay for what is in memory when the store is stopped, and for others.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_DISK_GUARD_H
#define JOB_FILE_DISK_GUARD_H

#include <limits.h>
#include <sys/types.h>

#include "enrgdaq/store.h"

#define DISK_GUARD_DISKS_MAX 8u

struct disk_guard {
	const struct enrg_file_rules *rules; /* NULL: not watched */
	uint64_t next_check_ns;
	uint64_t unchecked_bytes; /* written since the last check */
	double reserve;           /* the smallest one of the last check, in bytes; 0 = not known yet */
	struct {
		dev_t device;
		bool is_warned;
	} disks[DISK_GUARD_DISKS_MAX];
	uint32_t disk_count;
	struct {
		dev_t device;
		char path[PATH_MAX];     /* ends in '/' */
	} folders[DISK_GUARD_DISKS_MAX]; /* watched beside the store's files, one a disk */
	uint32_t folder_count;
	char low_folder[PATH_MAX]; /* of the file on the disk that had too little; "" = none */
};

/* A second or some written bytes after the last one. */
bool disk_guard_is_due(const struct disk_guard *guard, uint64_t now_ns);

enum disk_guard_finding { DISK_GUARD_GOOD, DISK_GUARD_WARN, DISK_GUARD_GOOD_AGAIN };

/* Looks at the disk of one open file, once a device and round. -ENOSPC: too little is free. *ret_text is for an alert
 * where *ret_finding is not DISK_GUARD_GOOD. */
struct disk_guard_place {
	int descriptor; /* of the file, or a folder */
	dev_t device;
	const char *path;
};
int disk_guard_check(struct disk_guard *guard, const struct disk_guard_place *place,
	enum disk_guard_finding *ret_finding, char *ret_text, size_t text_bytes, struct enrg_error *err);
/* The same for folder `index`. */
int disk_guard_check_folder(struct disk_guard *guard, uint32_t index, enum disk_guard_finding *ret_finding,
	char *ret_text, size_t text_bytes, struct enrg_error *err);
/* After a failed check: is there space again? Some more than the limit, or it would go on and off. */
int disk_guard_check_again(struct disk_guard *guard, struct enrg_error *err);

#endif
