/* remedy.c: see the header. Store process, main thread. */
#include "job/store/remedy.h"

#include <errno.h>

const char *remedy_find(int rc)
{
	switch (rc) {
	case -ENOSPC:
		return "disk full: free space";
	case -EDQUOT:
		return "quota used up: free space or raise the quota";
	case -EFBIG:
		return "the file reached the largest size that is allowed: raise the limit (ulimit -f) or start a new "
		       "file";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return "make the folder writable for this user, or change out_dir";
	case -EIO:
		return "check the disk (dmesg)";
	case -EMFILE:
	case -ENFILE:
		return "raise the limit of open files (ulimit -n)";
	default:
		return "fix what it says";
	}
}

bool remedy_is_of_table(int rc)
{
	switch (rc) {
	case -EINVAL:
	case -ERANGE:
	case -EILSEQ:
	case -EOVERFLOW:
	case -EMSGSIZE:
	case -ENAMETOOLONG:
	case -EEXIST:
	case -EISDIR:
	case -ENOTDIR:
	case -ENOTSUP:
		return true;
	default:
		return rc <= -1000; /* ENRG_E_… */
	}
}
