#!/bin/bash
# What was taken, over /api/v1, in a whole system: web_records.sh CASE. Needs ENRGDAQ_BIN, python3, enrgdaq-web.
. "$(dirname "$0")/harness.sh"

write_lab() {
	mkdir -p c/runs/types c/runs/templates c/runs/sequences
	port=$(free_port)
	printf '%s\n' 'ring_buffer_size_mb = 8' '[info]' 'supervisor_id = "lab"' '[runs]' 'control = true' '[cnc]' \
		'is_server = true' 'server_host = "127.0.0.1"' "server_port = $(free_port)" 'rest_api_enabled = true' \
		'rest_api_host = "127.0.0.1"' "rest_api_port = $port" '[web]' 'origins = ["https://plots.example.org"]' \
		'gets_per_second = 2000' 'posts_per_second = 1000' 'posts_burst = 1000' >c/supervisor.toml
	printf 'daq_job_type = "DAQJobStoreArrow"\nrotate_run = true\n' >c/store.toml
	printf '%s\n' 'daq_job_type = "DAQJobPCMetrics"' 'daq_job_unique_id = "pc"' 'poll_interval_seconds = 0.1' \
		'metrics_to_store = ["cpu"]' '[store_config.arrow]' 'file_path = "pc.arrows"' >c/pc.toml
	printf '%s\n' 'daq_job_type = "DAQJobHistory"' 'daq_job_unique_id = "hist"' 'min_free_gb = 0' >c/hist.toml
	printf '%s\n' 'daq_job_type = "DAQJobHistogram"' 'daq_job_unique_id = "live"' '[[histogram]]' 'name = "cpu"' \
		'job = "pc"' 'x = "cpu"' 'x_bins = 10' 'x_min = 0' 'x_max = 100' >c/live.toml
	cat >c/runs/templates/dice.toml <<-END
		[parameters.sides]
		type = "int"
		default = 6
		minimum = 2
		maximum = 100
		[parameters.is_loaded]
		type = "bool"
		default = false
		[[job]]
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = { parameter = "sides" }
		interval_seconds = 0.02
		[job.store_config.arrow]
		file_path = "dice.arrows"
	END
	printf '%s\n' 'templates = ["dice"]' >c/runs/types/dice.toml
	printf '%s\n' 'type = "dice"' 'stop_after_events = 10' '[[scan]]' 'parameter = "sides"' 'values = [4, 20]' \
		>c/runs/sequences/scan.toml
}

case_records() {
	command -v python3 >/dev/null && [ -x "$(dirname "$bin")/enrgdaq-runs" ] || exit 77
	write_lab
	"$bin" check c >check.log || fail "check: $(cat check.log)"
	start run.log run c
	python3 "$here/web_records.py" "$bin" "$port" "$ENRGDAQ_RUNTIME_DIR/lab" >client.log 2>&1 ||
		fail "records"
	kill -INT "$run"
	wait "$run" || fail "exit code"
}

run_case "$@"
