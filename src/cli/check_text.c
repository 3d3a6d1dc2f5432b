/* check_text.c: see the header. */
#include "cli/check_text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "cli/cli.h"
#include "config/folder.h"
#include "config/run_judge.h"
#include "config/secrets.h"

#define BYTES_MAX  (1u << 20)
#define PATH_BYTES 4096u

static int print(json_t *json, int code)
{
	if (!json)
		return 1;
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
	return code;
}

static int fail(const struct enrg_error *err)
{
	return print(json_pack("{ss}", "detail", err->text), 1);
}

static int read_file(const char *folder, const char *file, char **ret_text, size_t *ret_bytes, struct enrg_error *err)
{
	char path[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, file) >= sizeof(path))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", file);
	int rc = path_read_file(path, BYTES_MAX, ret_text, ret_bytes, err);
	if (rc == 0 && strlen(*ret_text) != *ret_bytes) {
		free(*ret_text);
		*ret_text = NULL;
		return enrg_error_set(err, ENRG_E_CONFIG, "%s: it has a NUL byte, and is no text", file);
	}
	return rc;
}

int check_text_show(const char *folder, const char *file)
{
	char *text = NULL, *shown = NULL, sha256[SHA256_HEX_BYTES];
	struct enrg_error err = {0};
	struct types *types = NULL;
	json_t *answer = NULL;
	size_t bytes;
	int rc = cli_load_types(&types);

	if (rc)
		return rc;
	rc = read_file(folder, file, &text, &bytes, &err);
	if (rc == 0)
		rc = secrets_hide_text(types, file, text, &shown, &err);
	if (rc == 0) {
		sha256_format(text, bytes, sha256);
		answer = json_pack("{sssssIsssb}", "file", file, "sha256", sha256, "bytes", (json_int_t)bytes, "text",
			shown, "has_secrets", strcmp(text, shown) != 0);
		if (!answer)
			rc = enrg_error_set(&err, ENRG_E_CONFIG, "%s: it is not UTF-8 text", file);
	}
	free(shown);
	free(text);
	types_free(types);
	return rc < 0 ? fail(&err) : print(answer, 0);
}

/* --- a new text --- */

static int read_input(char **ret_text, struct enrg_error *err)
{
	char *text = malloc(BYTES_MAX + 1);
	size_t used = text ? fread(text, 1, BYTES_MAX + 1, stdin) : 0;

	if (!text)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (used > BYTES_MAX || memchr(text, '\0', used)) {
		free(text);
		return enrg_error_set(err, ENRG_E_CONFIG, "the new text is longer than 1 MiB, or has a NUL byte");
	}
	text[used] = '\0';
	*ret_text = text;
	return 0;
}

/* With the secrets of before. A text without a mask needs none of them, also where the file of before is broken. */
static int complete(const struct types *types, const char *file, const char *text, const char *old, char **ret_text,
	struct enrg_error *err)
{
	if (old && strstr(text, SECRET_MASK))
		return secrets_keep_text(types, file, text, old, ret_text, err);
	*ret_text = strdup(text);
	return *ret_text ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

int check_text_mask(const char *file)
{
	char *text = NULL, *shown = NULL;
	struct enrg_error err = {0};
	struct types *types = NULL;
	json_t *answer = NULL;
	int rc = cli_load_types(&types);

	if (rc)
		return rc;
	rc = read_input(&text, &err);
	if (rc == 0)
		rc = secrets_hide_text(types, file, text, &shown, &err);
	if (rc == 0)
		answer = json_pack("{ss}", "text", shown);
	if (rc == 0 && !answer)
		rc = enrg_error_set(&err, ENRG_E_CONFIG, "%s: it is not UTF-8 text", file);
	free(shown);
	free(text);
	types_free(types);
	return rc < 0 ? fail(&err) : print(answer, 0);
}

struct edit { /* a file of a folder, and what is to stand in it; NULL: as it is */
	const char *folder, *file, *text;
	const struct types *types;
};

static int put(const struct edit *edit, struct sources *sources, struct enrg_error *err)
{
	char path[PATH_BYTES], name[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", edit->folder, edit->file) >= sizeof(path))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", edit->file);
	snprintf(name, sizeof(name), "%.*s", (int)(strlen(edit->file) - strlen(".toml")), edit->file);
	return sources_put(sources, path, name, edit->text, err);
}

static int check(const struct edit *edit, struct problems *problems, struct enrg_error *err)
{
	struct folder *loaded = NULL;
	struct sources sources = {0};

	int rc = sources_read(edit->folder, &sources, problems, err);
	if (rc == 0 && edit->text)
		rc = put(edit, &sources, err);
	if (rc < 0) {
		sources_fini(&sources);
		return rc;
	}
	rc = folder_load_sources(edit->folder, &sources, edit->types, &loaded, problems, err);
	if (rc == 0)
		run_judge_plans(loaded, edit->types, problems);
	folder_free(loaded);
	return rc;
}

/* As it is called in the folder. */
static const char *name_in(const char *folder, const char *path)
{
	size_t bytes = strlen(folder);

	while (bytes > 1 && folder[bytes - 1] == '/')
		bytes--;
	return path && !strncmp(path, folder, bytes) && path[bytes] == '/' ? path + bytes + 1 : path ? path : "";
}

static json_t *format_problems(const char *folder, const struct problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		json_array_append_new(
			list, json_pack("{sssisbss}", "file", name_in(folder, problem->file), "line", problem->line,
				      "is_warning", problem->is_warning, "text", problem->text ? problem->text : ""));
	}
	return list;
}

/* What it would be, beside what it is: a folder that is wrong elsewhere may be repaired file by file. */
static json_t *judge(const struct edit *edit, const char *sha256, struct enrg_error *err)
{
	struct edit before = *edit;
	struct problems old, new;
	json_t *answer = NULL;

	before.text = NULL;
	problems_init(&old);
	problems_init(&new);
	int rc = check(&before, &old, err);
	if (rc == 0)
		rc = check(edit, &new, err);
	if (rc == 0)
		answer = json_pack("{sssssIsIso}", "text", edit->text, "sha256", sha256, "errors",
			(json_int_t) new.errors, "errors_before", (json_int_t)old.errors, "problems",
			format_problems(edit->folder, &new));
	if (rc == 0 && !answer)
		enrg_error_set(err, ENRG_E_CONFIG, "%s: it is not UTF-8 text", edit->file);
	problems_fini(&old);
	problems_fini(&new);
	return answer;
}

static int edit(const char *folder, const char *file, const struct types *types, struct enrg_error *err)
{
	char *text = NULL, *old = NULL, *whole = NULL, sha256[SHA256_HEX_BYTES] = "";
	json_t *answer = NULL;
	size_t bytes;
	int rc = read_input(&text, err);

	if (rc == 0)
		rc = read_file(folder, file, &old, &bytes, err);
	if (rc == 0)
		sha256_format(old, bytes, sha256);
	else if (rc == -ENOENT && text)
		rc = 0;
	if (rc == 0)
		rc = complete(types, file, text, old, &whole, err);
	if (rc == 0)
		answer = judge(&(const struct edit){folder, file, whole, types}, sha256, err);
	free(whole);
	free(old);
	free(text);
	return answer ? print(answer, 0) : rc < 0 ? rc : err->code;
}

int check_text_edit(const char *folder, const char *file)
{
	struct enrg_error err = {0};
	struct types *types = NULL;
	size_t bytes = strlen(file);
	int rc = cli_load_types(&types);

	if (rc)
		return rc;
	if (bytes < sizeof(".toml") || strcmp(file + bytes - strlen(".toml"), ".toml") != 0)
		rc = enrg_error_set(&err, -EINVAL, "%s: a file NAME.toml was expected", file);
	else
		rc = edit(folder, file, types, &err);
	types_free(types);
	return rc < 0 ? fail(&err) : rc;
}
