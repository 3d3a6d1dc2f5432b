#!/bin/bash
# Drives the real program through its ordinary life: smoke.sh CASE. Needs ENRGDAQ_BIN; each case has a folder and a runtime
# folder of its own.
. "$(dirname "$0")/harness.sh"
configs=$here/../../configs

write_config() { # FOLDER RATE SHM
	mkdir -p "$1"
	cat >"$1/supervisor.toml" <<-END
		ring_buffer_size_mb = 16
		ring_buffer_slot_size_kb = 256
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "smoke"
	END
	cat >"$1/source.toml" <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "source"
		payload_size = 100
		rate_hz = $2
		${4:+count = $4}
		use_shm_when_possible = $3
		[store_config.arrow]
		file_path = "data.arrows"
		[store_config.csv]
		file_path = "data.csv"
	END
	printf 'daq_job_type = "DAQJobStoreArrow"\ndaq_job_unique_id = "arrow"\nout_dir = "out"\n' >"$1/arrow.toml"
	printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "csv"\nout_dir = "out"\n' >"$1/csv.toml"
}

# The ledger says that all is stored, verify says that the file is whole, and the CSV has as many rows.
check_data() { # LOG
	grep -q "accounted" "$work/$1" || fail "no ledger line"
	grep -qE "MISSING|TWICE|SET ASIDE|not all stored" "$work/$1" && fail "the ledger is not settled"
	"$bin" verify out/data.arrows >"$work/verify.log" 2>&1 || fail "verify: $(cat "$work/verify.log")"
	local produced rows
	# over all runs in this folder
	produced=$(cat out/ledger_*.json | grep -o '"produced_rows": [0-9]*' | awk '{s += $2} END {print s}')
	rows=$(($(wc -l <out/data.csv) - 1))
	[ "$produced" -gt 0 ] || fail "nothing was produced"
	[ "$produced" -eq "$rows" ] || fail "$produced rows were produced, the CSV has $rows"
}

is_flowing() { # rows stored so far by both stores
	[ -s out/data.csv ] && [ -s out/data.arrows ]
}

case_demo() {
	"$bin" run --duration 3 >"$work/run.log" 2>&1 || fail "exit code $?"
	for file in tank.arrows tank.root tank_stats.csv tank_truth.arrows; do [ -s "enrgdaq-demo-out/$file" ] || fail "$file is not there"; done
	[ "$(grep -c ': accounted$' "$work/run.log")" -eq 3 ] || fail "three lines of the ledger were expected"
	grep -q "built-in demo" "$work/run.log" || fail "it does not say that this is the demo"
	"$bin" verify enrgdaq-demo-out/*.arrows >"$work/verify.log" 2>&1 || fail "verify"
	ls enrgdaq-demo-out/ledger_*.json >/dev/null || fail "no ledger beside the data"
	ls "$ENRGDAQ_RUNTIME_DIR"/demo/*.stream 2>/dev/null && fail "a stream was left"
	return 0
}

case_examples() {
	"$bin" run "$configs/examples" --duration 2 >"$work/run.log" 2>&1 || fail "exit code $?"
	"$bin" run "$configs/demo" --duration 1 >"$work/demo.log" 2>&1 || fail "exit code $?"
}

case_interrupt() {
	write_config config 0 true # the CSV store falls behind: there is something to drain
	start run.log run config
	await 20 is_flowing || fail "no data"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	[ -z "$(jobs_here)" ] || fail "jobs outlive their supervisor"
	check_data run.log
}

case_ten_jobs() {
	mkdir config
	printf 'ring_buffer_size_mb = 32\nring_buffer_slot_size_kb = 256\n[info]\nsupervisor_id = "smoke"\n' >config/supervisor.toml
	printf 'daq_job_type = "DAQJobStoreCSV"\n' >config/csv.toml
	for i in 1 2 3 4 5 6 7 8 9; do
		printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.01\n[store_config.csv]\nfile_path = "%d.csv"\n' $i >config/$i.toml
	done
	local begin end
	begin=$(date +%s%N)
	start run.log run config
	first_row() { [ "$(cat out/*.csv 2>/dev/null | wc -l)" -ge 2 ]; }
	await 20 first_row || fail "no row"
	end=$(date +%s%N)
	echo "first row after $(((end - begin) / 1000000)) ms"
	kill -TERM "$run"
	wait "$run" || fail "exit code $?"
}

case_second_instance() {
	write_config config 50 true
	start run.log run config
	await 20 is_flowing || fail "no data"
	"$bin" run config >"$work/second.log" 2>&1
	[ $? -eq 1 ] || fail "the second instance was not refused"
	grep -q "process $run" "$work/second.log" || fail "the pid is not named"
	grep -q "enrgdaq stop smoke" "$work/second.log" || fail "the way out is not named"
	"$bin" stop smoke >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	check_data run.log
}

case_bad_folder() {
	"$bin" run nowhere >"$work/run.log" 2>&1
	[ $? -eq 2 ] || fail "exit code 2 was expected"
	grep -q nowhere "$work/run.log" || fail "the folder is not named"
	write_config config 1 true
	echo 'nonsense = 1' >>config/csv.toml
	"$bin" run config >"$work/run.log" 2>&1
	[ $? -eq 2 ] || fail "exit code 2 was expected"
	grep -q 'csv.toml:4' "$work/run.log" || fail "file and line are not named"
}

case_status() {
	"$bin" status >"$work/none.log" 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	grep -q "no system.*is running" "$work/none.log" || fail "no clear words"
	write_config config 100 true
	start run.log run config
	await 20 is_flowing || fail "no data"
	"$bin" status --json >"$work/status.json" 2>"$work/status.log" || fail "status: exit code $?"
	python3 - "$work/status.json" <<-'END' || fail "status --json"
		import json, sys
		status = json.load(open(sys.argv[1]))
		assert status["supervisor"] == "smoke" and status["state"] == "running", status
		assert {job["name"] for job in status["jobs"]} == {"source", "arrow", "csv"}
		assert len(status["links"]) == 2
		source = next(job for job in status["jobs"] if job["name"] == "source")
		assert source["state"] == "running" and source["pid"] > 0 and source["restarts"] == 0
		assert status["ledger"]["accounted"] is True
	END
	"$bin" status smoke >"$work/table.log" || fail "status table"
	grep -q DAQJobStoreCSV "$work/table.log" || fail "no line for the CSV store"
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	"$bin" stop >"$work/stop.log" 2>&1 && fail "stop without a system"
	return 0
}

case_done() {
	write_config config 0 true 2000
	"$bin" run config >"$work/run.log" 2>&1 || fail "exit code $?"
	check_data run.log
	grep -q "source is done" "$work/run.log" || fail "it does not say that the source is done"
	[ "$(wc -l <out/data.csv)" -eq 200001 ] || fail "200000 rows were expected"
}

case_link() {
	write_config config 300 false
	start run.log run config
	await 20 is_flowing || fail "no data"
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	check_data run.log
}

is_restarted() { # NAME COUNT
	[ "$("$bin" status --json 2>/dev/null | python3 -c "import json, sys
j = next(j for j in json.load(sys.stdin)['jobs'] if j['name'] == '$1')
print(j['restarts'] if j['state'] == 'running' else 0)")" -ge "$2" ]
}

case_kill_jobs() {
	write_config config 500 true
	start run.log run config
	await 20 is_flowing || fail "no data"
	for name in source csv arrow; do
		kill -KILL "$(pid_of $name)" || fail "$name is not there"
		await 20 is_restarted $name 1 || fail "$name was not started again"
	done
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	check_data run.log
	[ "$(grep -c 'signal 9' "$work/run.log")" -ge 3 ] || fail "the deaths are not told"
}

case_kill_supervisor() {
	write_config config 500 true
	start run.log run config
	await 20 is_flowing || fail "no data"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	"$bin" run config --duration 1 >"$work/again.log" 2>&1 || fail "exit code $?"
	check_data again.log
}

# A store that stands still at a hurried stop: what it has not stored stays, and the next start stores it.
case_hurry() {
	write_config config 500 true
	echo 'merge_small = false' >>config/arrow.toml # check_runs counts messages
	start run.log run config
	await 20 is_flowing || fail "no data"
	local store
	store=$(pid_of csv)
	kill -STOP "$store"
	has_backlog() { "$bin" status --json | python3 -c "import json, sys
exit(0 if any(l['store'] == 'csv' and l['backlog_batches'] > 20 for l in json.load(sys.stdin)['links']) else 1)"; }
	await 20 has_backlog || fail "no backlog"
	"$bin" stop --hurry >"$work/stop.log" 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	wait "$run"
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	grep -q "not all stored" "$work/run.log" || fail "the ledger does not say what is in flight"
	"$bin" run config --duration 1 >"$work/again.log" 2>&1 || fail "exit code $?"
	check_data again.log
	check_runs
}

# The second run is a run of its own: its ledger counts what it made, the first one's batches keep their run, and each
# ledger says as much of a run as the .arrows file has of it.
check_runs() {
	grep -qE "source -> csv: of run .* batches were left; stored [0-9]+ batches, [0-9]+ rows: accounted" "$work/again.log" ||
		fail "it does not say what the first run had left"
	[ "$(ls out/ledger_*.json | wc -l)" -eq 2 ] || fail "two ledgers were expected: $(ls out)"
	python3 - >"$work/runs.log" 2>&1 <<-'END' || fail "the ledgers do not add up"
		import collections, glob, json, re
		# the metadata of each message names its run; gap records, one for each start, do so too
		data = open("out/data.arrows", "rb").read()
		stored = collections.Counter(run.decode() for run in re.findall(rb"\d{8}T\d{6}Z-[0-9a-f]{4}", data))
		ledgers = [json.load(open(path)) for path in glob.glob("out/ledger_*.json")]
		sources = {ledger["run"]: ledger["sources"][0] for ledger in ledgers}
		print({run: source["produced_batches"] for run, source in sources.items()}, stored)
		assert sources.keys() == stored.keys()
		assert all(0 <= stored[run] - source["produced_batches"] <= 2 for run, source in sources.items())
		assert all(store["accounted"] for source in sources.values() for store in source["stores"])
	END
}

# A supervisor that was killed does not end its run: the next one continues with it, also where that run had left-overs.
case_left_overs_of_a_killed_run() {
	write_config config 500 true
	echo 'merge_small = false' >>config/arrow.toml # check_runs counts messages
	start run.log run config
	await 20 is_flowing || fail "no data"
	kill -STOP "$(pid_of csv)"
	sleep 0.3
	"$bin" stop --hurry >"$work/stop.log" 2>&1
	wait "$run"
	start second.log run config
	await 20 is_flowing || fail "no data"
	await 20 "$bin" status
	sleep 0.5
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	"$bin" run config --duration 1 >"$work/again.log" 2>&1 || fail "exit code $?"
	grep -q "continues with its stream" "$work/again.log" || fail "the run does not go on"
	check_data again.log
	check_runs
}

# A stream that nobody takes any more goes into a file of its own before it is removed.
case_recovery() {
	case_hurry_leave
	rm config/source.toml config/csv.toml
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\n[store_config.arrow]\nfile_path = "other.arrows"\n' >config/other.toml
	"$bin" run config --duration 1 >"$work/again.log" 2>&1 || fail "exit code $?"
	ls out/recovered_source_*.arrows >/dev/null 2>&1 || fail "nothing was recovered"
	"$bin" verify out/recovered_source_*.arrows >"$work/verify.log" 2>&1
	grep -q "saved in out/recovered_source" "$work/again.log" || fail "it does not say so"
	ls "$ENRGDAQ_RUNTIME_DIR"/smoke/*.stream 2>/dev/null && fail "a stream was left"
	return 0
}

case_hurry_leave() {
	write_config config 500 true
	start run.log run config
	await 20 is_flowing || fail "no data"
	kill -STOP "$(pid_of csv)"
	sleep 0.3
	"$bin" stop --hurry >"$work/stop.log" 2>&1
	wait "$run"
	ls "$ENRGDAQ_RUNTIME_DIR"/smoke/source.stream >/dev/null 2>&1 || fail "the stream did not stay"
}

# A disk of that size at out/; false where this user may not mount one.
mount_out() { # SIZE
	mkdir -p out
	mount -t tmpfs -o "size=$1" tmpfs out 2>/dev/null && return
	echo "not tested: only root can mount a small disk"
	return 1
}

is_in_state() { # NAME STATE
	"$bin" status --json 2>/dev/null | python3 -c "import json, sys
exit(0 if any(j['name'] == '$1' and j['state'] == '$2' for j in json.load(sys.stdin)['jobs']) else 1)"
}

# Both stores meet a disk that has no byte left, wait, and go on when there is space.
case_full_disk() {
	mount_out 2m || return 0
	write_config config 300 true
	for store in arrow csv; do echo 'min_free_gb = 0' >>config/$store.toml; done
	start run.log run config
	for store in arrow csv; do await 30 is_in_state $store "waiting" || fail "$store does not wait"; done
	grep -q "No space left on device" "$work/run.log" || fail "the cause is not told"
	mount -o remount,size=100m out || fail "remount"
	for store in arrow csv; do await 30 is_in_state $store running || fail "$store does not go on"; done
	sleep 0.5
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	check_data run.log
}

# The guard stops them while there is space left; a stop may use that for what is in memory.
case_free_space() {
	mount_out 20m || return 0
	write_config config 300 true
	for store in arrow csv; do echo 'min_free_gb = 0.012' >>config/$store.toml; done
	start run.log run config
	for store in arrow csv; do await 30 is_in_state $store "waiting" || fail "$store does not wait"; done
	[ "$(df --output=avail -k out | tail -n 1)" -gt 6000 ] || fail "the reserve was used up: $(df -k out)"
	grep -q "No space left" "$work/run.log" && fail "the disk was full"
	grep -q "min_free_gb) writing will wait" "$work/run.log" || fail "no early alert"
	grep -q "before the disk is full" "$work/run.log" || fail "the cause is not told"
	mount -o remount,size=100m out || fail "remount"
	for store in arrow csv; do await 30 is_in_state $store running || fail "$store does not go on"; done
	fallocate -l $(($(df --output=avail -k out | tail -n 1) - 11000))KiB out/filler || fail "filler"
	for store in arrow csv; do await 30 is_in_state $store "waiting" || fail "$store does not wait again"; done
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	check_data run.log
}

# Files that are followed by others, killed in between: each row in exactly one of them.
rotate_and_kill() { # STORE EXTENSION STORE EXTENSION
	for store in "$1" "$3"; do printf 'rotate_mb = 0.2\nrotate_run = true\n' >>config/$store.toml; done
	start run.log run config
	has_files() { [ "$(ls out/data_*_*.$1 2>/dev/null | wc -l)" -ge "$2" ]; }
	for round in 1 2 3 4 5; do
		for store in "$1" "$3"; do
			await 30 has_files "$([ $store = "$1" ] && echo "$2" || echo "$4")" $((round * 2)) || fail "no $round files"
			kill -KILL "$(pid_of $store)"
			await 20 is_restarted $store "$round" || fail "$store was not started again"
		done
	done
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	grep -q "accounted" "$work/run.log" || fail "no ledger line"
	[ ! -e "out/data.$2" ] && [ ! -e "out/data.$4" ] || fail "a file without a part"
}

case_rotation() {
	write_config config 500 true
	rotate_and_kill arrow arrows csv csv
	"$bin" verify --json out/data_*.arrows >"$work/verify.json" || fail "verify"
	python3 - "$work/verify.json" out <<-'END' || fail "the rows of all files are not those that were produced"
		import glob, json, sys
		ledger = json.load(open(glob.glob(sys.argv[2] + "/ledger_*.json")[0]))
		produced = sum(source["produced_rows"] for source in ledger["sources"])
		rows = sum(len(open(f).readlines()) - 1 for f in glob.glob(sys.argv[2] + "/data_*.csv"))
		arrow = sum(json.loads(line).get("rows", 0) for line in open(sys.argv[1])) # a line a file, and one of all
		print(produced, rows, arrow)
		assert produced == rows == arrow, "they differ"
	END
}

has_hdf5() {
	command -v h5ls >/dev/null && [ -e "$ENRGDAQ_MODULE_PATH/hdf5.so" ] && return
	echo "not tested: no HDF5"
	return 1
}

write_hdf5_config() {
	write_config config "$1" true
	sed -i 's/arrow/raw/; s/data.raws/data/; s/csv\]/hdf5]\ndataset_name = "run"/; s/csv/h5/' config/source.toml
	rm config/arrow.toml config/csv.toml
	printf 'daq_job_type = "DAQJobStoreRaw"\ndaq_job_unique_id = "raw"\nout_dir = "out"\n' >config/raw.toml
	printf 'daq_job_type = "DAQJobStoreHDF5"\ndaq_job_unique_id = "hdf5"\nout_dir = "out"\nflush_seconds = 0.02\n' >config/hdf5.toml
}

# All files of both stores together have as many rows as were produced, and no hidden file is left.
check_hdf5_data() {
	local produced raw hdf5
	produced=$(cat out/ledger_*.json | grep -o '"produced_rows": [0-9]*' | awk '{s += $2} END {print s}')
	"$bin" verify --json out/data*.arrows >"$work/verify.json" || fail "verify"
	raw=$(grep -o '"rows": *[0-9]*' "$work/verify.json" | awk -F: '{s += $2} END {print s}')
	for file in out/data*.h5; do h5ls "$file/run/value" || fail "$file does not open"; done >"$work/h5ls.log"
	hdf5=$(grep -o '{[0-9]*' "$work/h5ls.log" | tr -d '{' | awk '{s += $1} END {print s}')
	[ "$produced" -eq "$raw" ] && [ "$produced" -eq "$hdf5" ] || fail "$produced rows, raw has $raw, hdf5 $hdf5"
	[ -z "$(find out -maxdepth 1 -name '.data*')" ] || fail "hidden files were left: $(ls -A out)"
}

# The same of files that are changed in place: those of a dead life are put back, though others follow them.
case_rotation_hdf5() {
	has_hdf5 || return 0
	write_hdf5_config 500
	rotate_and_kill raw arrows hdf5 h5
	check_hdf5_data
}

# A store that begins a file in each life, beside one that continues in the last; jsroot counts.
case_rotation_root() {
	[ -e "$ENRGDAQ_MODULE_PATH/root.so" ] || { echo "not tested: no store root"; return 0; }
	write_config config 500 true
	sed -i 's/arrow\]/root]\ncompression_level = 0/; s/data.arrows/data.root/' config/source.toml
	rm config/arrow.toml
	printf 'daq_job_type = "DAQJobStoreROOT"\ndaq_job_unique_id = "root"\nout_dir = "out"\nflush_interval_seconds = 0.02\n' >config/root.toml
	rotate_and_kill root root csv csv
	node "$READERS/read_root.mjs" --rows out/data*.root >"$work/rows.log" || fail "a file does not open: $(cat "$work/rows.log")"
	python3 - "$work/rows.log" out <<-'END' || fail "the rows of all files are not those that were produced"
		import glob, json, sys
		ledger = json.load(open(glob.glob(sys.argv[2] + "/ledger_*.json")[0]))
		produced = sum(source["produced_rows"] for source in ledger["sources"])
		csv = sum(len(open(f).readlines()) - 1 for f in glob.glob(sys.argv[2] + "/data_*.csv"))
		root = sum(int(line or 0) for line in open(sys.argv[1]).read().split("\n"))
		print(produced, csv, root)
		assert produced == csv == root, "they differ"
	END
}

# A store with a descriptor of its own is guarded as well; and synced.
case_free_space_hdf5() {
	has_hdf5 && mount_out 20m || return 0
	write_hdf5_config 300
	for store in raw hdf5; do printf 'min_free_gb = 0.012\nsync = "commit"\n' >>config/$store.toml; done
	start run.log run config
	for store in raw hdf5; do await 30 is_in_state $store "waiting" || fail "$store does not wait"; done
	[ "$(df --output=avail -k out | tail -n 1)" -gt 6000 ] || fail "the reserve was used up: $(df -k out)"
	grep -q "No space left" "$work/run.log" && fail "the disk was full"
	mount -o remount,size=100m out || fail "remount"
	for store in raw hdf5; do await 30 is_in_state $store running || fail "$store does not go on"; done
	"$bin" stop >"$work/stop.log" 2>&1 || fail "stop: exit code $?"
	wait "$run" || fail "exit code $?"
	check_hdf5_data
}

# What a store that fails gave: the line of each batch once, in order; and the CSV has all rows.
check_lines() {
	grep -q "accounted" "$work/run.log" || fail "no ledger line"
	grep -qE "MISSING|TWICE|SET ASIDE|not all stored" "$work/run.log" && fail "the ledger is not settled"
	local produced
	produced=$(cat out/ledger_*.json | grep -o '"produced_rows": [0-9]*' | awk '{s += $2} END {print s}')
	awk -F'\t' -v produced="$produced" '
		$1 != "source" || $3 != NR || NF != 4 {print "line " NR ": " $0; bad = 1; exit}
		{rows += $4}
		END {if (bad || rows != produced) {print rows " of " produced " rows"; exit 1}}' out/batches.txt || fail "lines"
	[ "$(wc -l <out/data.csv)" -eq $((produced + 1)) ] || fail "the CSV has other rows"
}

write_faulty() { # KEYS
	sed -i 's/data.arrows/batches.txt/; s/arrow/faulty/' config/source.toml
	rm config/arrow.toml
	printf 'daq_job_type = "DAQJobStoreFaulty"\ndaq_job_unique_id = "faulty"\nout_dir = "out"\n%b\n' "$1" >config/faulty.toml
}

# A store that fails in every way that it knows loses nothing and writes nothing twice.
case_faulty() {
	write_config config 500 true 2000
	write_faulty 'fail_write_at = 40\nfail_every = 900\nshort_write_at = 100\nfail_commit_at = 30
		crash_at = 300\nstop_after = 400\nstop_seconds = 0.5\ndelay_ms = 0.1\nerror = "EIO"\nkeep_counts = true'
	"$bin" run config >"$work/run.log" 2>&1 || fail "exit code $?"
	check_lines
	for key in fail_write_at fail_every short_write_at fail_commit_at crash_at stop_after delay_ms; do
		grep -q "drill: .*($key)" "$work/run.log" || fail "$key was not announced"
	done
	grep -q "signal 6" "$work/run.log" || fail "the crash is not told"
	grep -q "drill: EIO" "$work/run.log" || fail "the error is not told"
}

# While one store stands still, another of the same data gets all that the ring takes; then the producer is held back.
# So what the other one lacks is never more than what the ring holds, and for no longer than the first stands still.
case_slow_store() {
	write_config config 0 true 1500
	sed -i 's/payload_size = 100/payload_size = 5000/' config/source.toml
	write_faulty 'stop_after = 50\nstop_seconds = 6'
	start run.log run config
	await 20 grep -q "drill: after 50 writes" "$work/run.log" || fail "the drill does not begin"
	held_back() { "$bin" status --json >"$work/status.json" && python3 - "$work/status.json" <<-'END'
		import json, sys
		jobs = {job["name"]: job for job in json.load(open(sys.argv[1]))["jobs"]}
		source, csv, faulty = jobs["source"], jobs["csv"], jobs["faulty"]
		made, ring = source["out"]["batches"], source["ring_bytes"]
		print(made, csv["in"]["batches"], faulty["in"]["batches"], faulty["backlog_bytes"], ring)
		assert faulty["in"]["batches"] <= 50, "it does not stand still"
		assert csv["in"]["batches"] == made and csv["backlog_batches"] == 0, "csv lacks some"
		assert faulty["backlog_bytes"] > ring * 0.8, "the ring is not full"
	END
	}
	await 5 held_back || fail "csv waits for the other store: $(held_back 2>&1)"
	wait "$run" || fail "exit code $?"
	check_lines
}

case_doctor() {
	"$bin" doctor >"$work/doctor.log" 2>&1
	grep -q "shared memory" "$work/doctor.log" || fail "no line on shared memory"
	ENRGDAQ_RUNTIME_DIR=/proc/none "$bin" doctor >"$work/bad.log" 2>&1 && fail "a bad runtime folder was found good"
	grep -q "^BAD" "$work/bad.log" || fail "no bad line"
}

run_case "$@"
