/* folder_text.c: see the header. */
#include "web/api/folder_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/path.h"
#include "base/text.h"

#define KEPT_MAX  100u /* copies of one file */
#define TURNS_MAX 100u

/* Between the look at what is there and the rename nobody else of this process comes. */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- names --- */

static bool is_part_right(const char *part, size_t bytes)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+ ";

	if (!bytes || bytes > 200 || *part == '.' || *part == ' ' || *part == '-')
		return false;
	for (size_t at = 0, step; at < bytes; at += step) {
		unsigned char character = (unsigned char)part[at];
		step = text_character(part + at, bytes - at);
		if (!step || (character < 0x80 && !memchr(allowed, character, sizeof(allowed) - 1)))
			return false;
	}
	return true;
}

int folder_text_check_name(const char *file, struct enrg_error *err)
{
	static const char suffix[] = ".toml";
	size_t bytes = strlen(file);
	bool is_right = bytes > sizeof(suffix) - 1 && bytes < FOLDER_TEXT_NAME_BYTES &&
			!strcmp(file + bytes - (sizeof(suffix) - 1), suffix);

	for (const char *part = file; is_right; part += strcspn(part, "/") + 1) {
		size_t part_bytes = strcspn(part, "/");
		is_right = is_part_right(part, part_bytes);
		if (!part[part_bytes])
			break;
	}
	if (is_right)
		return 0;
	return enrg_error_set(err, -EINVAL,
		"file: the name of a file in the configuration folder was expected, such as camera.toml or "
		"detectors/tank.toml: no hidden part, no \"..\", and .toml at its end");
}

int folder_text_relative(const char *folder, const char *path, char *ret_file, size_t file_bytes)
{
	char root[PATH_MAX], whole[PATH_MAX];

	if (!realpath(folder, root) || !realpath(path, whole))
		return -ENOENT;
	size_t bytes = strlen(root);
	if (strncmp(root, whole, bytes) != 0 || whole[bytes] != '/' || strlen(whole + bytes + 1) >= file_bytes)
		return -ENOENT;
	snprintf(ret_file, file_bytes, "%s", whole + bytes + 1);
	return folder_text_check_name(ret_file, NULL) < 0 ? -ENOENT : 0;
}

/* --- opened below the folder, through no link --- */

static int open_below(int folder, const char *file, int flags)
{
	const struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long rc = syscall(SYS_openat2, folder, file, &how, sizeof(how));

	return rc < 0 ? -errno : (int)rc;
}

static int open_folder(const char *folder, struct enrg_error *err)
{
	int descriptor = *folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (descriptor >= 0)
		return descriptor;
	if (!*folder)
		return enrg_error_set(err, -ENOENT, "this system runs without a configuration folder");
	return enrg_error_set(err, -errno, "the configuration folder %s: %s", folder, strerror(errno));
}

static int explain(struct enrg_error *err, int rc, const char *file)
{
	if (rc == -ENOENT || rc == -ENOTDIR)
		return enrg_error_set(err, -ENOENT, "there is no file %s in the configuration folder", file);
	if (rc == -ELOOP || rc == -EXDEV)
		return enrg_error_set(err, -EINVAL,
			"%s is a link, or lies behind one: files are read and written in the configuration folder "
			"alone",
			file);
	if (rc == -EROFS || rc == -EACCES || rc == -EPERM)
		return enrg_error_set(err, rc,
			"%s: %s. Give the user of the supervisor the right to read and write the folder; the systemd "
			"unit "
			"has it read-only without ReadWritePaths=",
			file, strerror(-rc));
	return enrg_error_set(err, rc, "%s: %s", file, strerror(-rc));
}

/* A NUL behind it. */
static int read_all(int descriptor, char **ret_text, size_t *ret_bytes)
{
	struct stat info;
	size_t used = 0;

	if (fstat(descriptor, &info))
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EINVAL;
	char *text = malloc(FOLDER_TEXT_BYTES_MAX + 2);
	if (!text)
		return -ENOMEM;
	while (used <= FOLDER_TEXT_BYTES_MAX) {
		ssize_t count = read(descriptor, text + used, FOLDER_TEXT_BYTES_MAX + 1 - used);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			text[used] = '\0';
			*ret_text = text;
			*ret_bytes = used;
			return 0;
		}
		used += (size_t)count;
	}
	free(text);
	return -EFBIG;
}

static int read_below(int folder, const char *file, char **ret_text, size_t *ret_bytes)
{
	int descriptor = open_below(folder, file, O_RDONLY | O_NONBLOCK); /* a pipe is no file, and waits for nobody */

	if (descriptor < 0)
		return descriptor;
	int rc = read_all(descriptor, ret_text, ret_bytes);
	close(descriptor);
	return rc;
}

int folder_text_read(const char *folder, const char *file, char **ret_text, size_t *ret_bytes, struct enrg_error *err)
{
	int rc = folder_text_check_name(file, err);

	if (rc < 0)
		return rc;
	int root = open_folder(folder, err);
	if (root < 0)
		return root;
	rc = read_below(root, file, ret_text, ret_bytes);
	close(root);
	return rc < 0 ? explain(err, rc, file) : 0;
}

/* --- the copy of what was there --- */

/* Copies of one file are called NAME.DATE, so that the order of names is that of time. */
static void drop_oldest(const char *folder, const char *name)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);
	size_t bytes = strlen(name), found = 0;
	char path[PATH_MAX];

	for (int i = count; i-- > 0;) {
		bool is_copy = !strncmp(names[i]->d_name, name, bytes) && names[i]->d_name[bytes] == '.' &&
			       names[i]->d_name[bytes + 1] >= '0' && names[i]->d_name[bytes + 1] <= '9';
		if (is_copy && ++found > KEPT_MAX &&
			(size_t)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name) < sizeof(path))
			unlink(path);
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int keep(const struct folder_text_change *change, const char *text, size_t bytes, struct enrg_error *err)
{
	char name[FOLDER_TEXT_NAME_BYTES], path[PATH_MAX], date[40];
	int rc = path_make_private_folder(change->kept_folder, err);

	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "%s", change->file);
	for (char *slash = name; (slash = strchr(slash, '/'));)
		*slash = '+';
	uint64_t wall_ns = clock_wall_ns(); /* two within a millisecond are two */
	clock_format_utc(wall_ns, date, sizeof(date));
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.%s.%06u", change->kept_folder, name, date,
		    (unsigned)(wall_ns % 1000000u)) >= sizeof(path))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path of its copy is too long", change->file);
	rc = path_write_private_file(path, text, bytes, err);
	if (rc == 0)
		drop_oldest(change->kept_folder, name);
	return rc;
}

/* --- the new text in its place --- */

/* The folder that the file lies in. */
static int open_parent(int root, const char *file)
{
	char folder[FOLDER_TEXT_NAME_BYTES];

	snprintf(folder, sizeof(folder), "%s", file);
	char *slash = strrchr(folder, '/');
	if (!slash)
		return open_below(root, ".", O_RDONLY | O_DIRECTORY);
	*slash = '\0';
	return open_below(root, folder, O_RDONLY | O_DIRECTORY);
}

static int write_temporary(int parent, const char *name, const char *text, mode_t mode)
{
	int descriptor = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (descriptor < 0)
		return -errno;
	int rc = disk_write_all(descriptor, (const uint8_t *)text, strlen(text), 0) < 0 ? -errno : 0;
	if (rc == 0 && (fchmod(descriptor, mode) || fsync(descriptor)))
		rc = -errno;
	close(descriptor);
	return rc;
}

/* The mode of the file that was there, for a new one that of any file of this user. */
static mode_t choose_mode(int parent, const char *name)
{
	struct stat info;

	if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
		return info.st_mode & 0777;
	return 0640;
}

/* Of a file that may be gone: "". */
static void sum(int parent, const char *name, char ret_sha256[SHA256_HEX_BYTES])
{
	char *text;
	size_t bytes;

	ret_sha256[0] = '\0';
	if (read_below(parent, name, &text, &bytes) < 0)
		return;
	sha256_format(text, bytes, ret_sha256);
	free(text);
}

/* Puts what `temporary` holds back in its place. Whoever renames his file over ours meanwhile has the last word: what
 * comes out is what was put in, or newer, and goes back. */
static int take_back(int parent, const char *temporary, const char *name, const char *ours)
{
	char placed[SHA256_HEX_BYTES], held[SHA256_HEX_BYTES], found[SHA256_HEX_BYTES];

	memcpy(placed, ours, sizeof(placed));
	sum(parent, temporary, held);
	for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
		if (renameat2(parent, temporary, parent, name, RENAME_EXCHANGE))
			return -errno;
		sum(parent, temporary, found);
		if (!strcmp(found, placed))
			break;
		memcpy(placed, held, sizeof(placed));
		memcpy(held, found, sizeof(held));
	}
	return -ESTALE;
}

/* An editor on this machine takes no lock of ours: the two files change places, and back where the old one was not the
 * expected one any more. */
static int put_in_place(int parent, const char *temporary, const char *name, const struct folder_text_change *change)
{
	unsigned flags = *change->expected ? RENAME_EXCHANGE : RENAME_NOREPLACE;
	char ours[SHA256_HEX_BYTES], found[SHA256_HEX_BYTES];

	if (renameat2(parent, temporary, parent, name, flags)) {
		if (errno == EINVAL || errno == ENOSYS) /* a file system without that */
			return renameat(parent, temporary, parent, name) ? -errno : 0;
		return errno == EEXIST || errno == ENOENT ? -ESTALE : -errno;
	}
	if (!*change->expected)
		return 0;
	sum(parent, temporary, found);
	if (!strcmp(found, change->expected))
		return 0;
	sha256_format(change->text, strlen(change->text), ours);
	return take_back(parent, temporary, name, ours);
}

static int replace(int root, const struct folder_text_change *change)
{
	const char *slash = strrchr(change->file, '/'), *name = slash ? slash + 1 : change->file;
	char temporary[64];
	uint64_t random;
	int parent = open_parent(root, change->file);

	if (parent < 0)
		return parent;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = clock_mono_ns();
	snprintf(temporary, sizeof(temporary), ".enrgdaq-%016llx.new", (unsigned long long)random);
	int rc = write_temporary(parent, temporary, change->text, choose_mode(parent, name));
	if (rc == 0)
		rc = put_in_place(parent, temporary, name, change);
	unlinkat(parent, temporary, 0); /* what failed, or the old one, of which there is a copy */
	if (rc == 0 && fsync(parent))
		rc = -errno;
	close(parent);
	return rc;
}

static int refuse_stale(const struct folder_text_change *change, bool is_there, struct enrg_error *err)
{
	return enrg_error_set(err, -ESTALE,
		is_there
			? "%s is not what it was when it was read: somebody has changed it. Nothing was written; read "
			  "it "
			  "again"
			: "%s is not there any more, or was never. Nothing was written; expect_sha256 \"\" makes a new "
			  "file",
		change->file);
}

/* ret_sha256: of what is there, "" none; *ret_old is to be freed. */
static int look(int root, const struct folder_text_change *change, char **ret_old, size_t *ret_bytes,
	char ret_sha256[SHA256_HEX_BYTES])
{
	int rc = read_below(root, change->file, ret_old, ret_bytes);

	ret_sha256[0] = '\0';
	if (rc == 0)
		sha256_format(*ret_old, *ret_bytes, ret_sha256);
	return rc == -ENOENT ? 0 : rc;
}

static int write_locked(
	int root, const struct folder_text_change *change, char ret_sha256[SHA256_HEX_BYTES], struct enrg_error *err)
{
	char *old = NULL;
	size_t bytes = 0;
	int rc = look(root, change, &old, &bytes, ret_sha256);

	if (rc < 0)
		return explain(err, rc, change->file);
	if (strcmp(ret_sha256, change->expected) != 0)
		rc = refuse_stale(change, old != NULL, err);
	if (rc == 0 && old)
		rc = keep(change, old, bytes, err);
	free(old);
	if (rc < 0)
		return rc;
	rc = replace(root, change);
	if (rc == 0) {
		sha256_format(change->text, strlen(change->text), ret_sha256);
		return 0;
	}
	if (rc != -ESTALE)
		return explain(err, rc, change->file);
	old = NULL;
	(void)look(root, change, &old, &bytes, ret_sha256);
	free(old);
	return refuse_stale(change, *ret_sha256, err);
}

int folder_text_write(
	const struct folder_text_change *change, char ret_sha256[SHA256_HEX_BYTES], struct enrg_error *err)
{
	int rc = folder_text_check_name(change->file, err);

	if (rc == 0 && strlen(change->text) > FOLDER_TEXT_BYTES_MAX)
		rc = enrg_error_set(err, -EFBIG, "text: longer than %u KiB", FOLDER_TEXT_BYTES_MAX >> 10);
	if (rc < 0)
		return rc;
	int root = open_folder(change->folder, err);
	if (root < 0)
		return root;
	pthread_mutex_lock(&write_lock);
	rc = write_locked(root, change, ret_sha256, err);
	pthread_mutex_unlock(&write_lock);
	close(root);
	return rc;
}
