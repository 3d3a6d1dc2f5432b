/* run_notes.c: see the header. Runs in the store's job process, on its main thread. */
#include "run_notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "growing.h"

#define GROUP_NAME "enrgdaq_runs"

static void write_text(hid_t object, const char *name, const char *text)
{
	if (H5Aexists(object, name) == 0)
		(void)growing_write_text(object, name, text);
}

static void write_number(hid_t object, const char *name, hid_t type, const void *value)
{
	hid_t space, attribute;

	if (H5Aexists(object, name) != 0)
		return;
	space = H5Screate(H5S_SCALAR);
	attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	if (attribute >= 0) {
		(void)H5Awrite(attribute, type, value);
		H5Aclose(attribute);
	}
	H5Sclose(space);
}

/* "2026-11-28T07:03:10.123456+00:00", as NeXus wants it. */
static void write_time(hid_t object, const char *name, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	char day[32], text[64];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	snprintf(text, sizeof(text), "%s.%06u+00:00", day, (unsigned)(wall_ns % 1000000000u / 1000u));
	write_text(object, name, text);
}

static void write_begin(hid_t object, const struct enrg_run_info *info)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, info->number);
	write_text(object, "definition", "enrgdaq_run");
	write_text(object, "title", *info->description ? info->description : info->run);
	write_text(object, "experiment_identifier", info->supervisor);
	write_text(object, "entry_identifier", number);
	write_text(object, "entry_identifier_uuid", info->uuid);
	write_time(object, "start_time", info->began_ns);
	write_text(object, "run", info->run);
	write_number(object, "run_number", H5T_NATIVE_UINT64, &info->number);
	write_text(object, "run_type", info->type);
	write_text(object, "program_name", "enrgdaq");
	write_text(object, "program_version", info->version);
	write_text(object, "config_sha256", info->config_sha256);
}

static void write_end(hid_t object, const struct enrg_run_info *info)
{
	uint64_t span_ns = info->ended_ns > info->began_ns ? info->ended_ns - info->began_ns : 0;
	double seconds = (double)span_ns / 1e9;

	write_time(object, "end_time", info->ended_ns);
	write_number(object, "duration", H5T_NATIVE_DOUBLE, &seconds);
	write_text(object, "duration_units", "s");
}

/* An attribute holds 64 KiB at most; a dataset any text. */
static void write_config(hid_t group, const char *text)
{
	hid_t type, space, dataset;

	if (!*text)
		return;
	type = H5Tcopy(H5T_C_S1);
	space = H5Screate(H5S_SCALAR);
	H5Tset_size(type, strlen(text));
	H5Tset_strpad(type, H5T_STR_NULLPAD);
	H5Tset_cset(type, H5T_CSET_UTF8);
	dataset = H5Dcreate2(group, "config", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	if (dataset >= 0) {
		(void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
		H5Dclose(dataset);
	}
	H5Sclose(space);
	H5Tclose(type);
}

/* The group of that run; < 0: it is not there and can't be made. */
static hid_t open_group(hid_t file, const char *run, bool *ret_is_new)
{
	hid_t all = H5Lexists(file, GROUP_NAME, H5P_DEFAULT) > 0
			    ? H5Gopen2(file, GROUP_NAME, H5P_DEFAULT)
			    : H5Gcreate2(file, GROUP_NAME, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	hid_t group = -1;

	*ret_is_new = all >= 0 && H5Lexists(all, run, H5P_DEFAULT) == 0;
	if (all >= 0)
		group = *ret_is_new ? H5Gcreate2(all, run, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)
				    : H5Gopen2(all, run, H5P_DEFAULT);
	if (all >= 0)
		H5Gclose(all);
	return group;
}

bool run_notes_begin(struct run_notes *notes, struct enrg_store *store, hid_t file, const char *run)
{
	bool is_new = false;

	if (!strcmp(notes->run, run) || strchr(run, '/'))
		return false;
	snprintf(notes->run, sizeof(notes->run), "%s", run);
	notes->has_ended = false;
	const struct enrg_run_info *info = enrg_store_find_run(store, run);
	if (!info)
		return false;
	hid_t group = open_group(file, run, &is_new);
	if (group < 0)
		return false;
	if (is_new) {
		write_text(group, "NX_class", "NXentry");
		write_begin(group, info);
		write_config(group, info->config);
	}
	H5Gclose(group);
	if (H5Aexists(file, "run") == 0)
		write_begin(file, info);
	return is_new;
}

static bool is_root_of(hid_t file, const char *run)
{
	char text[sizeof(((struct run_notes *)0)->run)] = "";
	hid_t attribute = H5Aexists(file, "run") > 0 ? H5Aopen(file, "run", H5P_DEFAULT) : -1;
	hid_t type;

	if (attribute < 0)
		return false;
	type = H5Aget_type(attribute);
	if (H5Tget_size(type) < sizeof(text))
		(void)H5Aread(attribute, type, text);
	H5Tclose(type);
	H5Aclose(attribute);
	return !strcmp(text, run);
}

bool run_notes_end(struct run_notes *notes, struct enrg_store *store, hid_t file)
{
	const struct enrg_run_info *info = notes->has_ended ? NULL : enrg_store_find_run(store, notes->run);
	bool is_new;

	if (!info || !info->ended_ns)
		return false;
	notes->has_ended = true;
	hid_t group = open_group(file, notes->run, &is_new);
	if (group < 0)
		return false;
	write_end(group, info);
	H5Gclose(group);
	if (is_root_of(file, notes->run))
		write_end(file, info);
	return true;
}
