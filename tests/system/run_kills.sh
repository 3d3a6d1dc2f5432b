#!/bin/bash
# Whoever is killed in whatever state of a run (supervisor, source, store, the book's program, all of them): numbers only
# ascend, no run stays open, ledgers and files are right. KILLS of them; `make torture` makes hundreds. run_kills.sh CASE.
. "$(dirname "$0")/harness.sh"
book=$(dirname "$bin")/enrgdaq-runs
KILLS=${KILLS:-16}
RANDOM=${SEED:-$$}
seed=$RANDOM

write_config() {
	mkdir -p config
	cat >config/supervisor.toml <<-END
		ring_buffer_size_mb = 8
		ring_buffer_slot_size_kb = 256
		restart_delay_seconds = 0.05
		[info]
		supervisor_id = "kills"
		[runs]
		control = true
		deadline_seconds = 20.0
	END
	local source
	for source in beam slow; do
		cat >config/$source.toml <<-END
			daq_job_type = "DAQJobBenchmark"
			payload_size = 100
			rate_hz = 100
			[store_config.csv]
			file_path = "$source.csv"
			[store_config.arrow]
			file_path = "$source.arrows"
		END
	done
	printf 'daq_job_type = "DAQJobStoreCSV"\nout_dir = "out"\nrotate_run = true\n' >config/csv.toml
	printf 'daq_job_type = "DAQJobStoreArrow"\nout_dir = "out"\nrotate_run = true\n' >config/arrow.toml
}

send() { "$bin" send --timeout 30 supervisor "$@" >"$work/send.log" 2>&1; }
is_state() { send run_state && grep -q "\"state\": \"$1\"" send.log; }
is_steady() { send run_state && grep -q '"state": "\(idle\|configured\|running\)"' send.log; }
is_closed() { is_state idle && grep -q '"closing": ""' send.log; }
children() { ps --ppid "$run" -o pid=; }
pid_of_book() { ps --ppid "$run" -o pid=,comm= | awk '$2 == "enrgdaq-runs" {print $1}'; }

starts=0
begin() {
	starts=$((starts + 1))
	start run$((starts % 3)).log run config
	await 30 "$bin" send supervisor run_state || fail "no supervisor"
}

# strike WHOM: the supervisor that was killed comes again
strike() {
	case $1 in
	supervisor) kill -KILL "$run" ;;
	all) kill -KILL "$run" $(children) 2>/dev/null ;;
	book) pid_of_book | xargs -r kill -KILL 2>/dev/null ;;
	*) pid_of "$1" | xargs -r kill -KILL 2>/dev/null ;;
	esac
	[ "$1" = supervisor ] || [ "$1" = all ] || return 0
	wait "$run" 2>/dev/null
	begin
}

pause() { [ $((RANDOM % 3)) = 0 ] || sleep 0.0$((RANDOM % 10))$((RANDOM % 10)); }

# one NUMBER: a run, and one of all is killed while it is in one of its states
one() {
	local victims=(supervisor beam csv arrow book all) when=$(($1 % 5)) victim id=k$1 asker
	victim=${victims[$((RANDOM % 6))]}
	echo "$id: $victim, $when" >>story.log
	[ $when = 0 ] && strike "$victim" # idle
	if [ $when = 1 ]; then # configured
		send run_configure id=$id
		strike "$victim"
	fi
	"$bin" send --timeout 30 supervisor run_start id=$id >"start_$id.txt" 2>&1 & # configuring, starting
	asker=$!
	if [ $when = 2 ]; then
		pause
		strike "$victim"
	fi
	wait "$asker"
	await 40 is_steady || fail "$id does not come to rest: $(cat send.log)"
	[ $when = 3 ] && { pause; strike "$victim"; } # running
	await 40 is_steady || fail "$id does not come to rest: $(cat send.log)"
	pause
	send run_stop & # stopping
	asker=$!
	if [ $when = 4 ]; then
		pause
		strike "$victim"
	fi
	wait "$asker"
	await 40 is_steady || fail "$id does not come to rest: $(cat send.log)"
	is_state idle || send run_stop || fail "$id can't be stopped: $(cat send.log)"
	await 40 is_closed || fail "$id is not closed: $(cat send.log)"
}

check() {
	"$book" list --json --limit 0 --database out/runs_kills.sqlite >runs.json || fail "the book can't be read"
	"$book" list --open --json --database out/runs_kills.sqlite >open.json && [ "$(tr -d ' \n' <open.json)" = "[]" ] ||
		fail "runs are open: $(cat open.json)"
	"$book" check --database out/runs_kills.sqlite >check.log 2>&1 || fail "the book is not sound: $(cat check.log)"
	python3 - "$1" <<-'END' >judge.log 2>&1 || fail "$(cat judge.log)"
		import glob, json, os, re, sys
		runs = sorted(json.load(open("runs.json")), key=lambda run: run["began_wall_ns"])
		numbers = [run["number"] for run in runs]
		assert all(a < b for a, b in zip(numbers, numbers[1:])), f"numbers do not ascend: {numbers}"
		assert len(runs) >= int(sys.argv[1]), f"{len(runs)} runs"
		by_id = {run["run"]: run for run in runs}
		rows, files = {}, 0
		for path in glob.glob("out/*_k*.csv"):
		    source, name = re.match(r"out/(\w+?)_(k\d+)", path).groups()
		    rows[source, name] = rows.get((source, name), 0) + sum(1 for _ in open(path)) - 1
		for path in glob.glob("out/*.csv.run.json"):
		    for said in json.load(open(path)).get("runs", []):
		        assert said["run"] not in by_id or said["number"] == by_id[said["run"]]["number"], f"{path}: {said}"
		        files += said["run"] in by_id
		for path in glob.glob("out/run_*_k*.json"):
		    account = json.load(open(path))
		    run = by_id[account["run"]]
		    assert account["number"] == run["number"], f"{path}: {account['number']}, the book has {run['number']}"
		    assert account["closed"], f"{path} is not closed"
		    assert account["aborted"] or account["accounted"], f"{path} is not accounted for"
		    assert run["quality"] == ("aborted" if account["aborted"] else "complete"), f"{run} {account}"
		    for source in account["sources"]:
		        made, stored = source["produced_rows"], rows.get((source["source"], account["run"]), 0)
		        assert made == stored, f"{path}: {source['source']} made {made} rows, its file has {stored}"
		print(f"{len(runs)} runs, {files} side files")
	END
	cat judge.log
}

case_storm() {
	local i
	echo "seed $seed"
	write_config
	begin
	for i in $(seq "$KILLS"); do one "$i"; done
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	"$bin" verify out/*.arrows >verify.log 2>&1 ||
		fail "verify: $(grep "not whole" verify.log; cat story.log)"
	check "$((KILLS * 6 / 10))" # an ask may die with the supervisor that it was made of
}

run_case "$@"
