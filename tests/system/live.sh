#!/bin/bash
# The WebSocket of events and scope frames (docs/live-protocol.md): live.sh CASE. Needs ENRGDAQ_BIN and enrgdaq-web beside
# it, Debian's python3-websockets.
. "$(dirname "$0")/harness.sh"

python=/usr/bin/python3
[ -x "$python" ] || python=python3

begin() {
	"$python" -c 'import websockets' 2>/dev/null || exit 77
	export WEB FOLDER=$work/web RUN
	WEB=$(dirname "$bin")/enrgdaq-web
	[ -x "$WEB" ] || exit 77
	mkdir -p c
	printf 'restart_delay_seconds = 0.01\n[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
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
	await 20 "$bin" status --json || fail "it does not run"
	mkdir -m 700 web
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
	ask frames rows credits kill hostile revoked
	end
}

run_case "$@"
