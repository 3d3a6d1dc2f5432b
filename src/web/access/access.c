/* access.c: what is read and kept; who is judged: judge.c. */
#include "web/access/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/secret.h"
#include "web/access/access_state.h"
#include "web/access/origin.h"

int64_t access_clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now); /* a machine that slept: sessions have aged */
	return now.tv_sec + 1;
}

/* --- files --- */

static int read_tokens(struct access *access, struct enrg_error *err)
{
	struct tokens tokens = {0};
	int rc = tokens_read(access->folder, &tokens, &access->tokens_stamp, err);

	tokens_fini(&access->tokens);
	access->tokens = tokens;
	if (rc == 0 && tokens.faulty_line)
		log_line(ENRG_WARNING,
			"access: %s/tokens: line %u is no token: it lets nobody in; the others count. Repair it or "
			"take it out",
			access->folder, tokens.faulty_line);
	return rc;
}

static int read_people(struct access *access, struct enrg_error *err)
{
	struct people people = {0};
	int rc = people_read(access->folder, &people, &access->people_stamp, err);

	people_fini(&access->people);
	access->people = people;
	if (rc == 0 && people.faulty_line)
		log_line(ENRG_WARNING,
			"access: %s/people: line %u is no person: it lets nobody in; the others count. Repair it or "
			"take it out",
			access->folder, people.faulty_line);
	return rc;
}

void access_refresh(struct access *access)
{
	struct enrg_error err = {0};
	char path[4096];

	tokens_format_path(access->folder, path);
	if (record_file_has_changed(path, &access->tokens_stamp) && read_tokens(access, &err))
		log_line(ENRG_ERROR, "access: no token counts any more: %s", err.text);
	people_format_path(access->folder, path);
	if (record_file_has_changed(path, &access->people_stamp) && read_people(access, &err))
		log_line(ENRG_ERROR, "access: nobody can log in any more: %s", err.text);
}

/* --- life --- */

/* One block: the pointers, then the texts. */
static char **copy_list(const char *const *list)
{
	size_t count = 0, bytes = 0;

	for (; list && list[count]; count++)
		bytes += strlen(list[count]) + 1;
	char **copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	char *text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, list[i]) + 1;
	}
	copy[count] = NULL;
	return copy;
}

/* What is mistyped lets nobody in, which is safe and hard to find. */
static void check_lists(const struct access *access)
{
	struct authority authority;
	bool is_tls;

	for (char **host = access->hosts; *host; host++)
		if (!host_is_good(*host))
			log_line(ENRG_WARNING,
				"access: web.hosts: \"%s\" is no name and no address, and lets nobody in: a name as it "
				"stands "
				"in the address bar, such as daq.lab, was expected",
				*host);
	for (char **origin = access->origins; *origin; origin++)
		if (origin_parse(*origin, &authority, &is_tls))
			log_line(ENRG_WARNING,
				"access: web.origins: \"%s\" is no origin, and lets no page in: such as "
				"https://panel.lab was "
				"expected, with nothing behind it",
				*origin);
}

static int fill(struct access *access, const struct access_params *params, struct enrg_error *err)
{
	bool has_secret = params->panel_secret && *params->panel_secret;

	if ((size_t)snprintf(access->folder, sizeof(access->folder), "%s", params->folder) > 3900)
		return enrg_error_set(err, -ENAMETOOLONG, "web.folder is longer than 3,900 bytes");
	access->hosts = copy_list(params->hosts);
	access->origins = copy_list(params->origins);
	access->panel_secret = has_secret ? strdup(params->panel_secret) : NULL;
	if (!access->hosts || !access->origins || (has_secret && !access->panel_secret))
		return enrg_error_set(err, -ENOMEM, "access: out of memory");
	if (has_secret)
		secret_remember(params->panel_secret);
	check_lists(access);
	access->port = params->port;
	access->owner = params->owner;
	int rc = path_make_private_folder(access->folder, err);
	rc = rc ? rc : read_tokens(access, err);
	rc = rc ? rc : read_people(access, err);
	return rc ? rc : audit_open(access->folder, &access->audit, err);
}

int access_open(const struct access_params *params, struct access **ret_access, struct enrg_error *err)
{
	struct access *access = calloc(1, sizeof(*access));

	if (!access)
		return enrg_error_set(err, -ENOMEM, "access: out of memory");
	pthread_mutex_init(&access->mutex, NULL);
	int rc = fill(access, params, err);
	if (rc) {
		access_close(access);
		return rc;
	}
	*ret_access = access;
	return 0;
}

void access_close(struct access *access)
{
	if (!access)
		return;
	audit_close(access->audit);
	tokens_fini(&access->tokens);
	people_fini(&access->people);
	free(access->hosts);
	free(access->origins);
	if (access->panel_secret)
		explicit_bzero(access->panel_secret, strlen(access->panel_secret));
	free(access->panel_secret);
	pthread_mutex_destroy(&access->mutex);
	explicit_bzero(&access->sessions, sizeof(access->sessions));
	free(access);
}

const char *access_folder(const struct access *access)
{
	return access->folder;
}

/* --- the first token --- */

static int make_first(struct access *access, const char *path, char ret_token[64], struct enrg_error *err)
{
	char line[TOKEN_TEXT_BYTES + 1];

	int rc = tokens_add(access->folder, TOKEN_FIRST, ACCESS_ADMIN, 0, ret_token, err);
	if (rc)
		return rc;
	snprintf(line, sizeof(line), "%s\n", ret_token);
	rc = record_file_write(path, line, strlen(line), err);
	explicit_bzero(line, sizeof(line));
	if (rc)
		tokens_remove(access->folder, TOKEN_FIRST, NULL); /* one that nobody can know */
	return rc;
}

bool access_make_first(struct access *access, char ret_token[64], char ret_path[4096], struct enrg_error *err)
{
	pthread_mutex_lock(&access->mutex);
	access_refresh(access);
	bool is_first = access->tokens.count == 0 && !access->tokens.faulty_line && !access->people.count;
	pthread_mutex_unlock(&access->mutex);
	if (err)
		*err = (struct enrg_error){0};
	if (!is_first)
		return false;
	snprintf(ret_path, 4096, "%.4000s/" TOKEN_FIRST_FILE, access->folder);
	return make_first(access, ret_path, ret_token, err) == 0;
}

/* --- the audit --- */

void access_audit(
	struct access *access, const struct access_who *who, const char *what, const char *about, const char *result)
{
	bool is_refused = !strncmp(result, "401", 3) || !strncmp(result, "403", 3) || !strncmp(result, "429", 3);

	audit_add(access->audit,
		&(struct audit_entry){
			.who = who, .what = what, .result = result, .about = about, .is_refused = is_refused});
}

void access_flush(struct access *access)
{
	audit_flush(access->audit, 1000);
}

void access_set_run(struct access *access, const char *run)
{
	audit_set_run(access->audit, run);
}
