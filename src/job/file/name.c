/* name.c: names of output files. Store process, main thread. */
#include "job/file/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "enrgdaq/store.h"

static size_t length_without_compression(const char *name)
{
	static const char *const suffixes[] = {".zst", ".gz", ".lz4", ".xz", ".bz2"};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t suffix = strlen(suffixes[i]);
		if (length > suffix && strcasecmp(name + length - suffix, suffixes[i]) == 0)
			return length - suffix;
	}
	return length;
}

/* Where a tag goes: before the extension. A leading dot begins no extension. */
size_t file_stem_length(const char *name)
{
	size_t end = length_without_compression(name);

	for (size_t i = end; i > 1; i--)
		if (name[i - 1] == '.')
			return i - 1;
	return end;
}

/* Sections come with the producers' files: none of them may write over the files of somebody else. */
static bool leads_outside(const char *file_path)
{
	if (*file_path == '/')
		return true;
	for (const char *at = file_path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == '\0'))
			return true;
	}
	return false;
}

int enrg_file_path(const struct enrg_file_name *name, char *ret_path, size_t path_bytes, struct enrg_error *err)
{
	const char *file_path = name->file_path ? name->file_path : "";
	const char *slash = strrchr(file_path, '/');
	const char *own = slash ? slash + 1 : file_path;
	bool has_folder = name->out_dir && *name->out_dir;
	bool has_tag = name->tag && *name->tag;
	char day[16] = "", tag[ENRG_NAME_BYTES_MAX + 1] = "";

	if (!*own)
		return enrg_error_set(err, -EINVAL, "file_path: expected the name of a file, found \"%s\"", file_path);
	if (leads_outside(file_path))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"file_path: expected a name below out_dir, found \"%s\": no \"..\" and no \"/\" at the start; "
			"files for another folder need a store job with that out_dir",
			file_path);
	if (name->add_date)
		clock_format_day(name->date_ns, day, sizeof(day));
	if (has_tag && strlen(name->tag) >= sizeof(tag))
		return enrg_error_set(
			err, -ENAMETOOLONG, "tag \"%.40s…\" is longer than %u bytes", name->tag, ENRG_NAME_BYTES_MAX);
	for (size_t i = 0; has_tag && name->tag[i]; i++)
		tag[i] = name->tag[i] == '/' ? '_' : name->tag[i];
	size_t stem = file_stem_length(own);
	const char *join = has_folder && name->out_dir[strlen(name->out_dir) - 1] != '/' ? "/" : "";
	int used = snprintf(ret_path, path_bytes, "%s%s%.*s%s%s%.*s%s%s%s", has_folder ? name->out_dir : "", join,
		(int)(own - file_path), file_path, day, *day ? "_" : "", (int)stem, own, has_tag ? "_" : "", tag,
		own + stem);
	if (used < 0 || (size_t)used >= path_bytes)
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is longer than %zu bytes", file_path,
			path_bytes ? path_bytes - 1 : 0);
	return 0;
}
