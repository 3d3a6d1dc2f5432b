#!/bin/bash
# The simulated digitizer in whole runs: tank.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

# write_tank NAME KEYS…: a folder NAME with the tank, whose tables go to NAME/out.
write_tank() {
	local folder=$1
	shift
	mkdir -p "$folder"
	printf 'restart_delay_seconds = 0.05\n[info]\nsupervisor_id = "%s"\n' "$folder" >"$folder/supervisor.toml"
	printf 'daq_job_type = "DAQJobStoreCSV"\nout_dir = "%s/out"\n' "$folder" >"$folder/csv.toml"
	printf 'daq_job_type = "DAQJobStoreArrow"\nout_dir = "%s/out"\n' "$folder" >"$folder/arrow.toml"
	{
		printf 'daq_job_type = "DAQJobSimulatedDigitizer"\n'
		printf '%s\n' "$@"
		printf '[waveform_store_config.csv]\nfile_path = "waveforms.csv"\n'
		printf '[waveform_store_config.arrow]\nfile_path = "waveforms.arrows"\n'
		printf '[stats_store_config.csv]\nfile_path = "stats.csv"\n'
		printf '[truth_store_config.csv]\nfile_path = "truth.csv"\n'
	} >"$folder/tank.toml"
}

run_tank() {
	"$bin" run "$1" >"$1.log" 2>&1 || fail "the run of $1: $?"
	grep -q "accounted" "$1.log" || fail "no ledger of $1"
}

# The same seed makes the same rows, whatever the clock does: as fast as can be, and in time. Another seed
# does not.
case_same_seed() {
	for layout in samples waveforms; do
		keys=("layout=\"$layout\"" channels=4 record_limit=120 filter_threshold_mv=20)
		write_tank "fast_$layout" "${keys[@]}" seed=4 speed=0
		write_tank "slow_$layout" "${keys[@]}" seed=4 speed=3
		write_tank "other_$layout" "${keys[@]}" seed=5 speed=0
		for name in fast slow other; do
			run_tank ${name}_$layout &
		done
		wait
		for name in fast slow; do
			[ "$(cut -d, -f1 ${name}_$layout/out/truth.csv | tail -n +2 | sort -u | wc -l)" = 120 ] ||
				fail "not 120 records with layout $layout"
		done
		cmp "fast_$layout/out/waveforms.csv" "slow_$layout/out/waveforms.csv" || fail "another speed, other data"
		cmp "fast_$layout/out/truth.csv" "slow_$layout/out/truth.csv" || fail "another speed, another truth"
		cmp <(cut -d, -f1-11 "fast_$layout/out/stats.csv") <(cut -d, -f1-11 "slow_$layout/out/stats.csv") ||
			fail "another speed, other statistics"
		"$bin" cat --schema --json "fast_$layout/out/waveforms.arrows" |
			grep -q '"clock":"device".*"notes":{"sample_ns":"2","mv_per_count":"0.12[0-9]*","bits":"14"}' || fail "no notes with layout $layout"
		cmp -s "fast_$layout/out/waveforms.csv" "other_$layout/out/waveforms.csv" && fail "another seed, the same data"
	done
	[ "$(head -n 1 fast_samples/out/waveforms.csv)" = real_ns_timestamp,event_counter,channel,sample_index,value_mv ] ||
		fail "not ENRGDAQ's columns"
	awk -F, 'NR > 1 && $5 > -20 && $5 < 20 {bad = 1} END {exit bad}' fast_samples/out/waveforms.csv ||
		fail "samples below the threshold"
}

# What the tables say of each other: statistics count the records and samples that are there.
case_tables_agree() {
	write_tank a seed=1 speed=0 record_limit=500 channels=4 record_samples=200 'layout="samples"' filter_threshold_mv=10
	run_tank a
	rows=$(($(wc -l <a/out/waveforms.csv) - 1))
	events=$(awk -F, 'NR > 1 {n += $2} END {print n}' a/out/stats.csv)
	kept=$(awk -F, 'NR > 1 {n += $3} END {print n}' a/out/stats.csv)
	raw=$(awk -F, 'NR > 1 {n += $9} END {print n}' a/out/stats.csv)
	[ "$events" = 500 ] || fail "$events events in the statistics"
	[ "$kept" = "$rows" ] || fail "$kept samples in the statistics, $rows rows"
	[ "$raw" = $((500 * 4 * 200)) ] || fail "$raw raw samples"
	# pauses of many roll-overs of the board's tags, 17.18 s each
	write_tank p seed=1 speed=0 record_limit=30 trigger_rate_hz=0.02 single_rate_hz=0 channels=1
	run_tank p
	awk -F, 'NR > 1 {if ($1 <= last) exit 1; last = $1; if (!first) first = $1}
		END {s = (last - first) / 1e9; exit !(s > 29 * 50 / 2 && s < 29 * 50 * 2)}' p/out/waveforms.csv || fail "times over pauses"
	[ "$(awk -F, 'NR > 1 && ($2 == "muon" || $2 == "electron" || $2 == "single") {seen[$1] = 1} END {print length(seen)}' a/out/truth.csv)" = 500 ] ||
		fail "records without a truth"
}

# grown BYTES: the file of waveforms is larger
grown() { [ "$(stat -c %s k/out/waveforms.csv 2>/dev/null || echo 0)" -gt "$1" ]; }
continued() { [ "$(grep -c "continues with event" k.log)" -ge "$1" ]; }

# Killed again and again: numbers are given once, times grow, and the gaps are in the file.
case_killed() {
	write_tank k seed=2 trigger_rate_hz=2000 channels=2 record_samples=100
	start k.log run k
	await 20 grown 100000 || fail "no rows"
	for round in 1 2 3; do
		kill -KILL "$(pid_of tank)"
		await 20 continued "$round" || fail "it was not started again"
		await 20 grown $(($(stat -c %s k/out/waveforms.csv) + 100000)) || fail "no rows in round $round"
	done
	"$bin" watch --id k --ledger --seconds 0.3 tank >watch.log 2>&1 || fail "watch"
	grep -q "^  to csv  .* batches stored, .*: accounted$" watch.log || fail "no ledger: $(cat watch.log)"
	kill -INT "$run"
	wait "$run" || fail "the run: $?"
	"$bin" verify k/out/waveforms.arrows >verify.log || fail "verify"
	grep -q gap verify.log || fail "no gap in the file"
	awk -F, 'NR > 1 && $3 == 0 {if (NR > 2 && ($2 <= event || $1 <= time)) {print NR ": " $0; exit 1} event = $2; time = $1}' \
		k/out/waveforms.csv || fail "a number or a time came again"
	[ -z "$(find "$ENRGDAQ_RUNTIME_DIR" -name '*.kept')" ] || fail "the memory of the job is left"
}

# With run control it acquires in runs alone, also at the end; numbers count on from run to run.
case_in_runs() {
	write_tank n seed=1 trigger_rate_hz=500 channels=2 record_samples=100
	printf '[runs]\ncontrol = true\n' >>n/supervisor.toml
	start n.log run n
	await 20 "$bin" send --id n supervisor run_start || fail "no run"
	await 20 grep -q ^1767 n/out/waveforms.csv || fail "no rows in the run"
	"$bin" send --id n supervisor run_stop >send.log 2>&1 || fail "run_stop: $(cat send.log)"
	await 20 grep -q "is closed" n.log || fail "the run was not closed"
	rows=$(grep -c ^1767 n/out/waveforms.csv)
	kill -INT "$run"
	wait "$run" || fail "the run: $?"
	[ "$(grep -c ^1767 n/out/waveforms.csv)" = "$rows" ] || fail "rows of no run"
	[ "$(find n/out -name "run_*_*.json" | wc -l)" = 1 ] || fail "not one account of a run"
}

# A record that does not fit into a batch is refused with the key that has to change; so is a pulse without a fall.
case_refused() {
	write_tank r record_samples=65536 channels=64
	"$bin" run r >r.log 2>&1
	grep -q "record_samples: .*ring_buffer_slot_size_kb" r.log || fail "no word about the size of a record"
	write_tank s rise_ns=8
	"$bin" check s >s.log 2>&1 && fail "a pulse that never falls was taken"
	grep -q "s/tank.toml.*fall_ns: expected more than rise_ns" s.log || fail "no word about fall_ns"
}

# The analysis finds the lifetime that was simulated: thousand pairs and more, within three standard deviations of the truth.
# Figures and tables come out of the same run.
case_lifetime() {
	write_tank l seed=1 speed=0 trigger_rate_hz=300 decay_fraction=0.25 record_limit=8000
	sed -i 's/waveform_store_config.csv/waveform_store_config.none/; /none/,+1d' l/tank.toml
	sed -i 's/truth_store_config.csv/truth_store_config.arrow/; s/truth.csv/truth.arrows/' l/tank.toml
	run_tank l
	"$bin" plot tank --graphs g --truth l/out/truth.arrows l/out/waveforms.arrows >plot.log 2>&1 || fail "plot tank: $(cat plot.log)"
	[ "$(sed -n 's/^pairs: \([0-9]*\) with Δt in 0.15 to 0.71 µs and 1.05 to 12.00 µs$/\1/p' plot.log)" -ge 1000 ] || fail "pairs: $(cat plot.log)"
	awk '/^lifetime:/ {t = $2; e = $4} /^truth:/ {u = $2; s = $(NF - 2)} END {exit !(t > 1900 && t < 2500 && e > 20 && e < 100 && u > 1950 && u < 2450 && s < 3)}' \
		plot.log || fail "lifetime: $(cat plot.log)"
	[ -s g/tank.png ] && [ -s g/tank.pdf ] || fail "no figure of the tank"
	"$bin" plot tank l/out/truth.arrows >plot.log 2>&1 && fail "a truth was taken for waveforms"
	grep -q "truth.arrows: has no column real_ns_timestamp" plot.log || fail "no word about the column"
	"$bin" plot digitizer --graphs g l/out/stats.csv >plot.log 2>&1 || fail "plot digitizer: $(cat plot.log)"
	grep -q "stats.csv: 8000 events" plot.log || fail "$(cat plot.log)"
	[ -s g/digitizer_stats.png ] || fail "no figure of the digitizer"
}

case_latex() {
	"$bin" plot latex "$here/../figures/results.json" >tables.tex || fail "plot latex"
	[ "$(grep -c 'begin{tabular}' tables.tex)" = 2 ] || fail "not two tables"
	grep -q '^    500\\,000 & 18600.0 & 148.80 & 19716.0 & 2325 & 0.65 & 1.56 & 196 ' tables.tex || fail "no row of 500,000"
	grep -q '^    8 & 18200.0 & 145.60 ' tables.tex || fail "no row of 8 clients"
	"$bin" plot latex /dev/null >none.tex 2>latex.log && fail "nothing was taken for results"
	grep -q "enrgdaq plot: /dev/null" latex.log || fail "$(cat latex.log)"
}

# A file that was begun with other notes is continued, and who reads the log learns what it contradicts.
case_other_notes() {
	write_tank n layout=\"waveforms\" channels=1 record_limit=20 speed=0
	run_tank n
	sed -i 's/^record_limit.*/&\nsample_ns = 4/' n/tank.toml
	run_tank n
	grep -q 'waveforms.arrows was begun with other notes: sample_ns = "2" there, "4" now' n.log || fail "no word about it: $(cat n.log)"
	"$bin" verify n/out >verify.log || fail "verify: $(cat verify.log)"
	[ "$("$bin" cat --columns channel n/out/waveforms.arrows | wc -l)" = "$(wc -l <n/out/waveforms.csv)" ] || fail "not continued: $(ls n/out)"
}

run_case "$@"
