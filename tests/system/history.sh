#!/bin/bash
# DAQJobHistory and `enrgdaq history` in whole systems: history.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

write_lab() { # [LINES of the recorder…]
	mkdir -p c
	printf 'ring_buffer_size_mb = 16\nrestart_delay_seconds = 0.01\n[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
	printf '%s\n' 'daq_job_type = "DAQJobTest"' 'rand_min = 1' 'rand_max = 6' 'interval_seconds = 1' \
		'[store_config.csv]' 'file_path = "dice.csv"' >c/dice.toml
	printf '%s\n' 'daq_job_type = "DAQJobTest"' 'rand_min = 1' 'rand_max = 6' 'interval_seconds = 0.01' \
		'[store_config.csv]' 'file_path = "fast.csv"' >c/fast.toml
	{
		printf 'daq_job_type = "DAQJobHistory"\n'
		[[ $* = *min_free_gb* ]] || printf 'min_free_gb = 0\n'
		printf '%s\n' "$@"
	} >c/hist.toml
}

# known SERIES SECONDS: it is known for so many of the last minute
known() {
	"$bin" history "$1" --last 1m --csv 2>/dev/null |
		awk -F, -v want="$2" 'NR > 1 {n += $7} END {exit !(n >= want)}'
}

# Statistics of all jobs and columns of the slow table, not those of the fast one, are what the store has; across a kill
# with at most the open second missing.
case_recorded_and_killed() {
	local from missing
	write_lab
	start run.log run c
	await 20 known dice/data/A 3 || fail "no columns: $("$bin" history list '*/data/*' 2>&1)"
	known fast/out_rows_per_s 5 || fail "no statistics"
	from=$(date +%s)
	kill -KILL "$(pid_of hist)"
	await 20 known hist/restarts 3 || fail "not recorded after a kill"
	sleep 2.2 # seconds to look at: what is tested is time
	"$bin" history fast/out_rows --from "@$((from - 2))" --to "@$(date +%s)" --json --points 1000 >rows.json || fail "json"
	missing=$(tr ',' '\n' <rows.json | grep -c null)
	# min, mean and max are null where nothing is known: the second of the kill, and those until the next life
	[ "$missing" -le 9 ] || fail "$missing nulls: $(cat rows.json)"
	"$bin" history list '*/data/*' --csv >columns || fail "list"
	grep -q '^dice/data/A,,gauge,20' columns || fail "the list: $(cat columns)"
	grep -q '^fast/data/' columns && fail "a fast table is recorded: $(cat columns)"
	# one that becomes faster is left out, and named once
	sed -i 's/^interval_seconds.*/interval_seconds = 0.01/' c/dice.toml
	"$bin" reload >reload.log 2>&1 || fail "reload: $(cat reload.log)"
	await 20 grep -q "the table dice/data comes more than 2 times a second now: .*columns_of" run.log || fail "faster"
	kill -INT "$run"
	wait "$run" || fail "the run"
	grep -q "dice -> DAQJobStoreCSV: .*accounted" run.log || fail "the ledger"
	[ -z "$(find "$ENRGDAQ_RUNTIME_DIR" -name '*.history')" ] || fail "a pointer is left"
	# the system is gone: the history is read all the same, from here
	"$bin" history 'dice/data/*' fast/out_rows >view 2>&1 || fail "view: $(cat view)"
	grep -q "fast/out_rows: min .*, last .* rows" view || fail "the view says: $(cat view)"
	local values rows
	values=$("$bin" history dice/data/A --last 2m --csv --points 200 | awk -F, 'NR > 1 {print $4}' | sort -u | tr '\n' ' ')
	rows=$(awk -F, 'NR > 1 {print $2}' out/dice.csv | sort -u | tr '\n' ' ')
	for value in $values; do
		case " $rows" in *" $value "*) ;; *) fail "recorded $values, stored $rows" ;; esac
	done
	"$bin" plot history --graphs g 'dice/data/*' fast/out_rows >plot.log 2>&1 || fail "plot history: $(cat plot.log)"
	grep -q "^4 series" plot.log && [ -s g/history.png ] && [ -s g/history.pdf ] || fail "no figure: $(cat plot.log)"
	"$bin" history --folder out no/such >view 2>&1 && fail "no history is no failure"
	grep -q "out: no history is there" view || fail "it says: $(cat view)"
}

is_over() { grep -q "the history is recorded again" run.log; }

# A disk that is full: it is said once, the stores go on, and so does the history when there is room.
case_full_disk() {
	mkdir disk
	mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null || exit 77
	write_lab 'min_free_gb = 0.5' "folder = \"$work/disk/history\"" 'columns_of = ["fa?t"]' 'exclude = ["*/data/B"]'
	start run.log run c
	await 20 known fast/out_rows_per_s 2 || fail "not recorded"
	# of a source that is named, however fast it is: of each second the range; and not what is excluded
	await 20 known fast/data/A 3 || fail "columns_of"
	"$bin" history fast/data/A --last 1m --csv --points 60 | awk -F, '$4 == 1 && $6 == 6 {n++} END {exit !(n >= 2)}' ||
		fail "no ranges: $("$bin" history fast/data/A --last 1m --csv --points 60)"
	"$bin" history list --csv >columns || fail "list"
	grep -q '/B,' columns && fail "excluded series are recorded"
	head -c 1100000 /dev/zero >disk/full 2>/dev/null
	await 20 grep -q "the history is not recorded: less than .* are free .*Data and their stores are not touched" run.log || fail "not said"
	await 20 sh -c "'$bin' status | grep -q '^hist .*waiting'" || fail "status: $("$bin" status)"
	local rows
	rows=$(wc -l <out/fast.csv)
	await 20 sh -c "[ \$(wc -l <out/fast.csv) -gt $((rows + 50)) ]" || fail "the stores stand still"
	rm disk/full
	await 30 is_over || fail "it does not go on"
	[ "$(grep -c "the history is not recorded" run.log)" = 1 ] || fail "said again and again"
	await 20 known fast/out_rows_per_s 4 || fail "nothing is recorded"
	kill -INT "$run"
	wait "$run" || fail "the run"
	umount disk
}

# What check refuses, a folder that another one has, wrong words.
case_wrong() {
	write_lab 'history_mb = 5'
	"$bin" check c >check.log 2>&1 && fail "a bound of 5 MB"
	grep -q 'hist.toml.*history_mb' check.log || fail "it says: $(cat check.log)"
	write_lab
	cp c/hist.toml c/second.toml
	start run.log run c
	await 20 grep -q "another process records its history in out/history: each needs a .folder. of its own" run.log || fail "two"
	await 20 known fast/out_rows_per_s 2 || fail "the other one does not record"
	kill -INT "$run"
	wait "$run"
	for words in '' '--last 5 x' '--from yesterday x' '--points 0 x' '--last 1h --to 2026-11-28 x' '--from 2026-11-28 --to 2026-11-27 x'; do
		# shellcheck disable=SC2086
		"$bin" history $words >out.log 2>&1
		[ $? = 2 ] || fail "history $words: $(cat out.log)"
		# shellcheck disable=SC2086
		"$bin" plot history $words >out.log 2>&1
		[ $? = 2 ] || fail "plot history $words: $(cat out.log)"
	done
}

run_case "$@"
