#!/bin/bash
# DAQJobHistogram in whole systems: histogram.sh CASE. Needs ENRGDAQ_BIN, and READERS with jsroot.
. "$(dirname "$0")/harness.sh"

write_lab() { # [LINES of the histograms…]
	mkdir c
	printf 'restart_delay_seconds = 0.01\n[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
	cat >c/dice.toml <<-END
		daq_job_type = "DAQJobTest"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.002
		[store_config.csv]
		file_path = "dice.csv"
	END
	{
		printf 'daq_job_type = "DAQJobHistogram"\nfile_path = "h.root"\n'
		printf '%s\n' "$@"
	} >c/hist.toml
}

pips=('[[histogram]]' 'name = "pips"' 'job = "dice"' 'x = "A"' 'x_bins = 6' 'x_min = 1' 'x_max = 7'
	'[[histogram]]' 'name = "two"' 'job = "dice"' 'x = "A"' 'x_edges = "1 2 3 7"' 'y = "B"' 'y_bins = 2' 'y_min = 1' 'y_max = 5')

counts() { "$bin" watch --histogram "$1" --uhi | sed 's/.*"values"://; s/}}$//'; }
has_entries() { counts pips | tr -d '[]' | awk -F, '{for (i = 1; i <= NF; i++) n += $i} END {exit !(n > 100)}'; }

is_another_page() { [ "$(stat -c %i "$page")" != "$before" ]; }

# What was live, and what the .root file has in the end, is what the store has: read by jsroot, counted by awk.
case_live_and_in_the_end() {
	write_lab "${pips[@]}"
	start run.log run c
	await 20 has_entries || fail "no entries"
	"$bin" watch --histogram pips --seconds 0.1 >view || fail "watch"
	grep -q "entries, 0 below, 0 above; mean" view || fail "the view says: $(cat view)"
	grep -q "█" view || fail "no picture"
	"$bin" watch --histogram hist/two --json >two.json || fail "watch of a plane"
	"$bin" watch --histogram none 2>err && fail "watch of none"
	grep -q 'no histogram "none"; there are: .*hist/pips' err || fail "it says: $(cat err)"
	kill -INT "$run"
	wait "$run" || fail "the run"
	node "$READERS/read_histograms.mjs" "$work"/out/h_*.root two.json >found || fail "jsroot: $(cat found)"
	local entries
	entries=$(awk '$1 == "pips" {print $3}' found)
	# It began a moment later than the source.
	tail -n +2 out/dice.csv | tail -n "$entries" | awk -F, '{
			n[$2]++; i = $2 < 3 ? $2 : 3; k = $3 < 3 ? 1 : $3 < 5 ? 2 : 3; two[i + 5 * k]++
		}
		END {
			printf "pips TH1D %d 0", NR; for (i = 1; i < 8; i++) printf " %d", n[i]; printf "\n"
			printf "two TH2D %d", NR; for (i = 0; i < 20; i++) printf " %d", two[i]; printf "\n"
		}' >expected
	[ "$entries" -gt 100 ] || fail "only $entries entries"
	head -2 found | diff expected - || fail "the file has other counts than the store"
	grep -q "^drawn two TH2D" found || fail "jsroot did not draw it: $(cat found)"
	[ -z "$(find "$ENRGDAQ_RUNTIME_DIR" -name '*.histogram')" ] || fail "a page is left"
}

# Killed, it begins again, and nothing else is touched.
case_killed() {
	write_lab "${pips[@]}"
	start run.log run c
	await 20 has_entries || fail "no entries"
	page=$(find "$ENRGDAQ_RUNTIME_DIR" -name '*.0.histogram')
	before=$(stat -c %i "$page")
	kill -KILL "$(pid_of hist)"
	await 20 is_another_page || fail "no page after a kill"
	await 20 has_entries || fail "no entries after a kill"
	# what a killed instance left of a job that was removed, or had more of them, is not there for anybody
	python3 - "$page" <<-'END' || fail "no python3"
		import sys
		page = open(sys.argv[1], "rb").read()
		open(sys.argv[1].replace(".0.histogram", ".9.histogram"), "wb").write(page.replace(b"hist\0\0", b"gone\0\0"))
		open(sys.argv[1].replace(".0.histogram", ".2.histogram"), "wb").write(page.replace(b"pips\0\0", b"more\0\0"))
	END
	"$bin" watch --histogram none 2>err
	grep -q 'there are: .*hist/more' err || fail "the test is none: $(cat err)"
	grep -q 'gone/pips' err && fail "a histogram of a job that is gone is listed: $(cat err)"
	before=$(stat -c %i "$page")
	kill -KILL "$(pid_of hist)"
	await 20 is_another_page || fail "no page after a second kill"
	no_more() { ! "$bin" watch --histogram none 2>&1 | grep -q hist/more; }
	await 20 no_more || fail "one that the job has no more is listed"
	kill -INT "$run"
	wait "$run" || fail "the run"
	grep -q "dice -> DAQJobStoreCSV: .*accounted" run.log || fail "the ledger"
}

# A column that does not exist, one that is no number, a job that does not exist, and what check refuses.
case_wrong() {
	write_lab '[[histogram]]' 'name = "none"' 'job = "dice"' 'x = "Z"' \
		'[[histogram]]' 'name = "wave"' 'job = "dice"' 'x = "charge(A)"' \
		'[[histogram]]' 'name = "nobody"' 'job = "nobody"' 'x = "A"'
	start run.log run c
	await 20 grep -q 'histogram none: the table of dice has no column "Z" among timestamp, A, B, C' run.log || fail none
	await 20 grep -q 'histogram wave: the table of dice column "A" holds .*, not lists of int16' run.log || fail wave
	await 20 grep -q 'no source named "nobody"' run.log || fail nobody
	kill -INT "$run"
	wait "$run" || fail "the run"
	[ -z "$(ls out/*.root 2>/dev/null)" ] || fail "a file of nothing"
	rm -r c
	write_lab '[[histogram]]' 'name = "a/b"' 'job = "dice"' 'x = "A"'
	"$bin" check c >check.log 2>&1 && fail "a name with /"
	grep -q 'hist.toml.*histogram\[0\].name: expected a name without /' check.log || fail "it says: $(cat check.log)"
	for line in 'x = "mass(A)"' 'y = "delta_t(A)"' 'x_edges = "3 2 1"' 'x_min = 2' 'x_min = 2
x_max = 2'; do
		rm -r c
		case $line in
		x\ =*) write_lab '[[histogram]]' 'name = "a"' 'job = "dice"' "$line" ;;
		*) write_lab '[[histogram]]' 'name = "a"' 'job = "dice"' 'x = "A"' "$line" ;;
		esac
		"$bin" check c >check.log 2>&1 && fail "check takes $line"
		grep -q 'hist.toml.*histogram\[0\]\.[xy]' check.log || fail "of $line it says: $(cat check.log)"
	done
}

run_case "$@"
