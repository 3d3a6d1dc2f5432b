#!/bin/bash
# Files that are taken away under a run: taken_away.sh CASE. Needs ENRGDAQ_BIN; each case has a folder and a runtime folder
# of its own. What must hold: each store says so, the ledger says how much is gone, the exit code is 1, and the files that
# are there agree with that.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-test.XXXXXX)
started=()
stores="CSV Arrow Raw ROOT HDF5 SQLite"

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; tail -n 40 "$file" >&2; done
	ls -la "$work/out" >&2
	exit 1
}

finish() {
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	for _ in $(seq 100); do
		[ -z "$(grep -l -s -F "$ENRGDAQ_RUNTIME_DIR" /proc/[0-9]*/maps 2>/dev/null)" ] && break
		sleep 0.1
	done
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}
trap finish EXIT

# until SECONDS COMMAND...: the command succeeds at last
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.05
	done
}

start() { # LOG ARGUMENTS...: in the background; pid in $run
	local log=$1
	shift
	"$bin" "$@" >"$work/$log" 2>&1 &
	run=$!
	started+=("$run")
}

# A source of 50 batches a second that goes to every store of files that this build has.
write_config() {
	mkdir -p "$work/c"
	cat >"$work/c/supervisor.toml" <<-END
		ring_buffer_size_mb = 8
		ring_buffer_slot_size_kb = 64
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "away"
	END
	cat >"$work/c/source.toml" <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "source"
		payload_size = 10
		rate_hz = 50
	END
	local store kept=
	for store in $stores; do
		"$bin" describe "DAQJobStore$store" >/dev/null 2>&1 || continue
		kept="$kept $store"
		case $store in
		CSV) printf '[store_config.csv]\nfile_path = "a.csv"\n' ;;
		Arrow) printf '[store_config.arrow]\nfile_path = "a.arrows"\n' ;;
		Raw) printf '[store_config.raw]\nfile_path = "a.bin"\n' ;;
		ROOT) printf '[store_config.root]\nfile_path = "a.root"\ntree_name = "t"\n' ;;
		HDF5) printf '[store_config.hdf5]\nfile_path = "a.h5"\ndataset_name = "t"\n' ;;
		SQLite) printf '[store_config.sqlite]\nfile_path = "a.sqlite"\ntable_name = "t"\n' ;;
		esac >>"$work/c/source.toml"
	done
	stores=$kept
}

file_of() { # STORE
	case $1 in
	CSV) echo a.csv ;;
	Arrow) echo a.arrows ;;
	Raw) echo a.bin.arrows ;;
	ROOT) echo a.root ;;
	HDF5) echo a.h5 ;;
	SQLite) echo a.sqlite ;;
	esac
}

have_files() {
	local store
	for store in $stores; do [ -s "out/$(file_of "$store")" ] || return 1; done
}

have_alerts() { # WORDS: of every store
	local store
	for store in $stores; do grep -qE "ERROR DAQJobStore$store: .*$(file_of "$store") .*$1" "$work/run.log" || return 1; done
}

begin() {
	cd "$work" || exit 1
	write_config
	start run.log run c
	await 20 have_files || fail "no files"
	sleep 1.2 # a look at the files as they are
}

# What is in the files now and what the ledger calls gone make up what was produced.
check_rows() {
	python3 - "$1" "$stores" <<-'END' || fail "the files and the ledger do not agree"
		import csv, glob, json, sqlite3, sys
		exact, stores = sys.argv[1] == "exact", sys.argv[2].split()
		ledger = json.load(open(glob.glob("out/ledger_*.json")[0]))
		produced = ledger["sources"][0]["produced_rows"]
		gone = {loss["of"]: loss for loss in ledger["losses"]}
		assert not ledger["accounted"] and produced > 0, ledger
		for store in stores:
		    loss = gone["DAQJobStore" + store]
		    assert loss["files"] > 0, loss
		    if store == "CSV":
		        rows = sum(1 for _ in open("out/a.csv")) - 1
		    elif store == "SQLite":
		        rows = sqlite3.connect("out/a.sqlite").execute("SELECT count(*) FROM t").fetchone()[0]
		    else:
		        continue
		    print(store, "produced", produced, "in the file", rows, "gone", loss["rows"])
		    assert rows > 0
		    if exact:
		        assert rows + loss["rows"] == produced
		    else:
		        assert rows <= produced
	END
}

end_run() { # WORDS exact|some
	await 20 have_alerts "$1" || fail "not every store has said it"
	await 20 have_files || fail "not every file was begun anew"
	sleep 1
	kill -INT "$run"
	wait "$run"
	local code=$?
	[ $code -eq 1 ] || fail "exit code $code, 1 was expected"
	grep -q "TAKEN AWAY" "$work/run.log" || fail "the ledger does not say it"
	[ "$2" = none ] || check_rows "$2"
	"$bin" verify out/a.arrows >"$work/verify.log" 2>&1
	grep -q "is not a\|damage" "$work/verify.log" && fail "the .arrows file that was begun anew is not whole"
	return 0
}

case_removed() {
	begin
	rm -rf out
	end_run "was removed" exact
}

# Hidden files of stores stay.
case_removed_all_but_hidden() {
	begin
	rm -f out/*
	end_run "was removed" exact
}

case_replaced() {
	begin
	local store
	for store in $stores; do
		cp "out/$(file_of "$store")" "$work/copy"
		mv "$work/copy" "out/$(file_of "$store")"
	done
	end_run "was replaced" some
}

case_cut() {
	begin
	local store
	for store in $stores; do : >"out/$(file_of "$store")"; done
	end_run "was cut" some
}

case_moved() {
	begin
	local store
	for store in $stores; do mv "out/$(file_of "$store")" "out/old_$(file_of "$store")"; done
	end_run "was (moved|removed)" none
	local rows
	rows=$(cat out/a.csv out/old_a.csv | grep -cv '^timestamp')
	grep -q "\"produced_rows\": $rows," out/ledger_*.json || fail "$rows rows in both CSV files"
}

name=${1:?name of a case}
declare -F "case_$name" >/dev/null || { echo "no case $name" >&2; exit 2; }
"case_$name"
echo "$name: well"
