#!/bin/bash
# What an author of a driver does with a job: developing.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE. 77: the case needs
# something that is missing here.
. "$(dirname "$0")/harness.sh"

# write_config TYPE KEYS: a job of that type and a CSV store
write_config() {
	mkdir -p config
	printf 'restart_delay_seconds = 0.1\n[info]\nsupervisor_id = "developing"\n' >config/supervisor.toml
	printf 'daq_job_type = "DAQJobStoreCSV"\n' >config/csv.toml
	printf 'daq_job_type = "%s"\n%b[store_config.csv]\nfile_path = "data.csv"\n' "$1" "${2:-}" >config/source.toml
}

# valgrind knows some system calls not, and starts a program by its file's name.
case_under_valgrind() {
	command -v valgrind >/dev/null && ! is_sanitized || exit 77
	write_config DAQJobTest 'rand_min = 1\nrand_max = 6\ninterval_seconds = 0.1\n'
	timeout 200 valgrind -q --trace-children=yes --error-exitcode=9 --log-file=vg.%p.log "$bin" run config --duration 1 \
		>run.log 2>&1 || fail "exit code $?"
	[ "$(wc -l <out/data.csv)" -gt 1 ] || fail "no row is in the file"
	grep -q "accounted" run.log || fail "the ledger does not say it"
}

# One source in the foreground: counts, Ctrl-C, a store is refused, nothing stays behind.
case_run_job() {
	write_config DAQJobTest 'rand_min = 1\nrand_max = 6\ninterval_seconds = 0.01\n'
	"$bin" run-job config/source.toml --duration 1.2 >job.log 2>&1 || fail "exit code $?"
	grep -Eq "^[1-9][0-9]* batches/s, [1-9][0-9]* rows/s" job.log || fail "no line a second"
	grep -Eq "^in all: [1-9][0-9]* batches" job.log || fail "no sum"
	[ -e out ] && fail "something was stored"
	start signalled.log run-job config/source.toml
	await 20 grep -q "rows/s" signalled.log || fail "no line a second"
	kill -TERM "$run"
	wait "$run" || fail "a signal: exit code $?"
	grep -q "^in all" signalled.log || fail "not ended in order"
	"$bin" run-job config/csv.toml >job.log 2>&1
	[ $? -eq 2 ] && grep -q "only a source runs alone" job.log || fail "a store"
	timeout 20 "$bin" run-job config >job.log 2>&1
	[ $? -eq 2 ] && grep -q "name the TOML file of one job" job.log || fail "a folder"
	mv config/supervisor.toml kept
	timeout 20 "$bin" run-job config/source.toml --duration 0.5 >job.log 2>&1 || fail "without supervisor.toml: exit code $?"
	mv kept config/supervisor.toml
	set -- "$ENRGDAQ_RUNTIME_DIR"-job.*
	[ -e "$1" ] && fail "$1 is left"
	is_sanitized && return
	make_driver
	write_config DAQJobBroken
	"$bin" run-job config/source.toml >job.log 2>&1
	[ $? -eq 139 ] && grep -q "#0 read_broken_register" job.log || fail "a crash"
	set -- "$ENRGDAQ_RUNTIME_DIR"-job.*
	[ -e "$1" ] && fail "$1 is left"
}

# A driver whose static function writes to address 16, or aborts.
make_driver() {
	cat >driver.c <<-END
		#include <stdlib.h>
		#include <enrgdaq/job.h>
		static const struct enrg_column columns[] = {{.name = "x", .type = ENRG_I64}};
		static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
		struct keys { int64_t aborts; };
		struct driver { const struct keys *keys; struct enrg_output *output; };
		static const struct enrg_option keys[] = {{.key = "aborts", .kind = ENRG_OPTION_INT, .default_value = "0",
			.max = 1, .offset = offsetof(struct keys, aborts), .help = "Ends by abort."}, {.key = NULL}};
		static __attribute__((noinline)) void read_broken_register(const struct driver *driver)
		{
			if (driver->keys->aborts)
				abort();
			*(volatile int *)16 = 1;
		}
		static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
		{
			struct driver *driver = calloc(1, sizeof(*driver));
			driver->keys = options;
			*ret_state = driver;
			return enrg_output_open(job, "store_config", NULL, &schema, &driver->output, err);
		}
		static int poll_once(struct enrg_job *job, void *state, struct enrg_error *err)
		{
			(void)job, (void)err;
			read_broken_register(state);
			return ENRG_POLL_IDLE;
		}
		static const struct enrg_job_group groups[] = {{.key = "store_config", .help = "A store."}, {.key = NULL}};
		static const struct enrg_job_type driver = {.size = sizeof(struct enrg_job_type), .name = "DAQJobBroken", .summary = "Crashes.",
			.options = {.size = sizeof(struct keys), .options = keys}, .groups = groups,
			.start = start, .poll = poll_once, .destroy = free};
		static const struct enrg_job_type *const jobs[] = {&driver, NULL};
		static const struct enrg_store_type *const stores[] = {NULL};
		ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "broken", .jobs = jobs, .stores = stores};
	END
	mkdir -p modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" driver.c -o modules/broken.so 2>cc.log || fail "the driver does not build"
	export ENRGDAQ_MODULE_PATH="$work/modules:${ENRGDAQ_MODULE_PATH:-}"
}

# The log names the function, also a static one, in text and JSON, on standard error and in the file; the signal that ends
# the job stays what it is.
case_crash_is_named() {
	is_sanitized && exit 77
	make_driver
	write_config DAQJobBroken
	sed -i '1i [log]\nfile = "run.txt"' config/supervisor.toml
	sed -i '/^restart/d; 1i restart_delay_seconds = 0.1' config/supervisor.toml
	"$bin" run config --duration 1 >run.log 2>&1
	grep -q "source: crashed: Segmentation fault at address 0x10" run.log || fail "the crash is not told"
	grep -Eq "source:   #0 read_broken_register\+0x[0-9a-f]+ \($work/modules/broken.so\+0x" run.log || fail "no function"
	grep -Eq "source:   #1 poll_once\+0x" run.log || fail "no caller"
	grep -q "source ended: signal 11" run.log || fail "the signal is another one"
	for file in run.txt out/run.txt; do [ -f "$file" ] && break; done
	grep -q "#0 read_broken_register" "$file" || fail "not in the file: $(ls -R)"
	write_config DAQJobBroken 'aborts = 1\n'
	"$bin" run config --duration 1 --log-format json >json.log 2>&1
	grep -q "ended: signal 6" json.log || fail "abort: the signal is another one"
	grep -q "crashed: Aborted, sent by process" json.log || fail "abort is not told"
	grep "\"job\": \"source\"" json.log >lines.json
	python3 -c 'import json
for line in open("lines.json"): json.loads(line)' 2>python.log || fail "a line is no JSON"
}

run_case "$@"
