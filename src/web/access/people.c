/* people.c: see the header. */
#include "web/access/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char head[] = "# ENRGDAQ people: name, role, created, password (yescrypt). `enrgdaq user` changes this "
			   "file.\n";

void people_format_path(const char *folder, char ret_path[4096])
{
	snprintf(ret_path, 4096, "%s/people", folder);
}

/* --- text --- */

static int parse_person(const char *const words[RECORD_WORDS_MAX], struct person *ret_person)
{
	if (!record_name_is_good(words[0]) || access_role_parse(words[1], &ret_person->role) ||
		ret_person->role == ACCESS_NOBODY || record_time_parse(words[2], &ret_person->created_s) ||
		!password_hash_is_good(words[3]))
		return -EINVAL;
	snprintf(ret_person->name, sizeof(ret_person->name), "%s", words[0]);
	snprintf(ret_person->hash, sizeof(ret_person->hash), "%s", words[3]);
	return 0;
}

static int append(struct people *people, const struct person *person, struct enrg_error *err)
{
	if (people->count == PEOPLE_MAX)
		return enrg_error_set(err, -EFBIG, "there are %d people already: remove some", PEOPLE_MAX);
	struct person *grown = realloc(people->items, (people->count + 1) * sizeof(*grown));
	if (!grown)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	people->items = grown;
	people->items[people->count++] = *person;
	return 0;
}

int people_parse(char *text, struct people *ret_people, struct enrg_error *err)
{
	struct people people = {0};
	const char *words[RECORD_WORDS_MAX];
	unsigned line = 0;
	int count;

	while ((count = record_line_next(&text, words)) >= 0) {
		struct person person;
		line++;
		if (count == 0)
			continue;
		if (count != 4 || parse_person(words, &person) || people_find(&people, person.name)) {
			people.faulty_line = people.faulty_line ? people.faulty_line : line;
			continue;
		}
		int rc = append(&people, &person, err);
		if (rc) {
			people_fini(&people);
			return rc;
		}
	}
	*ret_people = people;
	return 0;
}

void people_fini(struct people *people)
{
	free(people->items);
	*people = (struct people){0};
}

int people_read(const char *folder, struct people *ret_people, struct record_stamp *ret_stamp, struct enrg_error *err)
{
	char path[4096], *text;

	people_format_path(folder, path);
	int rc = record_file_read(path, &text, ret_stamp, err);
	if (rc)
		return rc;
	rc = people_parse(text, ret_people, err);
	free(text);
	return rc ? enrg_error_add(err, rc, "%s", path) : 0;
}

static int write_people(const char *folder, const struct people *people, struct enrg_error *err)
{
	char path[4096], *text = NULL;
	size_t count = 0;
	FILE *stream = open_memstream(&text, &count);

	people_format_path(folder, path);
	if (!stream)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	fputs(head, stream);
	for (size_t i = 0; i < people->count; i++) {
		const struct person *person = &people->items[i];
		char created[32];
		record_time_format(person->created_s, created);
		fprintf(stream, "%s %s %s %s\n", person->name, access_role_name(person->role), created, person->hash);
	}
	int rc = fclose(stream) ? enrg_error_set(err, -ENOMEM, "%s: out of memory", path)
				: record_file_write(path, text, count, err);
	free(text);
	return rc;
}

/* --- who --- */

static struct person *find(const struct people *people, const char *name)
{
	for (size_t i = 0; i < people->count; i++)
		if (!strcmp(people->items[i].name, name))
			return &people->items[i];
	return NULL;
}

const struct person *people_find(const struct people *people, const char *name)
{
	return find(people, name);
}

/* --- changes --- */

/* With the lock: the file as it is, which must be whole, since it is written anew. */
static int read_to_change(const char *folder, struct people *ret_people, struct enrg_error *err)
{
	struct record_stamp stamp;
	int rc = people_read(folder, ret_people, &stamp, err);

	if (rc == 0 && ret_people->faulty_line) {
		unsigned line = ret_people->faulty_line;
		people_fini(ret_people);
		return enrg_error_set(err, -EINVAL,
			"%s/people: line %u is no person, and would be lost: repair it or take it out", folder, line);
	}
	return rc;
}

static int put_new(struct people *people, const struct person *person, struct enrg_error *err)
{
	if (find(people, person->name))
		return enrg_error_set(
			err, -EEXIST, "there is somebody called \"%s\" already: nothing was changed", person->name);
	return append(people, person, err);
}

static int put_change(struct people *people, const struct person *person, struct enrg_error *err)
{
	struct person *old = find(people, person->name);

	if (!old)
		return enrg_error_set(err, -ENOENT, "there is nobody called \"%s\"", person->name);
	if (person->role != ACCESS_NOBODY)
		old->role = person->role;
	if (*person->hash)
		memcpy(old->hash, person->hash, sizeof(old->hash));
	return 0;
}

typedef int put(struct people *people, const struct person *person, struct enrg_error *err);

static int write_change(const char *folder, const struct person *person, put *put_in, struct enrg_error *err)
{
	struct people people;
	int lock;

	int rc = record_file_lock(folder, &lock, err);
	if (rc)
		return rc;
	rc = read_to_change(folder, &people, err);
	if (rc == 0) {
		rc = put_in(&people, person, err);
		rc = rc ? rc : write_people(folder, &people, err);
		people_fini(&people);
	}
	record_file_unlock(lock);
	return rc;
}

static int name_person(struct person *person, const char *name, struct enrg_error *err)
{
	if (!record_name_is_good(name))
		return enrg_error_set(err, -EINVAL,
			"\"%.80s\" can't be a name: 1 to 63 of A-Z a-z 0-9 . _ @ - are, and no '-' first", name);
	snprintf(person->name, sizeof(person->name), "%s", name);
	return 0;
}

int people_add(
	const char *folder, const char *name, enum access_role role, const char *password, struct enrg_error *err)
{
	struct person person = {.role = role, .created_s = time(NULL)};

	int rc = name_person(&person, name, err);
	if (rc == 0 && role == ACCESS_NOBODY)
		rc = enrg_error_set(err, -EINVAL, "who logs in has the role visitor, user or admin");
	if (rc == 0)
		rc = password_hash(password, person.hash, err);
	return rc ? rc : write_change(folder, &person, put_new, err);
}

int people_change(
	const char *folder, const char *name, enum access_role role, const char *password, struct enrg_error *err)
{
	struct person person = {.role = role};

	int rc = name_person(&person, name, err);
	if (rc == 0 && password)
		rc = password_hash(password, person.hash, err);
	return rc ? rc : write_change(folder, &person, put_change, err);
}

static int take_away(const char *folder, const char *name, struct enrg_error *err)
{
	struct people people;

	int rc = read_to_change(folder, &people, err);
	if (rc)
		return rc;
	struct person *person = find(&people, name);
	if (person) {
		size_t behind = people.count - (size_t)(person - people.items) - 1;
		memmove(person, person + 1, behind * sizeof(*person));
		people.count--;
		rc = write_people(folder, &people, err);
	} else {
		rc = enrg_error_set(err, -ENOENT, "there is nobody called \"%.80s\" in %s", name, folder);
	}
	people_fini(&people);
	return rc;
}

int people_remove(const char *folder, const char *name, struct enrg_error *err)
{
	int lock;

	int rc = record_file_lock(folder, &lock, err);
	if (rc)
		return rc;
	rc = take_away(folder, name, err);
	record_file_unlock(lock);
	return rc;
}
