/* disks.h: how much room there is where stores write. The file systems are asked by errands, so one that hangs holds
 * nobody up. Process: supervisor, main thread. */
#ifndef SUPERVISOR_DISKS_H
#define SUPERVISOR_DISKS_H

#include <stdbool.h>
#include <stdint.h>

#define DISKS_MAX 64u

struct disk_room {
	bool is_there; /* the folder */
	uint64_t device, free_bytes, total_bytes;
};

struct disk;

struct disks {
	uint32_t count;
	struct disk *items[DISKS_MAX];
};

enum disks_answer {
	DISKS_FRESH,   /* *ret_room is of a look that ended since the last call */
	DISKS_NONE,    /* it has not answered yet, or is not looked at */
	DISKS_UNHEARD, /* nor for longer than DISKS_PATIENCE_NS: *ret_silent_ns */
};

#define DISKS_PATIENCE_NS 15000000000ull
#define DISKS_EVERY_NS    2000000000ull

/* What the file system of that folder said; asks it again where no question is open, each DISKS_EVERY_NS. */
enum disks_answer disks_ask(
	struct disks *disks, const char *folder, uint64_t now_ns, struct disk_room *ret_room, uint64_t *ret_silent_ns);
void disks_fini(struct disks *disks); /* takes zeroed memory */
/* The same once, waiting so long at the most. false: it has not answered by then. */
bool disks_read(const char *folder, uint64_t patience_ns, struct disk_room *ret_room);

#endif
