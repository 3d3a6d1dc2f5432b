#!/bin/bash
# DAQJobHealthcheck over jobs that fall silent, die and come back, killed meanwhile: health.sh CASE. Needs ENRGDAQ_BIN,
# CRIER.
. "$(dirname "$0")/../system/harness.sh"
. "$here/lab.sh"

write_health() {
	cat >c/health.toml <<-END
		daq_job_type = "DAQJobHealthcheck"
		enable_alerts_on_restart = true

		[[healthcheck_stats]]
		daq_job_type = "DAQJobTest"
		stats_key = "message_out_stats"
		alert_if_interval_is = "unsatisfied"
		interval = "2s"
		alert_info = { message = "the dice are silent", severity = "ERROR" }
		alive_alert_info = { message = "the dice roll again", severity = "info" }

		[[healthcheck_stats]]
		daq_job_type = "DAQJobCrier"
		stats_key = "restart_stats"
		alert_if_interval_is = "satisfied"
		interval = "1s"
		alert_info = { message = "the crier fell", severity = "warning" }

		[[healthcheck_stats]]
		daq_job_type = "DAQJobTest"
		stats_key = "message_out_stats"
		alert_if_interval_is = "satisfied"
		amount = 10
		alert_info = { message = "ten throws", severity = "info" }

		[[healthcheck_stats]]
		daq_job_type = "DAQJobCamera"
		stats_key = "message_out_stats"
		alert_if_interval_is = "unsatisfied"
		interval = "1s"
		alert_info = { message = "no picture", severity = "warning" }
	END
}

# How often the healthcheck said it.
said() { grep -c " health: $1" run.log; }

case_health_of_jobs() {
	local dice
	write_lab
	write_health
	start run.log run c
	await_jobs health
	await 20 grep -q 'WARN  health: no picture (there is no job of type DAQJobCamera: no batches sent in the last 1s)' run.log || fail "a type that is not there"
	await 20 grep -q 'INFO  health: ten throws (dice: not fewer than 10 batches sent in this run)' run.log || fail "an amount"

	kill_job crier
	await 20 grep -q 'ERROR health: crier was restarted' run.log || fail "a restart"
	await 20 grep -q 'WARN  health: the crier fell (crier: there were restarts in the last 1s)' run.log || fail "a rule of restarts"
	await 20 grep -q 'INFO  health: over after .* s: the crier fell (crier)' run.log || fail "its end"

	dice=$(pid_of dice)
	kill -STOP "$dice"
	await 20 grep -q 'ERROR health: the dice are silent (dice: no batches sent in the last 2s)' run.log || fail "silence"
	# killed, it says nothing twice, and sees what happened while it was not there
	kill -KILL "$(pid_of health)" "$(pid_of crier)"
	await 20 grep -q 'ERROR health: health was restarted' run.log || fail "its own restart"
	await 20 sh -c "[ \$(grep -c 'WARN  health: the crier fell' run.log) -eq 2 ]" || fail "a restart while it was not there"
	kill -CONT "$dice"
	await 20 grep -q 'INFO  health: the dice roll again (dice, after .* s)' run.log || fail "the end of the silence"
	await 20 sh -c "[ \$(grep -c 'over after .* the crier fell' run.log) -eq 2 ]" || fail "the second end"
	end_run
	for text in 'no picture' 'ten throws' 'the dice are silent' 'the dice roll again' 'crier was restarted' 'health was restarted'; do
		[ "$(said "$text")" -eq 1 ] || fail "$text: $(said "$text") times"
	done
	[ "$(grep -c 'may be a repetition' run.log)" -eq 0 ] || fail "it repeats what it had said"

	# as if it had been killed between its file and its word
	python3 - out/state/lab.health.health <<-'END' || fail "its state: $(cat out/state/lab.health.health)"
		import json, sys
		state = json.load(open(sys.argv[1]))
		entry = next(entry for entry in state["watches"].values() if entry["active"] and entry["job"] == "")
		entry.update(word="a word that got lost", severity=2)
		json.dump(state, open(sys.argv[1], "w"))
	END

	# the next run goes on with what is there, and says no false word
	start run.log run c
	await_jobs health
	await 20 grep -q 'ten throws' run.log || fail "the second run"
	end_run
	[ "$(said 'a word that got lost .this may be a repetition')" -eq 1 ] || fail "a word was lost"
	[ "$(said 'no picture')" -eq 0 ] || fail "said again by the next run"
	grep ' health: .*restart' run.log && fail "a restart that was none, or an end that is not there yet"
	return 0
}

case_health_keys_are_checked() {
	write_lab
	write_health
	cp c/health.toml good
	"$bin" check c >check.log 2>&1 || fail "the good one: $(cat check.log)"
	while IFS='|' read -r line wanted; do
		sed "0,/^${line%% *} =.*/s//$line/" good >c/health.toml
		"$bin" check c >check.log 2>&1 && fail "taken: $line"
		grep -q "health.toml:[0-9]*: $wanted" check.log || fail "not said: $wanted: $(cat check.log)"
	done <<-'END'
		interval = "2 weeks"|healthcheck_stats\[0\].interval: expected a time such as "30s"
		stats_key = "messages"|healthcheck_stats.*stats_key: expected one of "message_in_stats"
		alert_if_interval_is = "maybe"|healthcheck_stats.*alert_if_interval_is: expected one of
		alert_info = { severity = "error" }|healthcheck_stats.*alert_info.message: required key is missing
	END
	sed '0,/^interval/{/^interval/d}' good >c/health.toml
	"$bin" check c >check.log 2>&1 && fail "taken without a condition"
	grep -q "without them there is no condition" check.log || fail "not said: $(cat check.log)"
}

run_case "$@"
