#!/bin/bash
# DAQJobHeartbeat while all is well and while it is not, killed meanwhile: heartbeat.sh CASE. Needs ENRGDAQ_BIN, CRIER.
. "$(dirname "$0")/../system/harness.sh"
. "$here/lab.sh"

beats() { wc -l <receiver/requests; }
await_beats() { await 20 sh -c "[ \$(wc -l <receiver/requests) -gt $(($(beats) + $1)) ]"; }

# No beat for longer than five are apart.
is_quiet() {
	local before
	before=$(beats)
	sleep 0.6
	[ "$(beats)" -eq "$before" ]
}

case_heartbeat_while_all_is_well() {
	write_lab
	start_receiver receiver
	sed -i 's/^interval_seconds.*/&\nsilent_after_seconds = 0.5/' c/dice.toml
	cat >c/heartbeat.toml <<-END
		daq_job_type = "DAQJobHeartbeat"
		heartbeat_url = "http://127.0.0.1:$port/ping/tell-nobody-4711"
		allow_private = ["127.0.0.1"]
		interval_seconds = 0.1
		timeout_seconds = 0.3
	END
	start run.log run c
	await_jobs heartbeat
	await_beats 3 || fail "no beats"
	grep -q '"GET /ping/tell-nobody-4711 HTTP/1.1"' receiver/requests || fail "the request"
	cry "only a warning"
	await_beats 5 || fail "a warning stops it"
	cry "the roof leaks" severity=error
	await 20 grep -q "WARN  heartbeat: no heartbeat goes out, since not all is well: crier: the roof leaks" run.log || fail "it does not say so"
	await 20 is_quiet || fail "it beats on"
	kill_job heartbeat
	"$bin" send heartbeat state >state.log
	grep -q 'is_well": false' state.log && is_quiet || fail "a kill made it forget: $(cat state.log)"
	"$bin" send heartbeat acknowledge >ack.log || fail "acknowledge"
	await_beats 3 || fail "it does not go on: $(cat ack.log)"
	kill_job heartbeat
	await_beats 3 || fail "a kill made it forget who had looked"

	# an error that was raised while it was not there
	kill -STOP "$(pid_of heartbeat)"
	cry "the cellar is wet" severity=error
	kill -KILL "$(pid_of heartbeat)"
	await 20 grep -q "not all is well: crier: the cellar is wet" run.log || fail "an error was missed"
	"$bin" send heartbeat acknowledge >ack.log || fail "acknowledge"
	await_beats 1 || fail "it does not go on"

	# an alarm of the supervisor is acknowledged there
	kill -STOP "$(pid_of dice)"
	await 20 grep -q "not all is well: alarm silent/dice: dice has sent nothing" run.log || fail "an alarm of the supervisor"
	"$bin" alarms ack silent/dice >/dev/null || fail "alarms ack"
	await_beats 1 || fail "it does not go on"
	kill -CONT "$(pid_of dice)"

	for mode in redirect hang 500; do
		set_mode receiver $mode
		await_beats 1 || fail "$mode: it is not tried again"
	done
	grep -q "/elsewhere" receiver/requests && fail "a redirect was followed"
	set_mode receiver ok
	await 20 grep -q "the heartbeat arrives again" run.log || fail "it does not say that it arrives"
	end_run
	grep -rq "tell-nobody" run.log out && fail "the secret"
	return 0
}

run_case "$@"
