#!/bin/bash
# Alarms of a running system: alarms.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

write_config() { # RING_MB
	mkdir -p config
	printf '%s\n' "ring_buffer_size_mb = $1" 'ring_buffer_slot_size_kb = 64' 'restart_delay_seconds = 0.1' '[info]' \
		'supervisor_id = "alarms"' '[alarms]' 'silent_after_seconds = 1.5' 'lag_after_seconds = 1.0' >config/supervisor.toml
	printf '%s\n' 'daq_job_type = "DAQJobBenchmark"' 'daq_job_unique_id = "camera"' 'payload_size = 100' 'rate_hz = 100' \
		'[store_config.csv]' 'file_path = "camera.csv"' >config/camera.toml
	printf '%s\n' 'daq_job_type = "DAQJobHandleAlerts"' 'daq_job_unique_id = "alerts"' '[store_config.arrow]' \
		'file_path = "alerts.arrows"' >config/alerts.toml
	printf '%s\n' 'daq_job_type = "DAQJobStoreCSV"' 'daq_job_unique_id = "csv"' >config/csv.toml
	printf '%s\n' 'daq_job_type = "DAQJobStoreArrow"' 'daq_job_unique_id = "arrow"' >config/arrow.toml
}

has_alarm() { "$bin" alarms >alarms.log 2>&1 && grep -q "$1" alarms.log; }
has_no_alarm() { "$bin" alarms >alarms.log 2>&1 && grep -q "^no alarm is on" alarms.log; }
alerts_of() { "$bin" cat out/alerts.arrows 2>/dev/null | grep -c "$1"; }
has_rows() { [ "$(wc -l <out/camera.csv)" -gt "$1" ]; }

# A source that hangs: told once, with cause and remedy; acknowledged; the next supervisor knows of it and tells its end.
case_silent() {
	write_config 16
	printf '[runs]\ntaint_by = ["lag", "silent"]\n' >>config/supervisor.toml
	start run.log run config
	await 20 has_rows 25000 || fail "no rows" # some seconds, in which it is learned how often it sends
	await 5 has_no_alarm || fail "an alarm: $(cat alarms.log)"
	local camera
	camera=$(pid_of camera)
	kill -STOP "$camera"
	await 20 has_alarm "^silent/camera: on since 20" || fail "no alarm: $(cat alarms.log)"
	grep -q "camera has sent nothing for .*enrgdaq job restart camera" alarms.log || fail "no cause and remedy: $(cat alarms.log)"
	"$bin" status >status.log && grep -q "^ALARM silent/camera since 20" status.log || fail "not in status"
	"$bin" alarms ack silent/camra >ack.txt 2>&1 && fail "an alarm that is none was acknowledged"
	grep -q "did you mean silent/camera?" ack.txt || fail "$(cat ack.txt)"
	"$bin" alarms ack silent/camera >ack.txt 2>&1 || fail "$(cat ack.txt)"
	has_alarm "^silent/camera: on since 20.*, acknowledged" || fail "$(cat alarms.log)"
	"$bin" alarms mute lag/csv --hours 2 --reason "the disk moves" >mute.txt 2>&1 || fail "$(cat mute.txt)"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	kill -KILL "$camera"
	local rows
	rows=$(wc -l <out/camera.csv)
	start again.log run config
	await 20 has_rows $((rows + 100)) || fail "it does not go on"
	await 20 grep -q "silent/camera is over, after " again.log || fail "its end is not told"
	await 20 has_no_alarm || fail "it is on: $(cat alarms.log)"
	grep -A 1 "^lag/csv: not on" alarms.log | grep -q "muted until 20.*: the disk moves" || fail "the mute is forgotten: $(cat alarms.log)"
	grep -q "camera has sent nothing" again.log && fail "it was told twice"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	[ "$(alerts_of 'camera has sent nothing')" = 1 ] || fail "$(alerts_of 'camera has sent nothing') rows of its begin"
	[ "$(alerts_of 'silent/camera is over')" = 1 ] || fail "$(alerts_of 'silent/camera is over') rows of its end"
	await 10 grep -q '"tainted"' out/run_000001*.json || fail "the run is not tainted: $(ls out)"
}

# Who is stopped, or takes no data between runs, is not silent.
case_not_due() {
	write_config 16
	printf '[runs]\ncontrol = true\n' >>config/supervisor.toml
	sed -i 's/^daq_job_unique_id.*/&\nacquire = "in_runs"/' config/camera.toml
	sed 's/camera/other/' config/camera.toml | sed '/^acquire/d' >config/other.toml
	start run.log run config
	await 20 "$bin" send supervisor run_start || fail "no run begins"
	await 20 has_rows 25000 || fail "no rows"
	"$bin" send supervisor run_stop >stop.txt || fail "$(cat stop.txt)"
	"$bin" job stop other >stop.txt 2>&1 || fail "$(cat stop.txt)"
	sleep 4
	has_no_alarm || fail "an alarm: $(cat alarms.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	# where nothing is judged, what an earlier supervisor left is not on either
	sed -i 's/^\[alarms\]/&\nenabled = false/' config/supervisor.toml
	echo '[{"key": "silent/other", "job": "other", "message": "other has sent nothing", "on": true, "told": 1}]' \
		>"$ENRGDAQ_RUNTIME_DIR/alarms/alarms.json"
	start off.log run config
	await 10 has_no_alarm || fail "$(cat alarms.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
}

# A store for which half a ring waits; muted meanwhile it is not told, and what waits is stored in the end.
case_lag() {
	write_config 1
	start run.log run config
	await 20 has_rows 300 || fail "no rows"
	kill -STOP "$(pid_of csv)"
	await 30 has_alarm "^lag/csv: on since 20" || fail "no alarm: $(cat alarms.log)"
	grep -q "of camera wait for it, [5-9][0-9] %\|of camera wait for it, 100 %" alarms.log || fail "$(cat alarms.log)"
	has_alarm "silent/camera" && fail "who is held back is not silent: $(cat alarms.log)"
	kill -CONT "$(pid_of csv)"
	await 20 has_no_alarm || fail "it is on: $(cat alarms.log)"
	await 5 grep -q "lag/csv is over, after " run.log || fail "its end is not told"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
}

# A disk that is full, and has room again; beside it a store that dies of one batch again and again, which is set aside:
# the ledger does not close.
case_disk_and_ledger() {
	write_config 16
	mkdir disk
	mount -t tmpfs -o size=4m tmpfs "$work/disk" 2>/dev/null || { echo "no mount here"; exit 77; }
	printf '%s\n' 'daq_job_type = "DAQJobTest"' 'daq_job_unique_id = "dice"' 'rand_min = 1' 'rand_max = 6' 'interval_seconds = 0.2' \
		'[store_config.csv]' 'file_path = "dice.csv"' '[store_config.faulty]' 'file_path = "batches.txt"' >config/dice.toml
	printf '%s\n' 'daq_job_type = "DAQJobStoreCSV"' 'daq_job_unique_id = "csv"' "out_dir = \"$work/disk\"" >config/csv.toml
	printf '%s\n' 'daq_job_type = "DAQJobStoreFaulty"' 'daq_job_unique_id = "drill"' 'crash_at = 1' >config/drill.toml
	rm config/camera.toml
	start run.log run config
	has_rows_there() { [ "$(wc -l <disk/dice.csv)" -gt 3 ]; }
	await 20 has_rows_there || fail "no rows"
	has_no_alarm || fail "an alarm: $(cat alarms.log)"
	head -c 8000000 /dev/zero >disk/filler 2>/dev/null
	await 20 has_alarm "^disk/$work/disk: on since 20" || fail "no alarm of a full disk: $(cat alarms.log)"
	grep -q "the disk of $work/disk is full: stores there wait" alarms.log || fail "no cause and remedy: $(cat alarms.log)"
	rm disk/filler
	await 20 grep -q "disk/$work/disk is over, after " run.log || fail "its end is not told"
	await 60 has_alarm "^ledger: on since 20" || fail "no alarm of the ledger: $(cat alarms.log)"
	grep -q "the ledger does not close: dice to drill: 0 batches are missing, [1-9][0-9]* set aside; that data is not in the files" alarms.log ||
		fail "no cause and remedy: $(cat alarms.log)"
	[ "$(grep -c "ERROR supervisor: the disk of $work/disk is full" run.log)" = 1 ] || fail "the full disk is not said once"
	kill -INT "$run"
	sleep 0.7 # two that come within half a second are one
	kill -INT "$run"
	wait "$run" && fail "the run ends well without all of its data"
	return 0
}

run_case "$@"
