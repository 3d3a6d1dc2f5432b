#!/bin/bash
# A run that changes where something stands in the way: changing_faults.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/changes.sh"

# All that the sources have made stands in that file, each row once.
is_whole() { # LEDGER SOURCE FILE
	local produced
	produced=$(value "sum(s['produced_rows'] for s in x['sources'] if s['source'] == '$2')" <"$1")
	[ "$produced" = "$(rows_of "$3")" ] || fail "$2 has produced $produced rows, $3 has $(rows_of "$3")"
	[ -z "$(sort "$3" | uniq -d | head -n 1)" ] || fail "rows stand twice in $3"
}

# A source that is removed with what waits of it, twice, and comes again: its batches count on, and all are stored.
case_source_now() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	printf '[store_config.arrow]\nfile_path = "a.arrows"\n' >>config/a.toml
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/disk.toml disk DAQJobStoreArrow arrow
	start run.log run config
	local i before
	for i in 1 2; do
		await 20 has_rows out/a.csv $((i * 100)) || fail "no rows"
		if [ $i = 1 ]; then
			before=$(rows_of out/a.csv)
			"$bin" job stop csv >stop.txt 2>&1 || fail "$(cat stop.txt)"
			grep -q "what a sends to it waits in shared memory.*held back" stop.txt || fail "it does not say what waits: $(cat stop.txt)"
			sleep 0.3
		fi
		"$bin" job remove a --now >remove.txt 2>&1 || fail "$(cat remove.txt)"
		[ -z "$(pid_of a)" ] || fail "it still runs"
		"$bin" job add config/a.toml >add.txt 2>&1 || fail "$(cat add.txt)"
		[ $i = 2 ] || "$bin" job start csv >start.txt 2>&1 || fail "$(cat start.txt)"
		await 20 has_rows out/a.csv $((before + 500)) || fail "it does not go on"
	done
	stop_run run.log
	is_settled run.log
	is_whole "$(ls out/ledger_*.json)" a out/a.csv
	"$bin" verify arrow >verify.log 2>&1 || fail "batches of the same number: $(cat verify.log)"
}

# The supervisor is killed while a reload waits; the next start stores what was left, for who is there then.
case_killed_in_a_reload() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/more.toml more DAQJobStoreCSV more
	start run.log run config
	await 20 has_rows more/a.csv 100 || fail "no rows"
	local guest waiter
	guest=$(pid_of more)
	kill -STOP "$guest" || fail "more is not there"
	await 20 has_rows out/a.csv $(($(rows_of more/a.csv) + 100)) || fail "nothing waits for it"
	rm config/more.toml
	write_source config/b.toml b 100 csv b.csv
	"$bin" reload >wait.txt 2>&1 &
	waiter=$!
	started+=("$waiter")
	await 20 grep -q "^waits: more has still to store what was sent to it" wait.txt || fail "it does not say what it waits for: $(cat wait.txt)"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	# killed as well, it leaves what waits for it to the next start
	kill -KILL "$guest" 2>/dev/null
	wait "$waiter" && fail "it says that all is done"
	no_jobs() { [ -z "$(jobs_here)" ]; }
	await 30 no_jobs || fail "jobs outlive their supervisor"
	write_store config/more.toml more DAQJobStoreCSV more
	local before
	before=$(rows_of out/a.csv)
	start again.log run config
	await 20 has_rows out/a.csv $((before + 200)) || fail "it does not go on"
	await 20 has_rows out/b.csv 100 || fail "b does not run"
	stop_run again.log
	is_settled again.log
	[ -z "$(sort out/a.csv | uniq -d | head -n 1)" ] || fail "rows stand twice"
	[ "$(tail -n +2 more/a.csv | sort | comm -23 - <(sort out/a.csv) | wc -l)" = 0 ] || fail "rows of one store are missing in the other"
	cmp -s <(sort more/a.csv) <(sort out/a.csv) || fail "the two stores have not the same rows"
}

# Commands of another user are refused with a sentence, and change nothing.
case_other_user() {
	[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
	is_sanitized && return
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	start run.log run config
	await 20 has_rows out/a.csv 10 || fail "no rows"
	local pid
	pid=$(pid_of a)
	chmod 755 "$work"
	cp "$bin" "$work/enrgdaq" # where everybody may read it
	chmod -R go+rX "$ENRGDAQ_RUNTIME_DIR"
	setpriv --reuid nobody --regid nogroup --clear-groups "$work/enrgdaq" job --id changing stop a >other.txt 2>&1 && fail "another user stops a job"
	setpriv --reuid nobody --regid nogroup --clear-groups "$work/enrgdaq" reload changing >>other.txt 2>&1 && fail "another user reloads"
	[ "$(grep -cE "belongs to|may not give commands" other.txt)" = 2 ] || fail "it does not say why: $(cat other.txt)"
	[ "$(pid_of a)" = "$pid" ] || fail "the job was touched"
	stop_run run.log
}

# Changes while run control has a run open: it closes, and its account is right about those that stay.
case_in_a_run() {
	write_supervisor
	printf '[runs]\ncontrol = true\ndeadline_seconds = 20.0\n' >>config/supervisor.toml
	write_source config/a.toml a 200 csv a.csv
	write_source config/b.toml b 200 csv b.csv
	sed -i '/^\[store/i acquire = "in_runs"' config/a.toml config/b.toml
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 "$bin" send --timeout 20 supervisor run_start id=r1 || fail "no run begins"
	await 20 has_rows out/a.csv 100 || fail "no rows"
	await 20 has_rows out/b.csv 100 || fail "no rows of b"
	"$bin" job remove b >remove.txt 2>&1 || fail "$(cat remove.txt)"
	write_store config/more.toml more DAQJobStoreCSV more
	"$bin" job add config/b.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	local before
	before=$(rows_of out/a.csv)
	await 20 has_rows more/a.csv 100 || fail "no rows for the guest"
	await 20 has_rows out/a.csv $((before + 100)) || fail "it does not go on"
	"$bin" send --timeout 40 supervisor run_stop >stop.txt 2>&1 || fail "$(cat stop.txt)"
	is_closed() { grep -qs '"closed": true' out/run_*r1.json; }
	await 30 is_closed || fail "the run does not close"
	grep -q '"accounted": false' out/run_*r1.json && fail "$(cat out/run_*r1.json)"
	stop_run run.log
	is_settled run.log
	is_whole "$(ls out/ledger_*.json)" a out/a.csv
	is_whole "$(ls out/ledger_*.json)" b out/b.csv
}

# A job is killed while it is stopped, started, restarted, removed or added, at any moment of that: the change is done or
# says that it is not, the next one is taken, and in the end nothing is lost and nothing there twice. So is, now and then,
# the supervisor: the next one has the folder as it is.
case_killed_in_each_change() {
	write_supervisor
	write_source config/a.toml a 300 csv a.csv
	write_source config/b.toml b 300 csv b.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	RANDOM=${SEED:=$$}
	local round verb name victim changer log=run0.log
	start $log run config
	await 20 has_rows out/b.csv 50 || fail "no rows"
	for round in $(seq "${KILLS:-2}"); do
		for verb in stop start restart remove add; do
			name=b victim=b
			[ $((RANDOM % 3)) = 0 ] && [ $verb != remove ] && [ $verb != add ] && name=csv victim=csv
			if [ $verb = add ]; then "$bin" job add config/b.toml; else "$bin" job $verb $name; fi >change.txt 2>&1 &
			changer=$!
			sleep 0.00$((RANDOM % 10))
			kill_job $victim
			wait $changer
			# whatever became of it, both run before the next
			"$bin" job start b >start.txt 2>&1 || "$bin" job add config/b.toml >start.txt 2>&1
			"$bin" job start csv >start.txt 2>&1
			await 30 is_state b running || fail "SEED=$SEED: after $verb $name b is $(state_of b): $(cat change.txt start.txt)"
			await 30 is_state csv running || fail "SEED=$SEED: after $verb $name csv is $(state_of csv): $(cat change.txt start.txt)"
		done
		[ $((round % 2)) = 0 ] || continue
		"$bin" job restart b >change.txt 2>&1 &
		sleep 0.00$((RANDOM % 10))
		kill -KILL "$run"
		wait "$run" 2>/dev/null
		log=run$round.log
		start $log run config
		await 30 is_state b running || fail "SEED=$SEED: b does not run under the next supervisor"
	done
	stop_run $log
	is_settled $log
	echo "SEED=$SEED"
	for name in a b; do is_whole "$(ls out/ledger_*.json)" $name out/$name.csv; done # one ledger: the run has gone on
}
kill_job() { local pid; pid=$(pid_of "$1") && [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; }

# A source that is removed leaves no ring: a small file says where it counts on. It comes again in the same run, also under
# the next supervisor, which knows what it had made, wherever the one before was killed: before the ring was put aside,
# between its name and its memory, or while it was brought back.
case_source_gone_and_back() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	printf '[store_config.arrow]\nfile_path = "a.arrows"\n' >>config/a.toml
	write_source config/b.toml b 50 csv b.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/disk.toml disk DAQJobStoreArrow arrow
	local folder=$ENRGDAQ_RUNTIME_DIR/changing before moment i=0 log=run0.log
	start $log run config
	for moment in none "" ring pages back; do
		before=$(rows_of out/a.csv)
		await 20 has_rows out/a.csv $((before + 200)) || fail "no rows ($moment)"
		# its file stays where it is to come again with the next supervisor
		"$bin" job remove a >remove.txt 2>&1 || fail "$(cat remove.txt)"
		[ ! -e "$folder/a.stream" ] || fail "its ring is still there"
		[ "$(du -k "$folder/a.parted" | cut -f1)" -le 64 ] || fail "what is left of it is not small: $(du -k "$folder/a.parted")"
		if [ "$moment" != none ]; then
			[ -z "$moment" ] || mv config/a.toml a.toml
			[ "$moment" != back ] || mv a.toml config/a.toml
			kill -KILL "$run"
			wait "$run" 2>/dev/null
			no_jobs() { [ -z "$(jobs_here)" ]; }
			await 30 no_jobs || fail "jobs outlive their supervisor"
			case $moment in
			ring) mv "$folder/a.parted" "$folder/a.stream" ;;
			pages | back) fallocate -o 1245184 -l 1000000 "$folder/a.parted" ;; # as SEGMENT_DATA_AT
			esac
			log=run$((i += 1)).log
			start $log run config
			await 30 is_state b running || fail "b does not run ($moment)"
			if [ -e a.toml ]; then
				[ ! -e "$folder/a.stream" ] || fail "a ring that nobody has lies there ($moment)"
				[ "$(du -k "$folder/a.parted" | cut -f1)" -le 64 ] || fail "what is left of it is not small ($moment)"
				[ "$(value "[s['produced_rows'] for s in x['ledger']['sources'] if s['source'] == 'a'][0]" <"$folder/status.json")" = "$(rows_of out/a.csv)" ] ||
					fail "the next supervisor does not know what a had made ($moment): $(cat "$folder/status.json")"
				mv a.toml config/a.toml
			fi
		fi
		[ "$(state_of a)" != "" ] || "$bin" job add config/a.toml >add.txt 2>&1 || fail "$(cat add.txt)"
		[ ! -e "$folder/a.parted" ] || fail "it does not count on ($moment)"
	done
	before=$(rows_of out/a.csv)
	await 20 has_rows out/a.csv $((before + 100)) || fail "no rows"
	stop_run $log
	is_settled $log
	is_whole "$(ls out/ledger_*.json)" a out/a.csv # one ledger: the run has gone on
	"$bin" verify arrow >verify.log 2>&1 || fail "batches of the same number: $(cat verify.log)"
	[ -z "$(ls "$folder"/*.parted "$folder"/removed.json 2>/dev/null)" ] || fail "something is left: $(ls "$folder")"
}

# The same over ZeroMQ.
case_links_in_a_run() { LINKS=1 && case_in_a_run; }
case_links_killed_in_a_reload() { LINKS=1 && case_killed_in_a_reload; }

# A store joins a source that does not run: its queue of signals is not filled meanwhile, and it joins when that goes on.
case_joins_a_stopped_source() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 has_rows out/a.csv 10 || fail "no rows"
	local pid waiter queued
	pid=$(pid_of a)
	kill -STOP "$pid"
	write_store config/more.toml more DAQJobStoreCSV more
	"$bin" reload >reload.txt 2>&1 &
	waiter=$!
	started+=("$waiter")
	await 20 grep -q "^waits: a has still to answer that a store joins" reload.txt || fail "it does not say what it waits for: $(cat reload.txt)"
	sleep 1.5
	# of all processes of this user
	queued=$(sed -n 's/^SigQ:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
	[ "$queued" -lt 20 ] || fail "$queued orders wait for a process that does not run"
	kill -CONT "$pid"
	wait "$waiter" || fail "$(cat reload.txt)"
	await 20 has_rows more/a.csv 50 || fail "no rows for the guest"
	[ "$(pid_of a)" = "$pid" ] || fail "it was started again"
	stop_run run.log
	is_settled run.log
}

# A source that can be given no order (its queue of signals is full) is killed when its time is over, not waited for.
case_no_order_gets_through() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	start run.log run config
	await 20 has_rows out/a.csv 10 || fail "no rows"
	local pid before
	pid=$(pid_of a)
	prlimit --pid "$pid" --sigpending=0:0 || fail "prlimit"
	"$bin" job restart a >restart.txt 2>&1 || fail "$(cat restart.txt)"
	grep -q "a could not be asked to end (its queue of signals is full) within 10 s: killed" run.log || fail "it does not say so"
	[ "$(pid_of a)" != "$pid" ] || fail "it still runs"
	before=$(rows_of out/a.csv)
	await 20 has_rows out/a.csv $((before + 50)) || fail "it does not go on"
	stop_run run.log
	is_settled run.log
}

run_case "$@"
