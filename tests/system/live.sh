#!/bin/bash
# The WebSocket of events and scope frames (docs/live-protocol.md): live.sh CASE. Needs ENRGDAQ_BIN and enrgdaq-web beside
# it, Debian's python3-websockets.
. "$(dirname "$0")/harness.sh"

python=/usr/bin/python3
[ -x "$python" ] || python=python3

begin() {
	"$python" -c 'import websockets' 2>/dev/null || exit 77
	export PORT RUN FOLDER=$work/web
	PORT=$(free_port)
	mkdir -p c
	cat >c/supervisor.toml <<-END
		restart_delay_seconds = 0.01
		[info]
		supervisor_id = "lab"
		[cnc]
		is_server = true
		server_host = "127.0.0.1"
		server_port = $(free_port)
		rest_api_enabled = true
		rest_api_host = "127.0.0.1"
		rest_api_port = $PORT
		[web]
		folder = "$FOLDER"
		scope_frames_per_second = 200
		scope_megabytes_per_second = 100.0
	END
	cat >c/tank.toml <<-END
		daq_job_type = "DAQJobSimulatedDigitizer"
		record_samples = 4096
		trigger_rate_hz = 200
		[waveform_store_config.memory]
		[stats_store_config.memory]
	END
	cat >c/rows.toml <<-END
		daq_job_type = "DAQJobSimulatedDigitizer"
		layout = "samples"
		channels = 4
		record_samples = 300
		[waveform_store_config.memory]
	END
	start run.log run c
	RUN=$run
	await 60 grep -q "listens at http://127.0.0.1:$PORT" run.log || fail "it does not listen"
}

end() {
	kill -INT "$run"
	wait "$run" || fail "the run"
	[ "$(grep -c ': accounted' run.log)" = 2 ] || fail "the ledger"
}

ask() { "$python" "$here/live.py" "$@" >client.log 2>&1 || fail "$*"; cat client.log; }

# All in one system, which takes a second to begin and to end.
case_whole() {
	begin
	ask frames rows credits kill hostile revoked killed_server
	end
}

run_case "$@"
