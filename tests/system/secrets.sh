#!/bin/bash
# A password is in nothing that leaves a process, also where a driver or a server repeats it: secrets.sh CASE. Needs
# ENRGDAQ_BIN, CC, INCLUDE.
. "$(dirname "$0")/harness.sh"
secret=tell-nobody-4711

# A driver that puts its password into its log, an alert, its tables' data never, and, after ten rows, into its failure.
make_driver() {
	cat >driver.c <<-END
		#include <errno.h>
		#include <stdlib.h>
		#include <enrgdaq/job.h>
		static const struct enrg_column columns[] = {{.name = "x", .type = ENRG_I64}};
		static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
		struct keys { const char *password; };
		struct driver { const struct keys *keys; struct enrg_output *output; int rows; };
		static const struct enrg_option keys[] = {{.key = "password", .kind = ENRG_OPTION_STRING, .required = true,
			.secret = true, .help = "Password."}, {.key = NULL}};
		static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
		{
			struct driver *driver = calloc(1, sizeof(*driver));
			driver->keys = options;
			*ret_state = driver;
			enrg_job_set_interval(job, 20000000);
			enrg_job_log(job, ENRG_INFO, "logs in as %s", driver->keys->password);
			enrg_job_alert(job, ENRG_WARNING, "the server greets %s", driver->keys->password);
			return enrg_output_open(job, "store_config", NULL, &schema, &driver->output, err);
		}
		static int poll_once(struct enrg_job *job, void *state, struct enrg_error *err)
		{
			struct driver *driver = state;
			const struct enrg_value value = {.i = driver->rows};
			(void)job;
			if (++driver->rows > 10)
				return enrg_error_set(err, -EACCES, "%s was refused", driver->keys->password);
			return enrg_output_append(driver->output, &value, err);
		}
		static const struct enrg_job_group groups[] = {{.key = "store_config", .help = "A store."}, {.key = NULL}};
		static const struct enrg_job_type driver = {.size = sizeof(struct enrg_job_type), .name = "DAQJobTalks", .summary = "Tells its password.",
			.options = {.size = sizeof(struct keys), .options = keys}, .groups = groups, .start = start,
			.poll = poll_once, .destroy = free};
		static const struct enrg_job_type *const jobs[] = {&driver, NULL};
		ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "talks", .jobs = jobs};
	END
	mkdir -p modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" driver.c -o modules/talks.so 2>cc.log || fail "the driver does not build"
	export ENRGDAQ_MODULE_PATH="$work/modules:${ENRGDAQ_MODULE_PATH:-}"
}

write_config() { # LINE of the source's password
	mkdir -p config
	printf 'restart_delay_seconds = 0.1\n[log]\nfile = "run.txt"\n[info]\nsupervisor_id = "secrets"\n' >config/supervisor.toml
	printf 'daq_job_type = "DAQJobStoreCSV"\n' >config/csv.toml
	printf 'daq_job_type = "DAQJobTalks"\n%s\n[store_config.csv]\nfile_path = "data.csv"\n' "$1" >config/source.toml
}

# No file but the configuration, no argument and no environment of a process has it.
check_outputs() {
	grep -rlaF "$secret" . --exclude-dir=config --exclude=password >found && fail "it is in $(cat found)"
	grep -rlaF "$secret" "$ENRGDAQ_RUNTIME_DIR" >found && fail "it is in the runtime folder: $(cat found)"
	for pid in $(jobs_here) "$run"; do
		[ -r "/proc/$pid/environ" ] && grep -qaF "$secret" "/proc/$pid/cmdline" "/proc/$pid/environ" 2>/dev/null && fail "an argument, or the environment, of $pid"
	done
	return 0
}

run_and_look() {
	"$bin" check config >check.log 2>&1 || fail "check: exit code $?"
	start run.log run config --log-format json
	await 30 grep -q "was refused" run.log || fail "the job did not fail"
	"$bin" status >status.log 2>&1
	"$bin" status --json >status-json.log 2>&1
	check_outputs
	kill -INT "$run"
	wait "$run"
	grep -qF 'logs in as ***' run.log || fail "the driver's own line"
	grep -qF 'greets ***' run.log || fail "the alert"
	grep -qF '*** was refused' run.log || fail "the failure"
	check_outputs
}

case_in_the_file() {
	make_driver
	write_config "password = \"$secret\""
	run_and_look
	for form in "" --schema --markdown --example; do "$bin" describe DAQJobTalks $form >>describe.log 2>&1 || fail "describe"; done
	"$bin" run-job config/source.toml --duration 0.1 >job.log 2>&1
	for line in "password = \"$secret\"x" "password = [\"$secret\"]" "password = \"$secret" "password = $secret" \
		"password_file = \"/none\"
password = \"$secret\""; do
		write_config "$line"
		"$bin" check config >>wrong.log 2>&1 && fail "taken: $line"
		timeout 20 "$bin" run config >>wrong.log 2>&1 && fail "run: $line"
	done
	check_outputs
}

case_in_a_file_of_its_own() {
	make_driver
	(umask 077 && printf '%s\n' "$secret" >password)
	write_config "password_file = \"$work/password\""
	run_and_look
	chmod 640 password
	"$bin" check config >wrong.log 2>&1 && fail "a file that others may read"
	grep -q "source.toml:2: password_file: .*has mode 0640.*chmod 600" wrong.log || fail "not told: $(cat wrong.log)"
}

run_case "$@"
