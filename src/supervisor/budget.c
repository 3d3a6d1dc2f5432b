/* budget.c: sizes of rings. Process: supervisor. */
#include "supervisor/budget.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/path.h"

#define CACHE_BYTES_UNKNOWN (8ull << 20)

uint64_t budget_record_bytes(int64_t slot_kb)
{
	return (uint64_t)(slot_kb > 0 ? slot_kb : 1024) << 10;
}

uint64_t budget_ring_bytes(int64_t own_mb, int64_t supervisor_mb, size_t producer_count, int64_t slot_kb)
{
	/* A record has a header and up to a page of lead before its payload; a quarter more lets the rewind find room.
	 */
	uint64_t record = budget_record_bytes(slot_kb) + (16u << 10);
	uint64_t least = 2 * record + record / 2;
	uint64_t share = own_mb > 0 ? (uint64_t)own_mb << 20
				    : ((uint64_t)supervisor_mb << 20) / (producer_count ? producer_count : 1);

	if (share < least)
		share = least;
	return (share + 4095) & ~4095ull;
}

uint64_t budget_cache_bytes(void)
{
	char *text = NULL;
	size_t count;
	uint64_t kb = 0;
	long bytes;

	/* sysconf adds up the caches of all core complexes of the host on some virtual machines: ask the kernel first.
	 */
	if (!path_read_file("/sys/devices/system/cpu/cpu0/cache/index3/size", 64, &text, &count, NULL))
		kb = strtoull(text, NULL, 10);
	free(text);
	if (kb)
		return kb << 10;
	bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
	return bytes > 0 ? (uint64_t)bytes : CACHE_BYTES_UNKNOWN;
}

int budget_check(const char *folder, uint64_t full_bytes, size_t ring_count, struct enrg_error *err)
{
	struct statvfs space;
	uint64_t free_bytes;

	if (statvfs(folder, &space))
		return enrg_error_set(err, -errno, "%s: %s", folder, strerror(errno));
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	if (full_bytes <= free_bytes)
		return 0;
	bool is_enough = BUDGET_LEAST_BYTES * ring_count <= free_bytes;
	enrg_error_set(err, -ENOSPC,
		"%s: %zu ring buffer(s) take up to %.1f MB and %.1f MB are free; %s lower ring_buffer_size_mb in "
		"supervisor.toml, or enlarge the file system (`mount -o remount,size=… /dev/shm`)",
		folder, ring_count, (double)full_bytes / 1e6, (double)free_bytes / 1e6,
		is_enough ? "a source that finds no more room waits for its stores:" : "that is too little to start:");
	return is_enough ? 1 : -ENOSPC;
}
