#!/bin/bash
# Processors in whole systems: processors.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

kills=${PROCESSOR_KILLS:-100}

write_config() {
	mkdir -p c
	cat >c/supervisor.toml <<-END
		restart_delay_seconds = 0.01
		restart_delay_max_seconds = 0.05
		ring_buffer_size_mb = 24
		[info]
		supervisor_id = "lab"
	END
	cat >c/dice.toml <<-END
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = 100
		interval_seconds = 0.001
		[store_config.csv]
		file_path = "dice.csv"
	END
	cat >c/filter.toml <<-END
		daq_job_type = "DAQJobFilter"
		daq_job_unique_id = "filter"
		[[input]]
		job = "dice"
		[[stage]]
		kind = "range"
		name = "low"
		column = "A"
		min = 10
		[[stage]]
		kind = "prescale"
		every = 3
		[store_config.csv]
		file_path = "filtered.csv"
		[store_config.arrow]
		file_path = "filtered.arrows"
	END
}

# What the filter had to pass, from what its source stored by itself.
expect_filtered() {
	awk -F, -v every="${every:-3}" 'NR == 1 || ($2 >= 10 && n++ % every == 0)' out/dice.csv >expected.csv
	[ "$(wc -l <expected.csv)" -gt "$1" ] || fail "hardly any rows"
	cmp expected.csv out/filtered.csv || fail "the rows of the csv store"
	"$bin" cat out/filtered.arrows | cmp expected.csv - || fail "the rows of the arrow store"
	"$bin" verify out/filtered.arrows >verify.log 2>&1 || fail "$(cat verify.log)"
}

# Does the ledger of that log close, with the line of the filter?
expect_ledger() { # LOG ROWS
	grep -q "filter of dice: read $2 rows; in $(($(wc -l <expected.csv) - 1)); rejected by .*: accounted$" "$1" ||
		fail "the line of the filter: $(grep "filter of" "$1")"
	grep -qE "MISSING|TWICE|SET ASIDE|not all stored" "$1" && fail "$(grep -E "MISSING|TWICE|ASIDE|not all" "$1")"
}

case_filter() {
	write_config
	start run.log run c
	await 20 test -s out/filtered.csv || fail "no rows"
	sleep 1
	"$bin" status >status.log 2>&1 || fail "status"
	grep -q "filter of dice: [0-9]* rows read, in [0-9]*, rejected by" status.log || fail "status does not say it"
	kill -INT "$run"
	wait "$run" || fail "exit code"
	expect_filtered 100
	expect_ledger run.log "$(($(wc -l <out/dice.csv) - 1))"
	ls "$ENRGDAQ_RUNTIME_DIR"/*/*.checkpoint 2>/dev/null && fail "a checkpoint was left"
	return 0
}

# kill_jobs NUMBER: of the jobs of $run, at random
kill_jobs() {
	local jobs done_kills=0
	while [ $done_kills -lt "$1" ]; do
		sleep "0.0$((RANDOM % 90 + 10))"
		mapfile -t jobs < <(ps --ppid "$run" -o pid=)
		[ ${#jobs[@]} -gt 0 ] || { kill -0 "$run" || fail "the supervisor has ended"; continue; }
		# shellcheck disable=SC2086
		kill -KILL ${jobs[RANDOM % ${#jobs[@]}]} 2>/dev/null && done_kills=$((done_kills + 1))
	done
}

# After kills: a source that is down when a run ends is a fault of the run, and is said.
all_run() {
	[ -n "$(pid_of dice)" ] && "$bin" status --json >status.json && ! grep -qE '"state": *"(restarting|starting|waiting)"' status.json
}

settle() {
	await 10 all_run || fail "not all jobs came back: $("$bin" status)"
	sleep 0.3
}

# Source, filter and stores are killed at random: none lost, none twice, and the filter counts on where it stood.
case_kills() {
	write_config
	start run.log run c
	await 20 test -s out/filtered.csv || fail "no rows"
	kill_jobs "$kills"
	settle
	kill -INT "$run"
	wait "$run" || fail "exit code"
	expect_filtered 50
	expect_ledger run.log "$(($(wc -l <out/dice.csv) - 1))"
	ls out/recovered_* out/set_aside_* 2>/dev/null && fail "something was left over"
	return 0
}

# watch_at_random SECONDS: observers of all streams come and go, some of them killed
watch_at_random() {
	local end=$((SECONDS + $1)) pid
	while [ $SECONDS -lt "$end" ]; do
		"$bin" watch "$([ $((RANDOM % 2)) = 0 ] && echo dice || echo filter)" --json --every 0.1 --seconds 3 >>watch.json 2>>watch.log &
		pid=$!
		sleep "0.$((RANDOM % 8 + 1))"
		kill "-$([ $((RANDOM % 2)) = 0 ] && echo KILL || echo TERM)" $pid 2>/dev/null
		wait $pid 2>/dev/null
	done
}

# The whole graph: source, filter and two stores are killed at random while observers come and go, and another source with a
# store group in both stores is added and removed again and again.
case_graph() {
	write_config
	mkdir extra
	cat >extra/guest.toml <<-END
		daq_job_type = "DAQJobTest"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.01
		[store_config.csv]
		file_path = "guest.csv"
	END
	start run.log run c
	await 20 test -s out/filtered.csv || fail "no rows"
	(watch_at_random $((kills / 8 + 2))) &
	local watcher=$! rounds=0 added=0
	while [ $rounds -lt $((kills / 10)) ]; do
		"$bin" job add extra/guest.toml >>change.log 2>&1 && added=$((added + 1))
		kill_jobs 5
		"$bin" job remove guest >>change.log 2>&1
		kill_jobs 5
		rounds=$((rounds + 1))
	done
	kill $watcher 2>/dev/null
	wait $watcher 2>/dev/null
	[ $added -gt 0 ] || fail "no job was ever added: $(tail -n 3 change.log)"
	"$bin" job remove guest >>change.log 2>&1
	settle
	kill -INT "$run"
	wait "$run" || fail "exit code"
	expect_filtered 50
	expect_ledger run.log "$(($(wc -l <out/dice.csv) - 1))"
	grep -q '"rows"\|"rows_per_s"' watch.json || fail "no observer saw anything"
	ls out/recovered_* out/set_aside_* 2>/dev/null && fail "something was left over"
	return 0
}

# The supervisor, too: its jobs end by themselves, and the next one goes on. (A new run begins with a new prescale.)
case_kills_of_supervisors() {
	write_config
	sed -i 's/every = 3/every = 1/' c/filter.toml
	start run.log run c
	await 20 test -s out/filtered.csv || fail "no rows"
	for _ in 1 2 3; do
		kill_jobs 5
		kill -KILL "$run"
		wait "$run" 2>/dev/null
		start run.log run c
	done
	kill_jobs 5
	settle
	kill -INT "$run"
	wait "$run" || fail "exit code"
	every=1 expect_filtered 50
	ls out/recovered_* out/set_aside_* 2>/dev/null && fail "something was left over"
	return 0
}

# A fast stop keeps what was not read and what is held; the next run goes on with it.
case_fast_stop() {
	write_config
	sed -i 's/every = 3/every = 7/' c/filter.toml
	start run.log run c
	await 20 test -s out/filtered.csv || fail "no rows"
	kill -INT "$run"
	kill -INT "$run"
	wait "$run"
	sed -i 's/interval_seconds = 0.001/interval_seconds = 0.002/' c/dice.toml
	start again.log run c
	sleep 1
	kill -INT "$run"
	wait "$run" || fail "exit code"
	[ "$("$bin" cat out/filtered.arrows | wc -l)" -eq "$(wc -l <out/filtered.csv)" ] || fail "the stores differ"
	grep -qE "MISSING|TWICE" run.log again.log && fail "$(grep -hE "MISSING|TWICE" ./*.log)"
	return 0
}

# A chain of two, of which the second reads one tag of the first; the order of the stop.
case_chain() {
	write_config
	sed -i '/input/,/dice/d; 1a input = []' c/filter.toml
	"$bin" check c >check.log 2>&1 && fail "a processor that reads nothing was taken"
	grep -q 'filter.toml:2: input: it names nothing to read; .*\[\[input\]\]' check.log || fail "$(cat check.log)"
	write_config
	sed -i '/^column/d' c/filter.toml
	"$bin" check c >check.log 2>&1 && fail "a range without a column was taken"
	grep -q 'filter.toml:5: stage\[0\].column: a range needs' check.log || fail "$(cat check.log)"
	write_config
	cat >c/second.toml <<-END
		daq_job_type = "DAQJobFilter"
		daq_job_unique_id = "second"
		[[input]]
		job = "filter"
		[[stage]]
		kind = "prescale"
		every = 2
		[store_config.csv]
		file_path = "second.csv"
	END
	# nobody but the second one wants what the first one makes
	sed -i '/store_config/,$d' c/filter.toml
	start run.log run c
	await 20 test -s out/second.csv || fail "no rows"
	kill -KILL "$(pid_of filter)" "$(pid_of second)"
	sleep 1
	kill -INT "$run"
	wait "$run" || fail "exit code"
	awk -F, 'NR == 1 || ($2 >= 10 && n++ % 6 == 0)' out/dice.csv | cmp - out/second.csv || fail "the rows"
}

# A processor that comes to a stream in which batches are left has lost nothing, and says nothing of the kind.
case_comes_later() {
	write_config
	mv c/filter.toml filter.later
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	local store rows
	store=$(pid_of DAQJobStoreCSV)
	kill -STOP "$store"
	rows=$(wc -l <out/dice.csv)
	sleep 0.2
	# the stopped store before its supervisor, with whose end the kernel would let it go on
	# shellcheck disable=SC2046 # several numbers
	kill -KILL $(ps --ppid "$run" -o pid=) "$run"
	wait "$run" 2>/dev/null
	mv filter.later c/filter.toml
	start later.log run c
	await 20 test -s out/filtered.csv || fail "no rows of the filter"
	kill -INT "$run"
	wait "$run" || fail "exit code"
	[ "$(wc -l <out/dice.csv)" -gt "$rows" ] || fail "nothing was left to store"
	grep -q "dice: continues with its stream" later.log || fail "the stream was made anew"
	grep "can't be read" later.log && fail "it tells of a checkpoint that there never was"
	return 0
}

case_refused() {
	write_config
	sed -i 's/job = "dice"/job = "dise"/' c/filter.toml
	"$bin" check c >check.log 2>&1 && fail "an unknown input was taken"
	grep -q 'filter.toml:4: input.job: there is no job "dise"; did you mean dice' check.log || fail "no suggestion"
	write_config
	cat >c/second.toml <<-END
		daq_job_type = "DAQJobFilter"
		daq_job_unique_id = "second"
		[[input]]
		job = "filter"
		[store_config.csv]
	END
	sed -i 's/job = "dice"/job = "second"/' c/filter.toml
	"$bin" run c >check.log 2>&1 && fail "a circle was taken"
	grep -q "jobs read each other in a circle: filter reads second, which reads filter" check.log || fail "no circle"
	return 0
}

run_case "$@"
