#!/bin/bash
# Types, templates and sequences of runs: run_plans.sh CASE. SEQUENCE_KILLS: how often somebody is killed in a sequence
# (4) of SEQUENCE_STEPS (5).
. "$(dirname "$0")/harness.sh"
steps=${SEQUENCE_STEPS:-5}

write_plans() {
	mkdir -p c/runs/types c/runs/templates c/runs/sequences modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" "$here/knob.c" -o modules/knob.so 2>cc.log ||
		fail "the module does not compile: $(cat cc.log)"
	export ENRGDAQ_MODULE_PATH=$work/modules:${ENRGDAQ_MODULE_PATH:-}
	cat >c/supervisor.toml <<-END
		ring_buffer_size_mb = 16
		ring_buffer_slot_size_kb = 256
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "plans"
		supervisor_tags = ["lab"]
		[runs]
		control = true
		deadline_seconds = 20.0
	END
	cat >c/dice.toml <<-END
		daq_job_type = "DAQJobTest"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.02
		acquire = "in_runs"
		[store_config.csv]
		file_path = "dice.csv"
	END
	printf 'daq_job_type = "DAQJobKnob"\ndiary = "%s/knob.txt"\n[store_config.csv]\nfile_path = "knob.csv"\n' \
		"$work" >c/knob.toml
	cat >c/runs/templates/led.toml <<-END
		[parameters.top]
		type = "int"
		default = 10
		minimum = 1
		maximum = 1000000
		[parameters.mode]
		type = "string"
		default = "slow"
		[[job]]
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "led"
		rand_min = 1
		rand_max = { parameter = "top" }
		interval_seconds = 0.02
		acquire = "in_runs"
		[job.store_config.csv]
		file_path = "led.csv"
		[[message]]
		to = "job knob"
		kind = "set"
		body = { value = 3, mode = { parameter = "mode" } }
	END
	printf 'templates = ["led"]\nrequired_tags = ["lab"]\ncomment_carries = true\n[values]\ntop = 20\n' >c/runs/types/scan.toml
	printf 'templates = ["led"]\nrequired_tags = ["beam"]\n' >c/runs/types/beam.toml
	cat >c/runs/sequences/all.toml <<-END
		type = "scan"
		settle_seconds = 0.05
		stop_after_seconds = ${run_seconds:-0.3}
		[[scan]]
		parameter = "top"
		from = 100
		to = $((steps * 100))
		step = 100
	END
}

begin() { # starts it, and waits until it hears
	start "$1" run c
	await 20 "$bin" send --timeout 5 supervisor run_state || fail "no supervisor"
}

has_state() { "$bin" send supervisor run_state >state.log 2>&1 && grep -q "\"$1\": \"\?$2[\",]" state.log; }
is_quiet() { has_state state idle && grep -q '"closing": ""' state.log; }
has_job() { "$bin" status >status.log 2>&1 && grep -q "^$1 " status.log; }
sequence_is() { "$bin" runs sequence show all >sequence.log 2>&1 && grep -q "^all: $1" sequence.log; }
is_complete() { sequence_is 'done,'; }

# given CODE TEXT COMMAND…: ends so, and says that
given() {
	local code=$1 text=$2 is
	shift 2
	"$bin" "$@" >given.log 2>&1
	is=$?
	[ $is = "$code" ] || fail "$*: exit code $is, not $code: $(cat given.log)"
	grep -q -e "$text" given.log || fail "$*: $(cat given.log)"
}

is_nothing_left() { # of the jobs of a run
	has_job led && fail "led is still there: $(cat status.log)"
	[ ! -e "$ENRGDAQ_RUNTIME_DIR/plans/run_jobs" ] || fail "files of jobs are left"
}

# The jobs and messages of a type; what is wrong with a start is said at once, and takes no number.
case_start() {
	write_plans
	given 0 "run type scan: led" check c
	begin run.log
	given 1 "height: run type scan has no such parameter" runs start scan height=3 top=abc mode=fast
	grep -q 'top: expected an integer from 1 to 1000000, found "abc"' given.log || fail "one error alone: $(cat given.log)"
	given 1 "requires the tag \"beam\"" runs start beam
	given 1 "there is no run type \"scam\"; did you mean scan?" runs start scam
	given 2 '"0.5" is not a whole number' runs start scan --stop-events 0.5 # 0 would be for ever
	given 2 '"nan" is not a number' runs start scan --stop-after nan
	given 2 "description is not UTF-8 text" runs start scan --description $'\xff'
	given 1 "there is no job \"lad\"" runs start scan --stop-when "lad.out_rows > 5"
	has_state last_number 0 || fail "a number was taken: $(cat state.log)"
	given 0 "run 1 " runs start scan top=7 "mode=a\" b" --comment first --stop-when "led.out_rows > 1000000"
	has_job led || fail "its job is not there"
	grep -q '^set a" b$' knob.txt || fail "no message: $(cat knob.txt)"
	grep -q "^rand_max = 7$" "$ENRGDAQ_RUNTIME_DIR"/plans/run_jobs/00.toml || fail "not its value"
	given 1 "run 1 .* is running" runs start scan
	given 0 "the run has ended" runs stop
	is_nothing_left
	[ "$(awk -F, 'NR > 1 && $3 > m {m = $3} END {print m}' out/led.csv)" -le 7 ] || fail "values beyond 7"
	given 1 "knob has answered message set: refused: the knob is locked" runs start scan mode=locked
	await 20 is_quiet || fail "a start that was refused does not end: $(cat state.log)"
	is_nothing_left
	given 0 "run 3 " runs start scan --configure
	has_state state configured || fail "it does not rest: $(cat state.log)"
	has_state comment first || fail "no comment was carried: $(cat state.log)"
	given 0 "the run is on" runs start
	kill -INT "$run" # ends the run first
	wait "$run" || fail "exit code $?"
	is_nothing_left
	grep -q '"produced_rows": [1-9]' out/run_000001*.json || fail "nothing was produced"
}

# --same-as takes the values of an earlier run; a secret is in no file, answer or log, and has to be given again.
case_secrets() {
	write_plans
	cat >c/runs/templates/led.toml <<-END
		[parameters.word]
		type = "string"
		default = "planted-default"
		[parameters.top]
		type = "int"
		default = 10
		[[job]]
		daq_job_type = "DAQJobAlertWebhook"
		daq_job_unique_id = "hook"
		webhook_url = "https://127.0.0.1:1/"
		allow_private = ["127.0.0.1"]
		secret = { parameter = "word" }
		[[job]]
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "led"
		rand_min = 1
		rand_max = { parameter = "top" }
		[job.store_config.csv]
		file_path = "led.csv"
	END
	rm c/runs/sequences/all.toml
	begin run.log
	given 0 "run 1 " runs start scan top=33 word=planted-value
	"$bin" runs types scan >types.log 2>&1
	"$bin" status --json >status.log 2>&1
	given 0 "has ended" runs stop
	await 20 "$bin" runs show 1 || fail "the book does not know it"
	"$bin" runs show 1 --json >show.log
	grep -q '"word": "\*\*\*"' show.log || fail "no values: $(cat show.log)"
	given 1 "word is a secret" runs start --same-as 1
	given 0 "run 2 " runs start --same-as 1 word=planted-again
	grep -q "^rand_max = 33$" "$ENRGDAQ_RUNTIME_DIR"/plans/run_jobs/*.toml || fail "not the value of before"
	given 0 "has ended" runs stop
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	! grep -r -l -a "planted-" out ./*.log "$ENRGDAQ_RUNTIME_DIR" >found.txt || fail "found in $(cat found.txt)"
}

# A supervisor that is killed in each phase of a run with jobs of its own: it goes on, or ends, and nothing is left.
case_killed_in_each_phase() {
	local phase
	write_plans
	begin first.log
	for phase in configuring configured running stopping; do
		if [ $phase = configured ]; then
			"$bin" runs start scan --configure >/dev/null 2>&1
		elif [ $phase = configuring ]; then
			"$bin" runs start scan >/dev/null 2>&1 &
			await 10 test -e "$ENRGDAQ_RUNTIME_DIR/plans/run_jobs"
		else
			"$bin" runs start scan >/dev/null 2>&1 || fail "start to be killed while $phase"
		fi
		if [ $phase = stopping ]; then
			kill -STOP "$(pid_of led)"
			"$bin" runs stop >/dev/null 2>&1 &
			await 10 has_state state stopping
		fi
		kill -KILL "$run"
		wait "$run" 2>/dev/null
		[ $phase = stopping ] && for pid in $(jobs_here); do kill -CONT "$pid"; done
		begin "$phase.log"
		if [ $phase = configuring ] || [ $phase = running ]; then
			await 20 has_state state running || fail "killed while $phase: $(cat state.log)"
			await 20 has_job led || fail "killed while $phase: led is not there"
		fi
		"$bin" runs stop >stop.log 2>&1
		await 20 is_quiet || fail "killed while $phase: it does not end: $(cat state.log)"
		is_nothing_left
	done
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	# the second one was never on
	! grep -l '"accounted": false' out/run_00000[134]_*.json || fail "not accounted for"
}

book_pid() { ps --ppid "$run" -o pid=,args= | awk '/enrgdaq-runs serve/ {print $1; exit}'; }

# Each step of a sequence has one run that is complete, whoever is killed in it.
case_sequence_killed() {
	local kill life=0 step count
	write_plans
	begin run.log
	given 0 "runs are asked of the run book" runs sequence start all
	for kill in $(seq "${SEQUENCE_KILLS:-4}"); do
		sleep 0.$((RANDOM % 9 + 1)) # where in the sequence is left to chance
		case $((RANDOM % 3)) in
		0)
			kill -KILL "$run"
			wait "$run" 2>/dev/null
			begin "life$((life += 1)).log"
			;;
		1) kill -KILL "$(book_pid)" 2>/dev/null ;;
		2) kill -KILL "$(pid_of led)" 2>/dev/null ;;
		esac
	done
	await $((60 + 2 * steps)) is_complete || fail "after $kill kills: $(cat sequence.log)"
	"$bin" runs sequence show all --json >sequence.json
	for step in $(seq "$steps"); do
		count=$(grep -o '"run": "all-[0-9a-f]*-0*'"$step"'-[0-9]*"' sequence.json | sort -u | while IFS='"' read -r _ _ _ name _; do
			"$bin" runs show "$name" --json | grep -q '"by_itself": true' && echo "$name"
		done | wc -l)
		[ "$count" = 1 ] || fail "step $step has $count runs that ended as they were to: $(cat sequence.log)"
	done
	await 20 is_quiet || fail "it does not come to rest: $(cat state.log)"
	is_nothing_left
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	[ -z "$(find out -name 'run_*' -printf '%f\n' | sed -n 's/^run_\([0-9]*\)_.*\.json$/\1/p' | sort | uniq -d)" ] || fail "a number came twice: $(ls out)"
}

# stop ends the run that is on; resume goes on at that step; what is wrong with any step is said before the first.
case_sequence_stopped() {
	steps=3 run_seconds=1.5 # long enough that a command meets it
	write_plans
	begin run.log
	printf 'type = "scan"\n[[step]]\nvalues = { top = 5 }\n' >c/runs/sequences/endless.toml
	given 0 "" reload
	given 1 "step 1 has no end" runs sequence start endless
	given 0 "" runs sequence start all
	await 20 has_state state running || fail "no run: $(cat state.log)"
	given 0 "" runs sequence stop all
	await 20 sequence_is "stopped, step 1 of 3, .*: it was stopped by" || fail "it does not stop: $(cat sequence.log)"
	await 20 is_quiet || fail "its run goes on: $(cat state.log)"
	given 0 "" runs sequence resume all
	await 20 has_state state running || fail "no run: $(cat state.log)"
	given 0 "the run has ended" runs stop
	await 20 sequence_is "stopped, step .*its run was stopped by" || fail "a run that was stopped: $(cat sequence.log)"
	given 0 "" runs sequence resume all
	await $((60 + 2 * steps)) is_complete || fail "it is not done: $(cat sequence.log)"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
}

run_case "$@"
