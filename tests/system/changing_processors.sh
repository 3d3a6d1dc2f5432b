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
		[ "$(cd "$ENRGDAQ_RUNTIME_DIR/changing" && echo f.*)" = f.stream ] || fail "something of it is left: $(ls "$ENRGDAQ_RUNTIME_DIR/changing")"
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

run_case "$@"
