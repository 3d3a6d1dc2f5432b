#!/bin/bash
# Processors that come to a run and leave it: changing_processors.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE.
. "$(dirname "$0")/changes.sh"

write_filter() { # FILE NAME JOB MIN FILE_PATH
	printf '%s\n' 'daq_job_type = "DAQJobFilter"' "daq_job_unique_id = \"$2\"" '[[input]]' "job = \"$3\"" '[[stage]]' 'kind = "range"' \
		'name = "low"' 'column = "A"' "min = $4" '[store_config.csv]' "file_path = \"$5\"" >"$1"
}

write_dice() { # FILE NAME FILE_PATH
	printf '%s\n' 'daq_job_type = "DAQJobTest"' "daq_job_unique_id = \"$2\"" 'rand_min = 1' 'rand_max = 100' 'interval_seconds = 0.001' \
		'[store_config.csv]' "file_path = \"$3\"" >"$1"
}

# Column A by itself is no key: the rows of the filter are one piece of those of the source that pass, in order.
is_piece() { # FILTERED SOURCE MIN
	python3 - "$@" <<-'END'
		import sys
		read = lambda path: [line for line in open(path)][1:]
		part, whole = read(sys.argv[1]), [line for line in read(sys.argv[2]) if float(line.split(",")[1]) >= float(sys.argv[3])]
		first = whole.index(part[0])
		while whole[first:first + len(part)] != part:
		    first = whole.index(part[0], first + 1)
		print(len(part), "of", len(whole), "from", first)
	END
}

# A processor comes to a source in use and goes again: what it made is one piece of what the source sent, by its rule.
come_and_go() { # KILLS
	write_supervisor
	write_dice config/a.toml a a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 has_rows out/a.csv 100 || fail "no rows"
	local pid i k
	pid=$(pid_of a)
	for i in 1 2; do
		write_filter config/f.toml f a 40 f$i.csv
		"$bin" job add config/f.toml >add.txt 2>&1 || fail "$(cat add.txt)"
		await 20 has_rows out/f$i.csv 20 || fail "no rows of the filter"
		for k in $(seq "$1"); do
			kill -KILL "$(pid_of f)"
			[ $((k % 2)) = 1 ] || kill -KILL "$(pid_of a)"
			await 20 has_rows out/f$i.csv $(($(rows_of out/f$i.csv) + 50)) || fail "it does not go on"
		done
		rm config/f.toml
		"$bin" reload >reload.txt 2>&1 &
		local waiter=$!
		[ "$1" = 0 ] || kill -KILL "$(pid_of f)" 2>/dev/null
		wait $waiter || fail "$(cat reload.txt)"
		await 5 is_state f "" || fail "it is still there"
		await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 50)) || fail "the source does not go on"
		[ "$(cd "$ENRGDAQ_RUNTIME_DIR/changing" && echo f.*)" = f.parted ] || fail "something of it is left: $(ls "$ENRGDAQ_RUNTIME_DIR/changing")"
	done
	[ "$1" != 0 ] || [ "$(pid_of a)" = "$pid" ] || fail "the source was touched"
	stop_run run.log
	is_settled run.log
	grep "over an outage" run.log && fail "its files were taken for lost ones"
	for i in 1 2; do
		is_piece out/f$i.csv out/a.csv 40 >piece$i.txt 2>&1 || fail "the filter's rows are no piece: $(tail -n 1 piece$i.txt)"
	done
	grep -qE "f of a: read [0-9]+ rows; in $(rows_of out/f2.csv); rejected by low [0-9]+: accounted" run.log || fail "its line: $(grep "f of a" run.log)"
}

case_processors_come_and_go() { come_and_go 0; }
case_processors_come_and_go_killed() { come_and_go 4; }

# The source of a processor gets another text; a processor that is stopped makes the rest of what it owes when it is
# removed; one whose end is not waited for goes on when it comes again.
case_around_a_processor() {
	write_supervisor
	write_dice config/a.toml a a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_filter config/f.toml f a 40 f.csv
	start run.log run config
	await 20 has_rows out/f.csv 100 || fail "no rows"
	sed -i 's/interval_seconds = 0.001/interval_seconds = 0.002/' config/a.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 20 has_rows out/f.csv $(($(rows_of out/f.csv) + 50)) || fail "it does not go on"
	"$bin" job stop f >stop.txt 2>&1 || fail "$(cat stop.txt)"
	await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 50)) || fail "the source does not go on"
	"$bin" job remove f --now >now.txt 2>&1 || fail "$(cat now.txt)"
	await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 50)) || fail "the source does not go on"
	"$bin" job add config/f.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	await 20 has_rows out/f.csv $(($(rows_of out/f.csv) + 50)) || fail "it does not go on"
	"$bin" job stop f >stop.txt 2>&1 || fail "$(cat stop.txt)"
	await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 50)) || fail "the source does not go on"
	local owed
	owed=$(awk -F, 'NR > 1 && $2 >= 40' out/a.csv | wc -l)
	"$bin" job remove f >remove.txt 2>&1 || fail "$(cat remove.txt)"
	has_rows out/f.csv "$owed" || fail "it was removed without $((owed - $(rows_of out/f.csv))) rows"
	stop_run run.log
	is_settled run.log
	is_piece out/f.csv out/a.csv 40 >piece.txt 2>&1 || fail "no piece: $(tail -n 1 piece.txt)"
	grep -q " from 0$" piece.txt || fail "it does not begin with the first: $(cat piece.txt)"
}

# It is asked to leave only when it has read what had been sent to it.
case_leaves_behind_the_mark() {
	write_supervisor
	write_dice config/a.toml a a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_filter config/f.toml f a 40 f.csv
	start run.log run config
	await 20 has_rows out/f.csv 100 || fail "no rows"
	local held owed
	held=$(pid_of f)
	kill -STOP "$held"
	await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 100)) || fail "the source does not go on"
	owed=$(awk -F, 'NR > 1 && $2 >= 40' out/a.csv | wc -l)
	"$bin" job remove f >remove.txt 2>&1 &
	local waiter=$!
	await 10 grep -q "waits: f has still to store what was sent to it" remove.txt || fail "it is asked at once: $(cat remove.txt)"
	kill -CONT "$held"
	wait $waiter || fail "$(cat remove.txt)"
	has_rows out/f.csv "$owed" || fail "it was removed without $((owed - $(rows_of out/f.csv))) rows"
	stop_run run.log
	is_settled run.log
	is_piece out/f.csv out/a.csv 40 >piece.txt 2>&1 || fail "no piece: $(tail -n 1 piece.txt)"
}

# What a processor holds when it is removed goes out, though its source goes on: here the only row that there is. Its
# process is killed when it has been asked, and the next one does it.
case_flushed_when_removed() {
	mkdir modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" "$here/../module/pairs.c" -o modules/pairs.so 2>cc.log || fail "$(cat cc.log)"
	export ENRGDAQ_MODULE_PATH=$ENRGDAQ_MODULE_PATH:$work/modules
	write_supervisor
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 is_state csv running || fail "it does not start"
	write_dice config/a.toml a a.csv
	sed -i 's/interval_seconds = 0.001/interval_seconds = 3600/' config/a.toml
	printf '%s\n' 'daq_job_type = "DAQJobPairs"' '[[input]]' 'job = "a"' '[store_config.csv]' 'file_path = "p.csv"' >config/p.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 20 has_rows out/a.csv 1 || fail "no row"
	local asked
	asked=$(pid_of p)
	kill -STOP "$asked"
	"$bin" job remove p >remove.txt 2>&1 &
	local waiter=$!
	has_order() { grep -qE "^(Sig|Shd)Pnd:.*[1-9a-f]" "/proc/$asked/status"; }
	await 20 has_order || fail "it is not asked"
	kill -KILL "$asked"
	wait $waiter || fail "$(cat remove.txt)"
	await 5 is_state a running || fail "the source was touched"
	[ "$(tail -n +2 out/p.csv)" = "$(tail -n +2 out/a.csv | cut -d, -f 1)" ] || fail "what it held: $(cat out/p.csv)"
	stop_run run.log
	is_settled run.log
	grep -q "p of a: read 1 rows; in 1: accounted" run.log || fail "its line: $(grep "p of a" run.log)"
}

# A source, a processor of it, one of that and a store come together, and go together.
case_a_chain_comes_and_goes() {
	write_supervisor
	write_source config/b.toml b 100 csv b.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 has_rows out/b.csv 20 || fail "no rows"
	write_dice config/a.toml a a.csv
	write_filter config/f.toml f a 20 f.csv
	write_filter config/g.toml g f 40 g.csv
	sed -i 's/store_config.csv/store_config.arrow/; s/g.csv/g.arrows/' config/g.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 20 has_rows out/f.csv 100 || fail "no rows of the filter"
	rm config/[afg].toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 5 is_state a "" || fail "it is still there"
	stop_run run.log
	is_settled run.log
	awk -F, 'NR == 1 || $2 >= 20' out/a.csv | cmp - out/f.csv || fail "the rows of the first"
	awk -F, 'NR == 1 || $2 >= 40' out/a.csv >g.csv
	"$bin" cat out/g.arrows | cmp g.csv - || fail "the rows of the second"
}

# The rows of f.csv are those of the source from 40 on up to some place, and from there those from 60 on.
changes_once() { # FILTERED SOURCE MIN MIN
	python3 - "$@" <<-'END'
		import sys
		read = lambda path: [line for line in open(path)][1:]
		part, whole = read(sys.argv[1]), read(sys.argv[2])
		value = lambda line: float(line.split(",")[1])
		first, then = float(sys.argv[3]), float(sys.argv[4])
		at = 0
		for cut in range(len(whole) + 1):  # rows in front of it by the first rule
		    if at == len(part) or part[at:] == [line for line in whole[cut:] if value(line) >= then]:
		        break
		    if value(whole[cut]) >= first:
		        assert part[at] == whole[cut], (cut, part[at], whole[cut])
		        at += 1
		assert 100 < cut < len(whole) - 100, "it changed after %d of %d rows" % (cut, len(whole))
		assert part[at:] == [line for line in whole[cut:] if value(line) >= then]
	END
}

# A processor gets another text while its source goes on: none is lost and none comes twice at the seam.
get_another_text() { # KILLS
	write_supervisor
	write_dice config/a.toml a a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_filter config/f.toml f a 40 f.csv
	start run.log run config
	await 20 has_rows out/f.csv 100 || fail "no rows"
	local pid
	pid=$(pid_of a)
	write_filter config/f.toml f a 60 f.csv
	"$bin" reload >reload.txt 2>&1 &
	local waiter=$!
	for _ in $(seq "$1"); do
		kill -KILL "$(pid_of f)" 2>/dev/null
		sleep 0.05
	done
	wait $waiter || fail "$(cat reload.txt)"
	grep -q "restart f (DAQJobFilter, .*): its text has changed" reload.txt || fail "$(cat reload.txt)"
	await 20 has_rows out/f.csv $(($(rows_of out/f.csv) + 100)) || fail "it does not go on"
	[ "$(pid_of a)" = "$pid" ] || fail "the source was touched"
	stop_run run.log
	is_settled run.log
	changes_once out/f.csv out/a.csv 40 60 >seam.txt 2>&1 || fail "the seam: $(tail -n 1 seam.txt)"
	grep -qE "f of a: read $(rows_of out/a.csv) rows; in $(rows_of out/f.csv); rejected by low [0-9]+: accounted" run.log || fail "its line: $(grep "f of a" run.log)"
}

case_processor_gets_another_text() { get_another_text 0; }
case_processor_gets_another_text_killed() { get_another_text 6; }

# It reads another source, then both; each source's rows are one piece, and each has its line.
case_processor_reads_others() {
	write_supervisor
	write_dice config/a.toml a a.csv
	write_dice config/b.toml b b.csv
	sed -i 's/rand_min = 1$/rand_min = 201/; s/rand_max = 100/rand_max = 300/' config/b.toml
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_filter config/f.toml f a 40 f.csv
	start run.log run config
	await 20 has_rows out/f.csv 100 || fail "no rows"
	local pids
	pids="$(pid_of a) $(pid_of b) $(pid_of csv)"
	sed -i 's/job = "a"/job = "b"/' config/f.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	local only_a
	only_a=$(awk -F, '$2 <= 100' out/f.csv | wc -l)
	await 20 has_rows out/f.csv $(($(rows_of out/f.csv) + 100)) || fail "nothing of the other"
	[ "$(awk -F, '$2 <= 100' out/f.csv | wc -l)" -le $((only_a + 100)) ] || fail "it still reads the first"
	sed -i '/^job = "b"/a [[input]]\njob = "a"' config/f.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 20 has_rows out/f.csv $(($(rows_of out/f.csv) + 200)) || fail "it does not go on"
	[ "$(pid_of a) $(pid_of b) $(pid_of csv)" = "$pids" ] || fail "others were touched"
	stop_run run.log
	is_settled run.log
	awk -F, 'NR == 1 || $2 > 100' out/f.csv >of_b.csv
	is_piece of_b.csv out/b.csv 40 >piece.txt 2>&1 || fail "the rows of b are no piece: $(tail -n 1 piece.txt)"
	grep -qE "f of b: read [0-9]+ rows; in $(rows_of of_b.csv).*: accounted" run.log || fail "its line: $(grep "f of" run.log)"
	grep -qE "f of a: read [0-9]+ rows; in [1-9][0-9]*; .*: accounted" run.log || fail "its line: $(grep "f of" run.log)"
}

# What it holds goes out by the old text; the new one begins with a new state.
case_processor_flushes_its_old_text() {
	mkdir modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" "$here/../module/pairs.c" -o modules/pairs.so 2>cc.log || fail "$(cat cc.log)"
	export ENRGDAQ_MODULE_PATH=$ENRGDAQ_MODULE_PATH:$work/modules
	write_supervisor
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_dice config/a.toml a a.csv
	sed -i 's/interval_seconds = 0.001/interval_seconds = 3600/' config/a.toml
	printf '%s\n' 'daq_job_type = "DAQJobPairs"' '[[input]]' 'job = "a"' '[store_config.csv]' 'file_path = "p.csv"' >config/p.toml
	start run.log run config
	await 20 has_rows out/a.csv 1 || fail "no row"
	"$bin" send p set_factor factor=5 >send.txt 2>&1 || fail "$(cat send.txt)"
	"$bin" job stop p >stop.txt 2>&1 || fail "$(cat stop.txt)" # one that is stopped does it, and is stopped again
	sed -i '1a factor = 3' config/p.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 5 has_rows out/p.csv 1 || fail "what it held is not stored"
	[ "$(tail -n +2 out/p.csv)" = $(($(tail -n +2 out/a.csv | cut -d, -f 1) * 5)) ] || fail "what it held: $(cat out/p.csv)"
	is_state p stopped || fail "it was started"
	"$bin" job start p >stop.txt 2>&1 || fail "$(cat stop.txt)"
	"$bin" send p set_factor factor=7 >send.txt 2>&1 || fail "$(cat send.txt)"
	grep -q '"before": 3' send.txt || fail "it has a state of the old text: $(cat send.txt)"
	stop_run run.log
	is_settled run.log
	grep -q "p of a: read 1 rows; in 1: accounted" run.log || fail "its line: $(grep "p of a" run.log)"
}

# A text by which it can't work is repaired: the new one goes on with the state of before, from the row where it stood.
case_processor_is_repaired() {
	mkdir modules
	sed 's/uint64_t begin = row;/&\n\tif (self->options->factor == 13)\n\t\treturn enrg_error_set(err, -EIO, "unlucky");/' \
		"$here/../module/pairs.c" >pairs.c
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" pairs.c -o modules/pairs.so 2>cc.log || fail "$(cat cc.log)"
	export ENRGDAQ_MODULE_PATH=$ENRGDAQ_MODULE_PATH:$work/modules
	write_supervisor
	write_dice config/a.toml a a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	printf '%s\n' 'daq_job_type = "DAQJobPairs"' 'factor = 1' '[[input]]' 'job = "a"' '[store_config.csv]' 'file_path = "p.csv"' >config/p.toml
	start run.log run config
	await 20 has_rows out/p.csv 51 || fail "no rows"
	sed -i 's/factor = 1/factor = 13/' config/p.toml
	"$bin" reload >reload.txt 2>&1
	is_failing() { [ "$(grep -c "p: process: unlucky" run.log)" -ge 2 ]; }
	await 20 is_failing || fail "it works: $(state_of p)"
	await 20 has_rows out/a.csv $(($(rows_of out/a.csv) + 100)) || fail "its source is held back"
	sed -i 's/factor = 13/factor = 2/' config/p.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 20 has_rows out/p.csv $(($(rows_of out/p.csv) + 100)) || fail "it is not repaired"
	grep -q "p could not end in order by its old text" run.log || fail "nothing is said"
	stop_run run.log
	is_settled run.log
	python3 - >sums.txt 2>&1 <<-'END' || fail "the sums: $(tail -n 1 sums.txt)"
		read = lambda path: [int(line.split(",")[0]) for line in list(open(path))[1:]]
		rows, sums = read("out/a.csv"), read("out/p.csv")
		one = 0  # sums by the first text, the last of which is of one row where its number was odd
		while sums[one] == rows[2 * one] + rows[2 * one + 1]:
		    one += 1
		at = 2 * one
		if sums[one] == rows[at]:
		    one, at = one + 1, at + 1
		for two in sums[one:]:
		    assert two == 2 * sum(rows[at:at + 2]), (one, at)
		    at += 2
		assert at >= len(rows) and one >= 50, (at, len(rows), one)
	END
}

run_case "$@"
