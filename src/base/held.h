/* held.h: is what a process holds open still what its path names? Files are removed, moved, replaced, cut and unmounted
 * under programs that have them open, and nothing tells them. Library code, any thread: one or two stat(2) a look.
 */
#ifndef BASE_HELD_H
#define BASE_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum held_finding {
	HELD_SAME = 0,  /* or it can't be told now: a folder that may not be searched, a server that does not answer */
	HELD_REMOVED,   /* no name leads to it any more */
	HELD_MOVED,     /* the path does not name it, another name does */
	HELD_REPLACED,  /* the path names another file, and no name leads to this one */
	HELD_UNMOUNTED, /* the path leads to another disk than the one it lies on */
	HELD_CUT,       /* it is shorter than it was */
};

/* `least_bytes`: it was that long. *ret_status (NULL allowed) is that of the descriptor; zeroed where it has none. */
enum held_finding held_look(int descriptor, const char *path, uint64_t least_bytes, struct stat *ret_status);

/* For files that a library holds: what the path named when it was taken. */
struct held_name {
	dev_t device;
	ino_t inode;
	uint64_t birth_ns; /* tells a file from one that got its inode after it was removed; 0 = not known */
	uint64_t bytes;    /* the greatest length seen, or what the owner sets */
};

/* false: the path names nothing. */
bool held_name_take(struct held_name *name, const char *path);
void held_name_take_open(struct held_name *name, int descriptor);
/* HELD_REMOVED, HELD_REPLACED, HELD_CUT, else HELD_SAME, and then with the length of now in `name`. */
enum held_finding held_name_look(struct held_name *name, const char *path);

/* "was removed", for humans. */
const char *held_describe(enum held_finding finding);
/* The name that leads to the descriptor now; false: none. */
bool held_find_name(int descriptor, char *ret_path, size_t path_bytes);

/* Where a name was removed under a running system, its owner leads the path to its descriptor: a link to
 * /proc/PID/fd/N, for as long as the owner lives. 0, -errno; whatever stood there instead is gone. */
int held_lead(const char *path, int descriptor);
/* As open(2) with O_CLOEXEC, O_NOFOLLOW and O_NONBLOCK, but goes through such a link, and through no other. */
int held_open(const char *path, int flags);
/* Is the path such a link? */
bool held_is_led(const char *path);

#endif
