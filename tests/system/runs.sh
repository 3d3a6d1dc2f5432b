#!/bin/bash
# Runs that begin and end while the jobs live: runs.sh CASE.
. "$(dirname "$0")/harness.sh"

write_config() { # SHM
	mkdir -p config
	cat >config/supervisor.toml <<-END
		ring_buffer_size_mb = 16
		ring_buffer_slot_size_kb = 256
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "runs"
		[runs]
		control = true
		deadline_seconds = 20.0
	END
	local source store
	for source in always in_runs; do
		cat >config/$source.toml <<-END
			daq_job_type = "DAQJobBenchmark"
			payload_size = 100
			rate_hz = 200
			acquire = "$source"
			use_shm_when_possible = $1
			[store_config.arrow]
			file_path = "$source.arrows"
			[store_config.csv]
			file_path = "$source.csv"
			[store_config.root]
			file_path = "$source.root"
		END
	done
	for store in arrow:Arrow csv:CSV root:ROOT; do
		printf 'daq_job_type = "DAQJobStore%s"\nout_dir = "out"\nrotate_run = true\n' "${store#*:}" >"config/${store%:*}.toml"
	done
}

# send KIND [KEY=VALUE …]: a command to the supervisor
send() { "$bin" send --timeout 40 supervisor "$@" >"$work/send.log" 2>&1; }

is_idle() { send run_state && grep -q '"state": "idle"' send.log && grep -q '"closing": ""' send.log; }
is_running() { send run_state && grep -q '"state": "running"' send.log; }

# has_rows SOURCE RUN: rows of that run came to the CSV; those that stand beside the header
rows_of() { local lines; lines=$(wc -l <"$1" 2>/dev/null) && echo $((lines - 1)); }
has_rows() { [ "$(rows_of "out/$1_$2.csv")" -gt "${3:-0}" ]; }

has_file() { compgen -G "$1" >/dev/null; } # of that pattern, which is matched anew at each look

# Each file of a run holds exactly its rows: what the sources produced of it, counted in the files, not by the stores.
check_run() { # ID: its account closed, everything accounted for
	local account source produced rows
	account=$(ls out/run_*"_$1.json") || fail "no account of run $1"
	grep -q '"accounted": false' "$account" && fail "$1 is not accounted for: $(cat "$account")"
	grep -q '"closed": true' "$account" || fail "$1 is not closed"
	for source in always in_runs; do
		produced=$(grep -A 6 "\"source\": \"$source\"" "$account" | grep -o '"produced_rows": [0-9]*' | grep -o '[0-9]*$')
		rows=$(rows_of "out/${source}_$1.csv")
		[ "${produced:-0}" -gt 0 ] || fail "$source made nothing in run $1"
		[ "$produced" -eq "$rows" ] || fail "$source: $produced rows in run $1, the CSV has $rows"
		"$bin" verify "out/${source}_$1.arrows" >verify.log 2>&1 || fail "verify: $(cat verify.log)"
		grep -q " ${produced%???},\?${produced: -3} rows\| $produced rows" verify.log ||
			fail "$source: $produced rows in run $1: $(cat verify.log)"
		compgen -G "out/${source}_$1*.root" >/dev/null || fail "no ROOT file of run $1"
	done
	# what the machine's clock was when it began and when it ended, also over a kill of the supervisor
	[ "$(grep -c '"uncertainty_ns": ' out/run_*_"$1".json)" = 2 ] || fail "run $1: its record lacks the clock"
}

# Between two runs: what the one source made is in files of its own, and all batches of all files are proven.
check_all() {
	"$bin" verify out/*.arrows >verify.log 2>&1 || fail "verify: $(cat verify.log)"
	# a note that the source was started again may stand there: a file without rows
	[ -e out/in_runs.csv ] && [ "$(rows_of out/in_runs.csv)" -gt 0 ] &&
		fail "the source that takes data in runs alone took some between"
	[ "$(rows_of out/always.csv)" -gt 0 ] || fail "nothing between runs"
	local produced rows=0 file
	produced=$(cat out/ledger_*.json | grep -o '"produced_rows": [0-9]*, *$\|"produced_rows": [0-9]*' | head -2 |
		awk '{s += $2} END {print s}')
	for file in out/*.csv; do rows=$((rows + $(rows_of "$file"))); done
	[ "$1" = one ] && [ "$produced" -ne "$rows" ] && fail "$produced rows in the ledger, $rows in all CSV files"
	return 0
}

# status JOB TEXT: `enrgdaq status` says it, in the line of that job or (-) in its own
has_status() {
	"$bin" status >status.log 2>&1 || return 1
	if [ "$1" = - ]; then grep -q "$2" status.log; else grep "^$1 " status.log | grep -q "$2"; fi
}

three_runs() {
	local id
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	await 20 has_status - "^between runs since 20.*; the last number is 0" || fail "status: $(cat status.log)"
	await 20 has_status in_runs " between runs " || fail "status: $(cat status.log)"
	await 20 has_status always " running " || fail "status: $(cat status.log)"
	for id in first second third; do
		send run_start id=$id || fail "start of $id: $(cat send.log)"
		send run_start id=$id || fail "the same once more: $(cat send.log)"
		send run_start id=other && fail "two runs at once"
		await 20 has_rows always $id 1000 || fail "no rows of $id"
		await 20 has_rows in_runs $id 1000 || fail "no rows of $id"
		await 20 has_status - "^run [123] ($id) is on since 20" || fail "status: $(cat status.log)"
		await 20 has_status in_runs " running " || fail "status: $(cat status.log)"
		send run_stop id=$id || fail "stop of $id: $(cat send.log)"
		send run_stop id=$id || fail "the same once more: $(cat send.log)"
		send run_stop || fail "none is on, which is what a stop wants: $(cat send.log)"
		send run_stop expect=running && fail "none is on, and it was expected"
		grep -q "the state is idle, and running was expected" send.log || fail "it does not say why: $(cat send.log)"
	done
	await 20 is_idle || fail "run $id does not close: $(cat send.log)"
	send run_start id=second && fail "a run that has ended"
	send run_start id=a/b && fail "a name that is none"
	# the stop of everything ends the run first
	send run_start id=last || fail "start of the last: $(cat send.log)"
	await 20 has_rows in_runs last 1000 || fail "no rows of the last run"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	[ -z "$(jobs_here)" ] || fail "jobs outlive their supervisor"
	for id in first second third last; do check_run $id; done
	check_all one
	grep -q '"number": 4' out/run_000004_last.json || fail "numbers"
}

case_three() {
	write_config true
	three_runs
}

case_links() { # over ZeroMQ
	write_config false
	three_runs
}

# In a folder without run control the start is the run: it has a number and a record, and no command begins or ends one.
case_none() {
	write_config true
	sed -i '/runs\]/,$d' config/supervisor.toml
	start run.log run config
	await 20 "$bin" send supervisor ping || fail "no supervisor"
	send run_start && fail "run_start without run control"
	await 20 has_file 'out/in_runs_*.csv' || fail "no rows"
	await 20 has_status - "^run 1 (20.*) is on since 20" || fail "status: $(cat status.log)"
	send run_state && grep -q '"control": false' send.log || fail "run_state: $(cat send.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	[ "$(find out -name 'run_000001*.json' | wc -l)" = 1 ] || fail "no record of the run: $(ls out)"
	grep -q "run 1, " run.log || fail "it does not say its number"
	"$bin" verify out/*.arrows >verify.log 2>&1 || fail "verify"
}

kill_one() { # JOB: of $run
	local pid
	pid=$(pid_of "$1") && [ -n "$pid" ] && kill -KILL "$pid"
}

# Whoever is killed in a transition, each run's file holds its rows once, and its account closes.
case_kills() {
	write_config true
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	local i=0 job id
	for job in always csv in_runs arrow root; do
		i=$((i + 1)) id=k$i
		kill_one $job
		send run_start id=$id || fail "start of $id: $(cat send.log)"
		await 20 has_rows always $id 100 || fail "no rows of $id"
		await 20 has_rows in_runs $id 100 || fail "no rows of $id"
		"$bin" send --timeout 40 supervisor run_stop >stop.log 2>&1 &
		sleep 0.00$((RANDOM % 10))
		kill_one $job
		wait $! || fail "stop of $id: $(cat stop.log)"
		await 30 is_idle || fail "run $id does not close: $(cat send.log)"
	done
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	for i in 1 2 3 4 5; do check_run k$i; done
	check_all one
}

# The supervisor is killed between a command and its answer, and in a run: what it began goes on, once.
case_supervisor() {
	write_config true
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	"$bin" send supervisor run_start id=one >start.log 2>&1 &
	await 20 grep -q '"run": "one"' "$ENRGDAQ_RUNTIME_DIR/runs/runs.json" || fail "not begun"
	kill -KILL "$run"
	start again.log run config
	await 40 is_running || fail "the run does not go on: $(cat send.log)"
	send run_start id=one || fail "asked again: $(cat send.log)"
	await 20 has_rows in_runs one 500 || fail "no rows"
	kill -KILL "$run" # in the run
	start third.log run config
	await 40 is_running || fail "the run does not go on: $(cat send.log)"
	local before
	before=$(rows_of out/in_runs_one.csv)
	await 20 has_rows in_runs one $((before + 500)) || fail "no more rows"
	"$bin" send supervisor run_stop >stop.log 2>&1 &
	await 20 grep -q '"stopping"\|"idle"' "$ENRGDAQ_RUNTIME_DIR/runs/runs.json" || fail "not stopped"
	kill -KILL "$run" # before it has ended, perhaps
	start fourth.log run config
	await 60 is_idle || fail "the run does not end: $(cat send.log)"
	send run_start id=two || fail "the next: $(cat send.log)"
	await 20 has_rows in_runs two 100 || fail "no rows"
	send run_stop || fail "stop: $(cat send.log)"
	await 20 is_idle || fail "run two does not close: $(cat send.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	check_run one
	check_run two
	grep -q '"interrupted": true' out/run_*_one.json || fail "it was not interrupted?"
	check_all many
}

is_in_runs_json() { grep -q "\"state\": \"$1\"" "$ENRGDAQ_RUNTIME_DIR/runs/runs.json"; }

# start_again LOG: the supervisor is killed, and comes again when its jobs have ended
start_again() {
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	start "$1" run config
}

# catch JOB: stops that process of $run as soon as it has a name, which is before it is ready
catch() {
	local child comm
	while :; do
		for child in $(cat "/proc/$run/task/$run/children"); do
			{ read -r comm <"/proc/$child/comm"; } 2>/dev/null && [ "$comm" = "$1" ] && kill -STOP "$child" && return
		done
	done
}

# The supervisor is killed in each phase of a run: it continues it, also where a store does not get ready for longer than
# a start may take.
case_killed_in_each_phase() {
	write_config true
	sed -i 's/deadline_seconds = .*/deadline_seconds = 1.0/' config/supervisor.toml
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	# it begins, and a store is not there: begun as soon as that comes
	"$bin" job stop csv >stop.log 2>&1 || fail "job stop: $(cat stop.log)"
	"$bin" send supervisor run_start id=one >start.log 2>&1 &
	await 10 is_in_runs_json starting || fail "not begun"
	await 10 has_status - "^run 1 (one) begins since 20.*, waits: store csv is not there" || fail "status: $(cat status.log)"
	start_again begins.log
	await 40 is_running || fail "the run does not go on: $(cat send.log)"
	await 20 has_rows in_runs one 100 || fail "no rows"
	# it is on; when the supervisor comes again a store is not there for longer than a start may take
	local i
	for i in 1 2 3 4 5; do
		start_again on.log
		catch csv
		await 5 grep -q "run one goes on, but is not complete yet: store csv is not there" on.log && break
		kill -CONT "$(pid_of csv)" # it was ready already
	done
	[ $i -lt 5 ] || fail "it does not say so"
	send run_state && grep -q '"state": "starting"' send.log || fail "it was ended: $(cat send.log)"
	kill -CONT "$(pid_of csv)"
	await 40 is_running || fail "the run does not go on: $(cat send.log)"
	# it ends, and a source does not answer
	kill -STOP "$(pid_of always)"
	"$bin" send supervisor run_stop >stop.log 2>&1 &
	await 10 is_in_runs_json stopping || fail "it does not stop"
	kill -CONT "$(pid_of always)"
	start_again ends.log
	await 60 has_status - "^between runs since" || fail "it does not end: $(cat status.log)"
	# it has ended and is not all stored
	send run_start id=two || fail "start of two: $(cat send.log)"
	await 20 has_rows always two 100 || fail "no rows of two"
	kill -STOP "$(pid_of csv)"
	send run_stop || fail "stop: $(cat send.log)"
	await 10 has_status - "^run two is not closed yet: csv has not stored all of " || fail "status: $(cat status.log)"
	kill -KILL "$run" "$(pid_of csv)"
	wait "$run" 2>/dev/null
	start closes.log run config
	await 60 is_idle || fail "run two does not close: $(cat send.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	check_run one
	check_run two
	grep -q '"aborted": true' out/run_*.json && fail "a run was aborted: $(grep -l '"aborted": true' out/run_*.json)"
	check_all many
}

# A start that a store keeps waiting until its deadline is refused, and `status` says so until a run is on.
case_refused() {
	write_config true
	sed -i 's/deadline_seconds = .*/deadline_seconds = 0.5/' config/supervisor.toml
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	"$bin" job stop csv >stop.log 2>&1 || fail "job stop: $(cat stop.log)"
	send run_start id=one && fail "it was begun without a store"
	grep -q "store csv is not there" send.log || fail "it does not say why: $(cat send.log)"
	await 10 has_status - "^run 1 (one) was not begun at 20.*Z: store csv is not there" || fail "status: $(cat status.log)"
	"$bin" job start csv >start.log 2>&1 || fail "job start: $(cat start.log)"
	send run_start id=two || fail "start of two: $(cat send.log)"
	await 20 has_rows in_runs two 10 || fail "no rows"
	await 10 has_status - "^run 2 (two) is on since 20" || fail "status: $(cat status.log)"
	has_status - "was not begun" && fail "it is still refused: $(cat status.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	check_run two
}

# A processor of two sources says in its stream where runs begin and end, once: its stores have files of runs as well.
case_processor() {
	write_config true
	cat >config/filter.toml <<-END
		daq_job_type = "DAQJobFilter"
		[[input]]
		job = "always"
		[[input]]
		job = "in_runs"
		[[stage]]
		kind = "prescale"
		every = 2
		[store_config.arrow]
		file_path = "filter.arrows"
		[store_config.csv]
		file_path = "filter.csv"
	END
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	local id rows produced
	for id in first second; do
		send run_start id=$id || fail "start of $id: $(cat send.log)"
		await 20 has_rows filter $id 1000 || fail "no rows of $id"
		[ $id = second ] && kill_one filter
		send run_stop || fail "stop of $id: $(cat send.log)"
		await 30 is_idle || fail "run $id does not close: $(cat send.log)"
	done
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	for id in first second; do
		check_run $id
		produced=$(grep -A 6 '"source": "filter"' out/run_*"_$id.json" | grep -o '"produced_rows": [0-9]*' | grep -o '[0-9]*$')
		rows=$(rows_of "out/filter_$id.csv")
		[ "${produced:-0}" -gt 0 ] || fail "the processor is not in the account of $id"
		[ "$produced" -eq "$rows" ] || fail "filter: $produced rows in $id, the CSV has $rows"
		"$bin" verify "out/filter_$id.arrows" >verify.log 2>&1 || fail "verify: $(cat verify.log)"
		# half of what its inputs made in that run, and of no other
		rows=$(($(rows_of "out/always_$id.csv") + $(rows_of "out/in_runs_$id.csv")))
		[ $((2 * produced - rows)) -le 4 ] && [ $((2 * produced - rows)) -ge -4 ] || fail "$produced of $rows rows in $id"
	done
}

# check_joined ID: of that run the filter has made exactly its rows, one of two; it was not there from the begin on
check_joined() {
	local produced rows
	produced=$(grep -A 6 '"source": "filter"' out/run_*"_$1.json" | grep -o '"produced_rows": [0-9]*' | grep -o '[0-9]*$')
	rows=$(rows_of "out/filter_$1.csv")
	[ "${produced:-0}" -gt 0 ] || fail "the processor is not in the account of $1: $(cat out/run_*"_$1.json")"
	[ "$produced" -eq "$rows" ] || fail "filter: $produced rows in $1, the CSV has $rows"
	"$bin" verify "out/filter_$1.arrows" >verify.log 2>&1 || fail "verify: $(cat verify.log)"
}

# A processor comes while a run is on: what it makes of that run begins there, and its files are the run's. It goes in
# another one, is gone in a third, and comes again between two.
case_processor_comes_and_goes() {
	local id
	write_config true
	printf '%s\n' 'daq_job_type = "DAQJobFilter"' '[[input]]' 'job = "always"' '[[input]]' 'job = "in_runs"' '[[stage]]' 'kind = "prescale"' \
		'every = 2' '[store_config.arrow]' 'file_path = "filter.arrows"' '[store_config.csv]' 'file_path = "filter.csv"' >filter.toml
	start run.log run config
	await 20 "$bin" send supervisor run_state || fail "no run control"
	send run_start id=first || fail "start: $(cat send.log)"
	await 20 has_rows in_runs first 200 || fail "no rows"
	"$bin" job add filter.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	await 20 has_rows filter first 200 || fail "no rows of the filter in the run that it has joined"
	kill_one filter
	await 20 has_rows filter first 400 || fail "it does not go on"
	send run_stop || fail "stop: $(cat send.log)"
	await 30 is_idle || fail "the run does not close: $(cat send.log)"
	check_run first
	check_joined first
	grep -q "filter: joins run first while it is on" run.log || fail "it does not say that it joins"
	send run_start id=second || fail "start: $(cat send.log)"
	await 20 has_rows filter second 200 || fail "no rows of the filter in the next run"
	"$bin" job remove filter >remove.txt 2>&1 || fail "$(cat remove.txt)"
	send run_stop || fail "stop: $(cat send.log)"
	send run_start id=third || fail "start: $(cat send.log)"
	await 20 has_rows always third 200 || fail "no rows"
	send run_stop || fail "stop: $(cat send.log)"
	await 30 is_idle || fail "the run does not close: $(cat send.log)"
	local before
	before=$(rows_of out/filter.csv)
	"$bin" job add filter.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	has_between() { [ "$(rows_of out/filter.csv)" -gt "$before" ]; }
	await 20 has_between || fail "what it makes between two runs is taken for a run's"
	send run_start id=fourth || fail "start: $(cat send.log)"
	await 20 has_rows filter fourth 200 || fail "no rows of the filter that has come again"
	"$bin" job remove filter >remove.txt 2>&1 || fail "$(cat remove.txt)"
	"$bin" job add filter.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	await 20 has_rows filter fourth $(($(rows_of out/filter_fourth.csv) + 200)) || fail "it does not go on in the same run"
	send run_stop || fail "stop: $(cat send.log)"
	await 30 is_idle || fail "the run does not close: $(cat send.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	for id in first second third fourth; do check_run $id; done
	[ -e out/filter_third.csv ] && fail "a run without the filter has a file of it"
	for id in first second fourth; do
		"$bin" verify "out/filter_$id.arrows" >verify.log 2>&1 || fail "verify: $(cat verify.log)"
	done
	grep -E "MISSING|TWICE|SET ASIDE|not all stored|NOT (accounted|KNOWN)" run.log >wrong.log && fail "$(cat wrong.log)"
	return 0
}

run_case "$@"
