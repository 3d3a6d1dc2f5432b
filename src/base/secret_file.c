/* secret_file.c: see the header. */
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 4096

static int check_owner(int descriptor, const char *path, struct enrg_error *err)
{
	struct stat now;

	if (fstat(descriptor, &now) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	if (!S_ISREG(now.st_mode))
		return enrg_error_set(err, -EINVAL, "%s is not a file", path);
	if (now.st_uid != geteuid())
		return enrg_error_set(err, -EPERM,
			"%s belongs to another user (%u): it has to be of the user that runs this (%u)", path,
			(unsigned)now.st_uid, (unsigned)geteuid());
	if ((now.st_mode & 07777) != 0600 && (now.st_mode & 07777) != 0400)
		return enrg_error_set(err, -EPERM, "%s has mode %04o, so that others may get at it: chmod 600 it", path,
			(unsigned)(now.st_mode & 07777));
	return 0;
}

static int read_text(int descriptor, const char *path, char *ret_text, struct enrg_error *err)
{
	size_t used = 0;
	ssize_t got;

	while (used <= FILE_BYTES_MAX && (got = read(descriptor, ret_text + used, FILE_BYTES_MAX + 1 - used)) != 0) {
		if (got < 0 && errno != EINTR)
			return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
		used += got > 0 ? (size_t)got : 0;
	}
	if (used > FILE_BYTES_MAX)
		return enrg_error_set(
			err, -EMSGSIZE, "%s is longer than %d bytes: it holds one secret", path, FILE_BYTES_MAX);
	if (used && ret_text[used - 1] == '\n')
		used--;
	if (used && ret_text[used - 1] == '\r')
		used--;
	ret_text[used] = '\0';
	if (used == 0)
		return enrg_error_set(err, -EINVAL, "%s is empty", path);
	if (strlen(ret_text) != used)
		return enrg_error_set(err, -EINVAL, "%s holds a NUL character: it is no text", path);
	return 0;
}

int secret_read_file(const char *path, char **ret_text, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
	char *text;

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	text = malloc(FILE_BYTES_MAX + 2);
	int rc = text ? check_owner(descriptor, path, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = read_text(descriptor, path, text, err);
	close(descriptor);
	if (rc < 0) {
		free(text);
		return rc;
	}
	*ret_text = text;
	return 0;
}
