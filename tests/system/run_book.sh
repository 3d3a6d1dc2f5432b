#!/bin/bash
# The run book of a whole system: run_book.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

write_lab() { # ID DATABASE
	write_dice_lab 16
	sed -i "s/supervisor_id = .*/supervisor_id = \"$1\"/" c/supervisor.toml
	[ -z "${2-}" ] || printf '[runs]\ndatabase = "%s"\n' "$2" >>c/supervisor.toml
}

# said CODE WORDS ARGUMENTS...: the program ends with that code and says those words
said() {
	local wanted=$1 words=$2 code=0
	shift 2
	"$bin" "$@" >said.log 2>&1 || code=$?
	[ "$code" = "$wanted" ] || fail "$* ended with $code, not $wanted"
	grep -qF -- "$words" said.log || fail "\"$words\" is not said by $*"
}

# What a user does with it, with a system that runs and without one.
# Nothing is said of a run any more: behind its end the program reads hashes of files.
rests() { ! pgrep -f -- "--inbox $ENRGDAQ_RUNTIME_DIR" >/dev/null; }

lists() { "$bin" runs | grep -q "$1"; }

case_notes_and_records() {
	write_lab lab
	"$bin" run c --duration 1 >first.log 2>&1 || fail "the first run"
	start second.log run c
	await 10 grep -q "run 2" second.log || fail "the second run has no number 2"
	await 10 lists "running" || fail "the second run is not on"
	said 0 "done" runs note last "beam was off"
	said 0 "done" runs flag last tainted --reason "door open"
	said 1 "end it first" runs delete last
	await 10 "$bin" runs list beam off --json || fail "the note is not found"
	"$bin" stop >stop.log 2>&1 || fail "stop"
	said 0 "done" runs note 1 "pedestal"
	said 0 "done" runs delete 1
	said 0 "complete tainted" runs
	grep -qE "^ +1 " said.log && fail "a run that was deleted is listed"
	said 0 "pedestal" runs show 1
	said 1 "has no run \"3\"" runs show 3
	# the records beside the data make it again, also what was said of each run
	await 20 rests || fail "the book's program goes on"
	"$bin" runs show 2 --json >before.json
	rm out/runs_lab.sqlite*
	said 0 "2 runs" runs rebuild out --database out/runs_lab.sqlite
	"$bin" runs show 2 --json >after.json
	# what was said in one moment may come in another order
	python3 - <<-'END' || fail "the run is another one after rebuild: $(diff before.json after.json)"
		import json
		def sort(value):
		    if isinstance(value, dict):
		        return {key: sort(one) for key, one in value.items()}
		    return sorted(map(sort, value), key=json.dumps) if isinstance(value, list) else value
		raise SystemExit(sort(json.load(open("before.json"))) != sort(json.load(open("after.json"))))
	END
	said 0 "sound" runs check
	"$bin" run c --duration 0.2 >third.log 2>&1
	grep -q "run 3" third.log || fail "numbers do not go on above the records"
}

# A second supervisor with the same database: it says who has it, and starts nothing.
case_two_supervisors() {
	write_lab one "$work/shared.sqlite"
	start one.log run c
	await 10 grep -q "run 1" one.log || fail "the first does not run"
	cp -r c other
	sed -i 's/supervisor_id = .*/supervisor_id = "two"/' other/supervisor.toml
	sed -i 's/dice\./other./' other/dice.toml
	"$bin" run other >two.log 2>&1 && fail "the second runs"
	grep -q "belongs to supervisor one" two.log || fail "it does not say who has the database"
	grep -q "runs.database" two.log || fail "it does not say what to do"
	[ ! -e out/other.csv ] || fail "it has begun to write data"
	# with its own, both run
	sed -i 's/^database = .*/database = "own.sqlite"/' other/supervisor.toml
	"$bin" run other --duration 1 >two.log 2>&1 || fail "the second does not run with its own"
	"$bin" stop one >stop.log 2>&1 || fail "stop"
	[ -e own.sqlite ] || fail "it has no run book"
}

# The program is killed again and again while a system runs: the run goes on, and stands whole in the book.
case_program_killed() {
	write_lab lab
	start run.log run c
	await 10 grep -q "run 1" run.log || fail "it does not run"
	for i in 1 2 3 4 5 6; do
		"$bin" runs note last "note $i" >note.log 2>&1 || fail "note $i"
		pkill -KILL -f -- "--inbox $ENRGDAQ_RUNTIME_DIR"
	done
	"$bin" stop >stop.log 2>&1 || fail "stop"
	await 20 grep -q "note 6" out/run_000001.json || fail "the record misses a note"
	for i in 1 2 3 4 5 6; do grep -q "note $i" out/run_000001.json || fail "note $i is lost"; done
	said 0 "complete" runs
	said 0 "sound" runs check
}

run_case "$@"
