#!/bin/bash
# Commands to a run: commands.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

write_config() {
	mkdir -p "$work/c"
	cat >"$work/c/supervisor.toml" <<-END
		ring_buffer_size_mb = 16
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "lab"
	END
	cat >"$work/c/dice.toml" <<-END
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.05
		[store_config.csv]
		file_path = "dice.csv"
	END
}

# The supervisor answers, names all that is wrong, and ends in order when it is asked to.
case_supervisor() {
	write_config
	"$bin" send supervisor ping >none.log 2>&1
	[ $? -eq 1 ] || fail "exit code without a run"
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	"$bin" send --json supervisor ping >ping.log || fail "ping"
	grep -q "\"pid\": $run" ping.log || fail "ping names another process"
	"$bin" send supervisor stop hury=true now=1 >wrong.log
	[ $? -eq 2 ] || fail "exit code for wrong fields"
	grep -q "wrong_fields: hury: unknown key; did you mean hurry?; now: unknown key" wrong.log ||
		fail "not all that is wrong is named"
	"$bin" send supervisor fly >kind.log
	[ $? -eq 1 ] || fail "exit code for no such command"
	kill -0 "$run" || fail "the supervisor is gone"
	"$bin" send --id lab supervisor stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
	grep -q "accounted" run.log || fail "no ledger"
	[ -e "$ENRGDAQ_RUNTIME_DIR/lab/control" ] && fail "the socket is left"
}

# A runtime folder that was taken away and made again takes commands again.
case_folder_removed() {
	write_config
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	rm -f "$ENRGDAQ_RUNTIME_DIR/lab/control"
	await 20 "$bin" send supervisor ping || fail "no answer any more"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# Another user sees nothing of the folder, and is told whose it is.
case_another_user() {
	[ "$(id -u)" -eq 0 ] || exit 77
	write_config
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	chmod 755 "$work" "$ENRGDAQ_RUNTIME_DIR"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" send --id lab supervisor stop >user.log 2>&1
	[ $? -eq 1 ] || fail "exit code for another user"
	grep -q "belongs to root" user.log || fail "it is not said why"
	kill -0 "$run" || fail "the supervisor is gone"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

run_case "$@"
