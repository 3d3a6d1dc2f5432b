/* people.h: the file `people` of web.folder: who logs in with name and password. Any thread; a struct people belongs to
 * one at a time. */
#ifndef WEB_ACCESS_PEOPLE_H
#define WEB_ACCESS_PEOPLE_H

#include "web/access/access.h"
#include "web/access/password.h"
#include "web/access/record_file.h"

enum { PEOPLE_MAX = 1024 };

struct person {
	char name[RECORD_NAME_BYTES];
	enum access_role role;
	int64_t created_s;
	char hash[PASSWORD_HASH_BYTES];
};

struct people {
	struct person *items;
	size_t count;
	unsigned faulty_line; /* the first one that is nobody, and lets nobody in; 0 = none */
};

/* -ENOMEM, -EFBIG (more than PEOPLE_MAX). `text` is cut into pieces. */
int people_parse(char *text, struct people *ret_people, struct enrg_error *err);
void people_fini(struct people *people);
int people_read(const char *folder, struct people *ret_people, struct record_stamp *ret_stamp, struct enrg_error *err);
void people_format_path(const char *folder, char ret_path[4096]);
const struct person *people_find(const struct people *people, const char *name); /* NULL: nobody */

/* Hashes. -EEXIST; -EINVAL: what name, role or password may not be. */
int people_add(
	const char *folder, const char *name, enum access_role role, const char *password, struct enrg_error *err);
/* ACCESS_NOBODY: the role stays; `password` NULL: that stays. Another password ends his sessions. -ENOENT, -EINVAL. */
int people_change(
	const char *folder, const char *name, enum access_role role, const char *password, struct enrg_error *err);
/* -ENOENT. His sessions end with it. */
int people_remove(const char *folder, const char *name, struct enrg_error *err);

#endif
