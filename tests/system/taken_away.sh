#!/bin/bash
# Files that are taken away under a run: taken_away.sh CASE. Needs ENRGDAQ_BIN; each case has a folder and a runtime folder
# of its own. What must hold: each store says so, the ledger says how much is gone, the exit code is 1, and the files that
# are there agree with that.
. "$(dirname "$0")/harness.sh"
stores="CSV Arrow Raw ROOT HDF5 SQLite"

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

# Hidden files alone: the file continues from its last commit, and no row is gone.
case_helpers_removed() {
	stores="HDF5 CSV"
	begin
	[ -e out/.a.h5.undo ] || exit 77
	rm out/.a.h5.*
	await 20 have_line "ERROR DAQJobStoreHDF5: out/.a.h5.undo was removed.*no row was in it" || fail "no word"
	await 20 test -e out/.a.h5.undo || fail "they are not there again"
	sleep 1
	kill -INT "$run"
	wait "$run"
	[ $? -eq 1 ] || fail "exit code"
	[ -d "${READERS:-}/node_modules/h5wasm" ] || return 0
	cp out/a.h5 out/ledger_*.json "$work"
	(cd "$READERS" && node --input-type=module -) >"$work/rows.log" 2>&1 <<-END || fail "rows of the HDF5 file are lost"
		import { readdirSync, readFileSync } from "node:fs";
		import h5wasm from "h5wasm/node";
		await h5wasm.ready;
		const folder = "$work/";
		const ledger = JSON.parse(readFileSync(folder + readdirSync(folder).find((name) => /^ledger_/.test(name))));
		const group = new h5wasm.File(folder + "a.h5", "r").get("t");
		const rows = group.keys().map((key) => group.get(key).shape[0]);
		console.log(rows, ledger.sources[0].produced_rows);
		if (rows.length === 0 || rows.some((count) => count !== ledger.sources[0].produced_rows)) process.exit(1);
	END
	cat "$work/rows.log"
}

# A disk that is unmounted under the store: it continues in the folder that is there then.
case_unmounted() {
	stores="CSV Arrow"
	mkdir "$work/out"
	mount -t tmpfs -o size=64m tmpfs "$work/out" 2>/dev/null || exit 77
	begin
	umount -l "$work/out"
	end_run "was unmounted" none
}

# --- the runtime folder -------------------------------------------------------------------------------------------

have_line() { # WORDS
	grep -qE "$1" "$work/run.log"
}

is_led() { # every stream and journal of the run has its name again
	local count
	count=$(find "$ENRGDAQ_RUNTIME_DIR/away" -name '*.stream' -o -name '*.journal' | wc -l)
	[ "$count" -gt 1 ] && [ -e "$ENRGDAQ_RUNTIME_DIR/away/lock" ] && [ -S "$ENRGDAQ_RUNTIME_DIR/away/bus.pub" ]
}

check_both() { # the files and the ledger agree
	python3 - <<-'END' || fail "the files and the ledger do not agree"
		import glob, json
		produced = lost = 0
		for name in glob.glob("out/ledger_*.json"):
		    for source in json.load(open(name))["sources"]:
		        produced += source["produced_rows"]
		rows = sum(1 for _ in open("out/a.csv")) - 1
		print("produced", produced, "in the file", rows)
		assert produced == rows > 0
	END
	"$bin" verify out/a.arrows >"$work/verify.log" 2>&1 || fail "verify"
}

# What logind does when the last session of a user ends. Then any job is started again, and somebody starts the run again.
case_runtime_removed() {
	stores="CSV Arrow"
	begin
	find "$ENRGDAQ_RUNTIME_DIR" -mindepth 1 -delete
	"$bin" run c --duration 1 >"$work/second.log" 2>&1 && fail "a second run was started beside the first"
	grep -q "runs already as process $run;" "$work/second.log" || fail "the second start does not name the first"
	await 10 is_led || fail "it was not put right"
	have_line "ERROR .*was removed.*put right again" || fail "nothing was said"
	"$bin" status away >"$work/status.log" 2>&1 || fail "status does not see the run"
	kill -KILL "$(pid_of DAQJobStoreCSV)"
	await 10 have_line "DAQJobStoreCSV ended: " || fail "the store was not ended"
	sleep 1.5
	find "$ENRGDAQ_RUNTIME_DIR" -mindepth 1 -delete
	kill -KILL "$(pid_of source)" # before anybody has looked
	sleep 1.5
	"$bin" stop away >"$work/stop.log" 2>&1
	wait "$run"
	[ $? -eq 1 ] || fail "an outage of the runtime folder is no clean run"
	grep -q "accounted, over an outage" "$work/run.log" || fail "the ledger does not say it"
	grep -qE "MISSING|TWICE|NOT KNOWN" "$work/run.log" && fail "the ledger is not settled"
	check_both
	[ -z "$(find "$ENRGDAQ_RUNTIME_DIR/away" -name '*.stream')" ] || fail "a stream is left"
}

# One file after the other: each is there again, and nobody ends.
case_runtime_files_removed() {
	stores="CSV Arrow"
	begin
	local file folder=$ENRGDAQ_RUNTIME_DIR/away pid
	for file in lock run.json status.json bus.pub bus.sub source.stream DAQJobStoreCSV.journal; do
		[ -e "$folder/$file" ] || fail "there is no $file"
		rm "$folder/$file"
		await 10 test -e "$folder/$file" || fail "$file is not there again"
	done
	echo foreign >"$folder/foreign"
	mv "$folder/foreign" "$folder/source.stream"
	await 10 test -L "$folder/source.stream" || fail "a foreign file stays in the place of the stream"
	rm "$folder"/*.page
	pid=$(pid_of source)
	kill -KILL "$pid"
	await 10 test -e "$folder/source.page" || fail "a new life has no page"
	"$bin" status away >"$work/status.log" 2>&1 || fail "status"
	"$bin" stop away >"$work/stop.log" 2>&1
	wait "$run"
	[ $? -eq 1 ] || fail "exit code"
	[ "$(grep -c 'ERROR.*put right again' "$work/run.log")" -ge 6 ] || fail "not each of them was told"
	grep -qE "MISSING|TWICE|NOT KNOWN" "$work/run.log" && fail "the ledger is not settled"
	check_both
}

# The same where batches travel over sockets: a source that is started again must reach its stores.
case_link_removed() {
	stores="CSV Arrow"
	write_config
	sed -i '1i use_shm_when_possible = false' "$work/c/source.toml"
	cd "$work" || exit 1
	start run.log run c
	await 20 have_files || fail "no files"
	sleep 1.2
	find "$ENRGDAQ_RUNTIME_DIR" -mindepth 1 -delete
	await 10 have_line "ERROR DAQJobStoreCSV: .*the socket that producers send to was removed" || fail "no word"
	await 10 have_line "ERROR DAQJobStoreArrow: .*the socket that producers send to was removed" || fail "no word"
	kill -KILL "$(pid_of source)"
	await 10 have_line "source ended: " || fail "the source was not ended"
	sleep 2.5
	kill -INT "$run"
	wait "$run"
	[ $? -eq 1 ] || fail "exit code"
	grep -qE "MISSING|TWICE|NOT KNOWN" "$work/run.log" && fail "the ledger is not settled"
	check_both
}

# What is left in shared memory that has no name any more outlives the supervisor.
case_runtime_removed_and_hurried() {
	stores=CSV
	begin
	find "$ENRGDAQ_RUNTIME_DIR" -mindepth 1 -delete
	await 10 is_led || fail "it was not put right"
	kill -STOP "$(pid_of DAQJobStoreCSV)"
	sleep 0.5
	kill -INT "$run"
	sleep 0.5
	kill -INT "$run"
	wait "$run"
	[ $? -eq 1 ] || fail "exit code"
	[ -f "$ENRGDAQ_RUNTIME_DIR/away/source.stream" ] && [ ! -L "$ENRGDAQ_RUNTIME_DIR/away/source.stream" ] ||
		fail "the stream is not there for the next run"
	sleep 1.1 # runs have the second of their start in their names
	"$bin" run c --duration 1 >"$work/again.log" 2>&1 || fail "exit code $? of the next run"
	python3 - <<-'END' || fail "rows are lost"
		import glob, json
		ledgers = [json.load(open(name)) for name in glob.glob("out/ledger_*.json")]
		produced = sum(ledger["sources"][0]["produced_rows"] for ledger in ledgers)
		rows = sum(1 for _ in open("out/a.csv")) - 1
		print("produced", produced, "in the file", rows)
		assert produced == rows > 0
	END
}

# A ring that somebody cuts: no store of it can go on, and the run says so.
case_stream_cut() {
	is_sanitized && exit 77 # it ends the reader of what is gone in its own way
	stores="CSV Arrow"
	write_config
	sed 's/"source"/"other"/; s/a\.csv/o.csv/; s/a\.arrows/o.arrows/' "$work/c/source.toml" >"$work/c/other.toml"
	begin
	await 10 test -s out/o.arrows || fail "no files of the other source"
	: >"$ENRGDAQ_RUNTIME_DIR/away/source.stream"
	await 10 have_line "ERROR .*source.stream, the ring of source, was cut" || fail "nothing was said"
	gone && fail "the supervisor has ended"
	kill -INT "$run"
	await 5 have_line "stopping" || fail "it does not stop"
	# There is nothing to wait for; a second one that comes at once is taken for the first.
	is_fast() { have_line "fast stop: what is not stored" || { kill -INT "$run" && false; }; }
	await 5 is_fast || fail "it does not stop fast"
	wait "$run"
	[ $? -eq 1 ] || fail "exit code"
	have_line "source: its stream was found damaged" || fail "the ledger does not say it"
	# The way out: a start puts the ring aside, and what the other source had sent is stored.
	sleep 1.1 # runs have the second of their start in their names
	"$bin" run c --duration 1 >"$work/again.log" 2>&1
	[ $? -eq 1 ] || fail "exit code of the next run"
	grep -q "source.stream.* moved to .*damaged" "$work/again.log" || fail "the damaged ring is not put aside"
	sleep 1.1
	"$bin" run c --duration 1 >"$work/last.log" 2>&1 || fail "exit code $? of the run after it"
	"$bin" cat out/o.arrows >o.arrows.csv
	python3 - <<-'END' || fail "rows of the other source are lost"
		import glob, json
		ledgers = [json.load(open(name)) for name in glob.glob("out/ledger_*.json")]
		produced = sum(source["produced_rows"] for ledger in ledgers for source in ledger["sources"]
			if source["source"] == "other")
		rows = [sum(1 for _ in open(name)) - 1 for name in ("out/o.csv", "o.arrows.csv")]
		print("produced", produced, "in the files", rows)
		assert produced == rows[0] == rows[1] > 0
	END
}

gone() { ! kill -0 "$run" 2>/dev/null || [ "$(ps -o stat= -p "$run" | cut -c1)" = Z ]; }

# The supervisor and its jobs, before one of them can end in order. The supervisor stands still meanwhile, so that it
# starts none again, and dies last: stopped jobs whose parent dies are woken by the kernel (SIGHUP, SIGCONT).
kill_all() {
	local jobs
	kill -STOP "$run"
	jobs=$(pgrep -P "$run")
	kill -KILL $jobs
	kill -KILL "$run"
	wait "$run" 2>/dev/null
}

# A damaged stream at the start: rows are gone, and the run does not end with 0.
case_stream_damaged() {
	stores=CSV
	begin
	kill -STOP "$(pid_of DAQJobStoreCSV)"
	sleep 2.2 # status.json knows what waits
	kill_all
	printf 'damage!!' | dd of="$ENRGDAQ_RUNTIME_DIR/away/source.stream" conv=notrunc status=none
	"$bin" run c --duration 1 >"$work/run.log" 2>&1
	[ $? -eq 1 ] || fail "exit code"
	have_line "ERROR .*batches .* waited in that stream" || fail "it does not say how much"
	have_line "source: its stream was found damaged.*: [0-9]+ batches" || fail "the ledger does not say it"
	python3 - <<-'END' || fail "the ledger beside the data does not say it"
		import glob, json
		losses = [json.load(open(name))["losses"] for name in glob.glob("out/ledger_*.json")]
		print(losses)
		assert any(loss["kind"] == "stream" and loss["batches"] > 0 for item in losses for loss in item)
	END
}

# A store that was killed knows how long its file was: no other file comes to that name by `convert`, and who makes a
# smaller copy of it is warned.
case_converted() {
	stores="CSV Arrow"
	begin
	kill_all
	"$bin" convert --compact out/a.arrows copy.arrows 2>convert.log || fail "exit code $? of a copy"
	grep -q "DAQJobStoreArrow of away has not closed out/a.arrows" convert.log || fail "no warning of rows to come"
	mv out/a.arrows kept.arrows
	"$bin" convert --compact kept.arrows ../"$(basename "$work")"/out/a.arrows 2>convert.log
	[ $? -eq 2 ] || fail "the name of a file that is not closed was given away"
	[ ! -e out/a.arrows ] || fail "a file stands there"
	mv kept.arrows out/a.arrows
	"$bin" run c --duration 1 >again.log 2>&1 || fail "exit code $? of the next run"
	"$bin" convert --compact out/a.arrows last.arrows 2>convert.log || fail "exit code $? of the last copy"
	[ -s convert.log ] && fail "words about a file that is closed: $(cat convert.log)"
	[ "$("$bin" cat last.arrows | wc -l)" -eq "$(wc -l <out/a.csv)" ] || fail "rows are missing"
}

# A job more, a job less and a store less after a killed supervisor: what waits for stores that are configured is stored by
# them, and only what no store takes any more is saved in recovered_….arrows.
case_configuration_changed() {
	stores="CSV Arrow"
	write_config
	cp "$work/c/source.toml" "$work/c/other.toml"
	sed -i 's/"source"/"other"/; s/a\.csv/o.csv/; s/a\.arrows/o.arrows/' "$work/c/other.toml"
	cp "$work/c/other.toml" "$work/c/third.toml"
	sed -i 's/"other"/"third"/; s/o\.csv/t.csv/; s/o\.arrows/t.arrows/' "$work/c/third.toml"
	cd "$work" || exit 1
	start run.log run c
	await 20 test -s out/t.arrows || fail "no files"
	kill -STOP "$(pid_of DAQJobStoreCSV)" "$(pid_of DAQJobStoreArrow)"
	sleep 1
	kill_all
	sed -i 's/"other"/"new"/; s/o\.csv/n.csv/; s/o\.arrows/n.arrows/' "$work/c/other.toml" # one less, one more
	sed -i '/store_config.csv/,+1d' "$work/c/third.toml"                                    # a store less
	printf '\n[store_config.raw]\nfile_path = "s"\n' >>"$work/c/source.toml"               # a store more
	"$bin" run c --duration 2 >"$work/again.log" 2>&1 || fail "exit code $?"
	grep -qE "MISSING|TWICE|NOT KNOWN|not all stored" "$work/again.log" && fail "the ledger is not settled"
	ls out/recovered_source_* 2>/dev/null && fail "the data of a source that is still configured was put aside"
	ls out/recovered_other_*.arrows out/recovered_third_*.arrows >/dev/null || fail "what no store takes is not saved"
	"$bin" verify out/a.arrows >"$work/verify.log" 2>&1 || fail "verify of a.arrows"
	"$bin" verify out/t.arrows >"$work/verify.log" 2>&1 || fail "verify of t.arrows"
	local csv arrow
	csv=$(($(wc -l <out/a.csv) - 1))
	arrow=$("$bin" cat out/a.arrows | grep -vc '^timestamp')
	[ "$csv" -eq "$arrow" ] || fail "a.csv has $csv rows, a.arrows $arrow"
}

run_case "$@"
