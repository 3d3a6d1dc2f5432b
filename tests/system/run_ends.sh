#!/bin/bash
# Runs that end by themselves, what is said of them, and what the book knows of it: run_ends.sh CASE.
. "$(dirname "$0")/harness.sh"
book=$(dirname "$bin")/enrgdaq-runs

write_config() { # CONTROL
	mkdir -p config
	cat >config/supervisor.toml <<-END
		ring_buffer_size_mb = 8
		ring_buffer_slot_size_kb = 256
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "ends"
		[runs]
		control = $1
		deadline_seconds = 20.0
	END
	cat >config/beam.toml <<-END
		daq_job_type = "DAQJobBenchmark"
		payload_size = 100
		rate_hz = 200
		[store_config.csv]
		file_path = "beam.csv"
	END
	printf 'daq_job_type = "DAQJobStoreCSV"\nout_dir = "out"\nrotate_run = true\n' >config/csv.toml
}

send() { "$bin" send --timeout 40 supervisor "$@" >"$work/send.log" 2>&1; }
refused() { # TEXT COMMAND…: it is refused with that text
	local text=$1
	shift
	send "$@" && fail "$* was done: $(cat send.log)"
	grep -q -- "$text" send.log || fail "$*: $(cat send.log)"
}
is_state() { send run_state && grep -q "\"state\": \"$1\"" send.log; }
is_number() { send run_state && grep -q "\"last_number\": $1[,}]" send.log; }
is_closed() { is_state idle && grep -q '"closing": ""' send.log; }
begin() { # starts the supervisor
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no supervisor"
}
end() {
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
}
# entered: the book has entered all that was put
entered() { ! compgen -G "$ENRGDAQ_RUNTIME_DIR/ends/book/0*" >/dev/null; }
list() { "$book" list --json --database out/runs_ends.sqlite; }
# of NUMBER KEY: what the book says of that run
of() { list | python3 -c "import json, sys; print([r for r in json.load(sys.stdin) if r['number'] == $1][0]['$2'])"; }

# By time, then others follow by themselves; by rows, by bytes; by a condition; whoever watches.
case_ends() {
	write_config true
	begin
	send run_start stop_after_seconds=0.3 repeat=2 type=short description="a pulse" || fail "start: $(cat send.log)"
	await 20 is_number 3 || fail "no run follows: $(cat send.log)"
	await 20 is_closed || fail "the last does not end: $(cat send.log)"
	sleep 0.1 && is_number 3 || fail "one too many follows: $(cat send.log)"
	send run_start id=rows stop_after_events=100 count_source=beam || fail "start: $(cat send.log)"
	await 20 is_closed || fail "it does not end by rows: $(cat send.log)"
	send run_start id=bytes stop_after_bytes=10000 || fail "start: $(cat send.log)"
	await 20 is_closed || fail "it does not end by bytes: $(cat send.log)"
	send run_start id=when 'stop_when=["ledger open", "csv.in_rows > 1 for 1"]' || fail "start: $(cat send.log)"
	shows_ends() { "$bin" status | grep -q "^run 6 (when) is on since .*; ends when ledger open; ends when csv.in_rows > 1 for 1$"; }
	await 3 shows_ends || fail "status: $("$bin" status)"
	"$bin" runs state | grep -q "^run 6 (when) is on since .*; ends when csv.in_rows > 1 for 1$" || fail "$("$bin" runs state)"
	await 20 is_closed || fail "it does not end by its condition: $(cat send.log)"
	[ "$(($(wc -l <out/beam_rows.csv) - 1))" -ge 100 ] || fail "too few rows"
	end
	for i in 1 2 3 4 5 6; do [ "$(of $i quality)" = complete ] || fail "run $i: $(list)"; done
	[ "$(of 2 description)" = "a pulse" ] || fail "what follows is no repetition: $(list)"
	grep -q "run 3 .* has ended: 0.3 s are over" run.log || fail "it does not say why"
	grep -q "run 6 (when) has ended: csv.in_rows > 1 for 1" run.log || fail "it does not say why"
}

# What can't be is refused as a whole, and takes no number; what is expected and is not so does nothing.
case_refused() {
	write_config true
	begin
	refused "there is no job \"cvs\"; did you mean csv?" run_start 'stop_when=["cvs.in_rows > 1", "beam.rows > 1"]'
	grep -q 'there is no statistic \\"rows\\"\|there is no statistic "rows"' send.log || fail "only the first is said: $(cat send.log)"
	refused "count_source: there is no job" run_start count_source=beams stop_after_events=3
	refused "has no end of its own" run_start repeat=3
	refused "the state is idle, and running was expected" run_stop expect=running
	refused "the state is idle, and configured was expected" run_start expect=configured
	send run_stop || fail "none is on, which is what was wanted: $(cat send.log)"
	send run_start expect=idle id=one || fail "start: $(cat send.log)"
	refused "run 1 (one) is running" run_start
	refused "the state is running, and idle was expected" run_start expect=idle
	refused "run 1 is on, and run 7 was expected" run_stop expect_number=7
	send run_start id=one || fail "the same once more: $(cat send.log)"
	send run_stop expect=running expect_number=1 || fail "stop: $(cat send.log)"
	await 20 is_closed || fail "it does not close"
	refused "number 1 was given already: the last one is 1" run_start number=1
	send run_start number=40 stop_after_bytes=9000000000000000000 || fail "start: $(cat send.log)"
	grep -q "warning: about 9.* are expected and .* are free" send.log || fail "no warning: $(cat send.log)"
	end
	[ "$(of 40 quality)" = complete ] || fail "run 40: $(list)"
	[ "$(list | grep -o '"number"' | wc -l)" = 2 ] || fail "numbers were taken: $(list)"
}

# Configured first, then started; or never: its number stays used. A part that is killed, and words of operators.
case_configured() {
	write_config true
	begin
	send run_configure id=one || fail "configure: $(cat send.log)"
	send run_configure id=one || fail "the same once more: $(cat send.log)"
	is_state configured || fail "state: $(cat send.log)"
	[ -e out/beam_one.csv ] && fail "it has begun"
	refused "run 1 (one) is configured" run_start id=two
	send run_start || fail "start: $(cat send.log)"
	is_state running || fail "state: $(cat send.log)"
	kill -KILL "$(pid_of csv)"
	is_degraded() { send run_state && grep -q '"degraded"' send.log; }
	await 20 is_degraded || fail "a store was killed: $(cat send.log)"
	shows_degraded() { "$bin" status | grep -q "^run 1 (one) is on.*; degraded"; }
	await 5 shows_degraded || fail "status: $("$bin" status)"
	send run_flag reason="a lamp was on" who=ada || fail "flag: $(cat send.log)"
	send run_flag flag=lost && fail "a flag that is none"
	send run_note text="a lamp was on" who=ada || fail "note: $(cat send.log)"
	send run_stop reason="enough" || fail "stop: $(cat send.log)"
	await 20 is_closed || fail "it does not close: $(cat send.log)"
	refused "no run is on; uuid names one" run_note text="too late"
	send run_configure id=two || fail "configure: $(cat send.log)"
	send run_stop || fail "stop: $(cat send.log)"
	is_state idle || fail "state: $(cat send.log)"
	end
	[ "$(of 1 quality) $(of 1 flags)" = "complete ['degraded', 'tainted']" ] || fail "run 1: $(list)"
	[ "$(of 2 quality)" = aborted ] || fail "run 2: $(list)"
	"$book" show --database out/runs_ends.sqlite 1 >show.log || fail "no run 1"
	grep -q "note .* ada: a lamp was on" show.log || fail "no note"
	grep -q "why .*enough" show.log || fail "no reason"
}

# A job that is started for a run begins one where none is on, which ends with it.
case_custom() {
	write_config true
	printf '%s\n' 'daq_job_type = "DAQJobTest"' 'daq_job_unique_id = "probe"' 'rand_min = 1' 'rand_max = 6' \
		'interval_seconds = 0.05' '[store_config.csv]' 'file_path = "probe.csv"' >probe.toml
	sed 's/probe/second/' probe.toml >second.toml
	begin
	send job.add file="$work/probe.toml" in_run=true || fail "add: $(cat send.log)"
	await 20 is_state running || fail "no run: $(cat send.log)"
	grep -q '"type": "custom"' send.log || fail "its type: $(cat send.log)"
	send job.add file="$work/second.toml" in_run=true || fail "add: $(cat send.log)"
	has_rows() { compgen -G "out/second_*.csv" >/dev/null && [ "$(cat out/second_*.csv | wc -l)" -gt 3 ]; }
	await 20 has_rows || fail "no rows of the second"
	send job.remove name=probe || fail "remove: $(cat send.log)"
	is_state running || fail "it has ended with the first: $(cat send.log)"
	send job.remove name=second || fail "remove: $(cat send.log)"
	await 20 is_closed || fail "it does not end with the last: $(cat send.log)"
	# into one that is on: that does not end with it
	send run_start id=on || fail "start: $(cat send.log)"
	send job.add file="$work/probe.toml" in_run=true || fail "add: $(cat send.log)"
	send job.remove name=probe || fail "remove: $(cat send.log)"
	sleep 1.2 && is_state running || fail "it has ended with the job: $(cat send.log)"
	end
	[ "$(of 1 type) $(of 2 quality)" = "custom complete" ] || fail "$(list)"
	grep -q "has ended: the last job that came for it has ended" run.log || fail "it does not say why"
}

# Without run control the start is the run; one whose supervisor is killed keeps its number.
case_plain() {
	write_config false
	begin
	await 20 is_state running || fail "state: $(cat send.log)"
	refused "runs need \[runs\] control = true" run_start
	has_rows() { compgen -G "out/beam_*.csv" >/dev/null; }
	await 20 has_rows || fail "no rows"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	begin
	await 20 is_state running || fail "state: $(cat send.log)"
	grep -q '"interrupted"' send.log || fail "flags: $(cat send.log)"
	"$bin" stop >stop.log 2>&1 || fail "stop: $(cat stop.log)"
	wait "$run"
	begin
	await 20 is_state running || fail "state: $(cat send.log)"
	end
	[ "$(of 1 quality) $(of 1 flags)" = "complete ['interrupted']" ] || fail "run 1: $(list)"
	[ "$(of 2 quality) $(of 2 flags)" = "complete []" ] || fail "run 2: $(list)"
	[ "$(list | grep -o '"number"' | wc -l)" = 2 ] || fail "$(list)"
}

run_case "$@"
