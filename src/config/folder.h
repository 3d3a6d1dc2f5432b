/* folder.h: a configuration folder, read and checked as a whole. */
#ifndef CONFIG_FOLDER_H
#define CONFIG_FOLDER_H

#include "config/options.h"
#include "config/run_hooks.h"
#include "config/sources.h"
#include "config/types.h"
#include "config/web_options.h"

struct job_input {
	const char *job, *group, *tag; /* group and tag NULL: all */
};

/* Of a job that reads others by their names. */
struct job_inputs {
	struct enrg_struct_list input; /* struct job_input */
};

struct job_common {
	const char *daq_job_type;
	int verbosity; /* enum enrg_level */
	bool has_verbosity;
	const char *daq_job_unique_id; /* NULL = none given */
	bool use_shm_when_possible;
	struct enrg_string_list topics_to_subscribe;
	int acquire; /* ours: 1 = in runs alone, where run control is on */
	bool has_acquire;
	bool restart_on_crash, has_restart_on_crash; /* ours */
	double silent_after_seconds; /* ours: without a batch for so long it may be silent; 0 = no alarm */
	bool has_silent_after;
	int64_t ring_buffer_size_mb; /* ours: of this job's ring; 0 = its share of the supervisor's budget */
	struct job_inputs inputs;
};

struct supervisor_options {
	int verbosity;
	struct {
		const char *supervisor_id;
		struct enrg_string_list supervisor_tags;
	} info;
	int64_t ring_buffer_size_mb, ring_buffer_slot_size_kb;
	double latency_target_ms; /* ours: of a batch from commit to stored, while stores keep up */
	int64_t window_kb;        /* ours: in flight of all producers together; 0 = found by measuring */
	struct cnc_options cnc;
	struct web_options web; /* ours */
	bool has_cnc, has_web;  /* the table stands there */
	struct {
		bool is_server;
		const char *server_xpub_url, *server_xsub_url, *remote_server_xpub_url, *remote_server_xsub_url;
	} federation;
	double restart_delay_seconds;     /* ours: first delay, 1.0 */
	double restart_delay_max_seconds; /* ours: 60.0 */
	double stop_timeout_seconds;      /* ours: an ordered stop that takes longer becomes a fast one; 0 = never */
	struct {
		const char *file; /* ours: the log goes there as well */
		double rotate_mb;
		int64_t keep;
	} log;
	struct {
		bool control;                     /* ours: runs begin and end while jobs live */
		double deadline_seconds;          /* ours: of a source that begins or ends one */
		struct enrg_string_list taint_by; /* ours: kinds of alarms */
		const char *database;             /* ours: NULL = beside the data; "" = none */
		const char *license, *publisher;  /* ours: of exported runs; NULL = not said */
		struct enrg_struct_list author;   /* ours: struct run_author_options */
		struct enrg_struct_list hook;     /* ours: struct run_hook_options */
	} runs;
	struct {
		bool enabled; /* ours */
		double silent_after_seconds, lag_after_seconds;
	} alarms;
	double watchdog_seconds; /* ours: a job that gives no sign of life this long is killed; 60.0 */
};

extern const struct enrg_table job_common_table, job_inputs_table, supervisor_table;

struct job_store_section {
	const char *group;    /* "store_config" */
	uint32_t group_index; /* in the job type's groups */
	const struct type_entry *store_type;
	const struct toml_node *node; /* of the section */
	const void *options;          /* filled from it; NULL where it has problems */
	bool target_local_supervisor;
};

struct job_config {
	char *name;      /* unique id where given, else the file's path in the folder without .toml */
	char *file;      /* path as for messages */
	char *toml_text; /* the whole file */
	struct toml_node *root;
	const struct type_entry *type;
	struct job_common common;
	const void *options; /* of its type; NULL where they have problems */
	bool is_default;     /* a store that no file configures, started with its defaults */
	size_t section_count;
	struct job_store_section *sections; /* of jobs that produce */
};

struct run_plans;

struct folder {
	char *path;
	struct sources sources; /* the texts that it was made of */
	struct supervisor_options supervisor;
	size_t job_count;
	struct job_config *jobs;
	struct run_plans *plans; /* of runs/; NULL where memory ran out */
	struct options_memory *memory;
};

/* Reads every *.toml recursively (sorted; hidden files and folders are left out; what run_plans.h reads is no job),
 * fills and checks everything: types,
 * keys, sections, duplicate ids, stores that have no job (added with defaults where the type allows that;
 * else a problem that names the missing file and keys). 0 even with problems: see problems->errors; negative only
 * when the folder itself can't be read. No job at all is a warning, and an error where there is no supervisor.toml
 * either. */
int folder_load(const char *path, const struct types *types, struct folder **ret_folder, struct problems *problems,
	struct enrg_error *err);
/* The same with another file as supervisor.toml; NULL: the one of the folder. */
int folder_load_with(const char *path, const char *supervisor_file, const struct types *types,
	struct folder **ret_folder, struct problems *problems, struct enrg_error *err);
/* The same from TOML texts in memory (embedded default, benchmark): names[i] stands for the file. */
struct folder_texts {
	size_t count;
	const char *const *names, *const *texts;
};
int folder_load_texts(const struct folder_texts *texts, const struct types *types, struct folder **ret_folder,
	struct problems *problems, struct enrg_error *err);
/* The same from what another folder was made of, changed; `sources` is taken, whatever comes of it. */
int folder_load_sources(const char *path, struct sources *sources, const struct types *types,
	struct folder **ret_folder, struct problems *problems, struct enrg_error *err);
void folder_free(struct folder *folder);

/* In a job process: options of one job and, for stores, of a section; memory lives as long as the process. */
struct folder_file {
	const char *name, *text;
};
int folder_fill_job(const struct type_entry *type, const struct folder_file *file, struct job_common *ret_common,
	void **ret_options, struct options_memory *memory, struct problems *problems);
int folder_fill_section(const struct enrg_store_type *store, const struct folder_file *file, const char *group,
	void **ret_section, struct options_memory *memory, struct problems *problems);

#endif
