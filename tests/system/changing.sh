#!/bin/bash
# A run that changes while others go on: changing.sh CASE, or changing.sh --storm COUNT. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/changes.sh"

# A run without a job waits; jobs come by reload, by name, and from a file elsewhere; a second time they are refused.
case_from_nothing() {
	write_supervisor
	"$bin" check config >check.txt 2>&1 || fail "check: $(cat check.txt)"
	grep -q "no job" check.txt || fail "check says nothing"
	start run.log run config
	await 20 "$bin" send supervisor ping || fail "it does not answer"
	write_source config/a.toml a 200 csv a.csv
	"$bin" reload --dry-run >dry.txt 2>&1 || fail "dry run: $(cat dry.txt)"
	grep -q "add a (DAQJobBenchmark" dry.txt || fail "the plan does not name it: $(cat dry.txt)"
	[ -z "$(state_of a)" ] || fail "the dry run did it"
	grep -q "command reload .*ok: would .*add a" run.log || fail "the log reads as if it were done: $(grep reload run.log)"
	"$bin" reload >reload.txt 2>&1 || fail "reload: $(cat reload.txt)"
	grep -q "^plan: .*add a" reload.txt || fail "no plan: $(cat reload.txt)"
	grep -q "^done: .*add a" reload.txt || fail "not done: $(cat reload.txt)"
	await 20 has_rows out/a.csv 50 || fail "no rows"
	write_source "$work/b.toml" b 200 csv b.csv
	"$bin" job add b.toml >add.txt 2>&1 || fail "add: $(cat add.txt)"
	grep -q "until this run ends" add.txt || fail "it does not say for how long: $(cat add.txt)"
	"$bin" job add b.toml >again.txt 2>&1 && fail "added twice"
	grep -q "from $work/b.toml" again.txt || fail "it does not say where the first came from: $(cat again.txt)"
	await 20 has_rows out/b.csv 50 || fail "no rows of b"
	"$bin" reload >reload.txt 2>&1 || fail "reload: $(cat reload.txt)"
	await 5 is_state b running || fail "a reload has removed it"
	stop_run run.log
	is_settled run.log
}

# Errors in the folder, and in commands, change nothing.
case_refused() {
	write_supervisor
	write_source config/a.toml a 100 csv a.csv
	start run.log run config
	await 20 has_rows out/a.csv 10 || fail "no rows"
	local pid
	pid=$(pid_of a)
	write_source config/b.toml b 100 csv b.csv
	echo 'nonsense = 1' >>config/b.toml
	"$bin" reload >bad.txt 2>&1 && fail "a folder with errors was taken"
	grep -q "b.toml:7" bad.txt || fail "file and line are not named: $(cat bad.txt)"
	"$bin" job stop nobody >nobody.txt 2>&1 && fail "nobody was stopped"
	grep -q "no job" nobody.txt || fail "$(cat nobody.txt)"
	"$bin" job remove DAQJobStoreCVS >near.txt 2>&1 && fail "nobody was removed"
	grep -q "did you mean DAQJobStoreCSV?" near.txt || fail "no name is suggested: $(cat near.txt)"
	"$bin" job remove DAQJobStoreCSV >default.txt 2>&1 && fail "a default store was removed"
	printf '%s\n' 'daq_job_type = "DAQJobFilter"' '[[input]]' 'job = "a"' '[store_config.csv]' 'file_path = "b.csv"' >config/b.toml
	"$bin" reload >filter.txt 2>&1 || fail "$(cat filter.txt)"
	echo 'verbosity = "DEBUG"' | cat - config/b.toml >b.toml && mv b.toml config/b.toml
	local filter
	filter=$(pid_of b)
	"$bin" reload --dry-run >dry.txt 2>&1 || fail "$(cat dry.txt)"
	grep -q "restart b (DAQJobFilter, .*): its text has changed" dry.txt || fail "$(cat dry.txt)"
	[ "$(pid_of b)" = "$filter" ] || fail "a dry run has done it"
	"$bin" job remove b >remove.txt 2>&1 || fail "$(cat remove.txt)"
	rm config/b.toml
	sed -i s/changing/other/ config/supervisor.toml
	"$bin" reload >other.txt 2>&1 && fail "another supervisor was taken"
	grep -q supervisor_id other.txt || fail "$(cat other.txt)"
	write_supervisor
	sed -i 's/ring_buffer_size_mb = 32/ring_buffer_size_mb = 64/' config/supervisor.toml
	"$bin" reload >key.txt 2>&1 || fail "$(cat key.txt)"
	grep -q "ring_buffer_size_mb: can't change" key.txt || fail "the key is not named: $(cat key.txt)"
	[ "$(pid_of a)" = "$pid" ] || fail "the job was touched"
	stop_run run.log
}

# Stop, start and restart of a source and of its store: nothing is lost, what waits is stored later.
case_stop_start() {
	write_supervisor
	write_source config/a.toml a 500 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 has_rows out/a.csv 50 || fail "no rows"
	"$bin" job stop csv >stop.txt 2>&1 || fail "$(cat stop.txt)"
	await 5 is_state csv stopped || fail "it is $(state_of csv)"
	local before
	before=$(rows_of out/a.csv)
	sleep 0.5
	[ "$(rows_of out/a.csv)" = "$before" ] || fail "a stopped store stores"
	"$bin" job start csv >start.txt 2>&1 || fail "$(cat start.txt)"
	await 20 has_rows out/a.csv $((before + 200)) || fail "it does not go on"
	"$bin" job restart csv >restart.txt 2>&1 || fail "$(cat restart.txt)"
	"$bin" job stop a >stop.txt 2>&1 || fail "$(cat stop.txt)"
	[ -z "$(pid_of a)" ] || fail "it still runs"
	"$bin" job start a >start.txt 2>&1 || fail "$(cat start.txt)"
	"$bin" job restart a >restart.txt 2>&1 || fail "$(cat restart.txt)"
	sed -i 's/rate_hz = 500/rate_hz = 300/' config/a.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	grep -q "restart a .*its text has changed" reload.txt || fail "$(cat reload.txt)"
	before=$(rows_of out/a.csv)
	await 20 has_rows out/a.csv $((before + 100)) || fail "it does not go on"
	stop_run run.log
	is_settled run.log
	[ "$(value "sum(s['produced_rows'] for s in x['sources'])" <"$(ls out/ledger_*.json)")" = "$(rows_of out/a.csv)" ] || fail "rows are missing"
}

# A store that comes to a source in use gets what is sent from then on, in order and whole; one that goes stores first
# what was sent to it.
case_stores_come_and_go() {
	write_supervisor
	write_source config/a.toml a 1000 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	await 20 has_rows out/a.csv 1000 || fail "no rows"
	local pid i
	pid=$(pid_of a)
	for i in 1 2 3; do
		write_store config/more.toml more DAQJobStoreCSV more$i
		"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
		await 20 has_rows more$i/a.csv 500 || fail "no rows for the guest"
		rm config/more.toml
		"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
		await 5 is_state more "" || fail "it is still there"
		# the guest's rows stand in the steady store's file as one piece
		[ "$(tail -n +2 more$i/a.csv | grep -c -F -x -f - out/a.csv)" -ge "$(rows_of more$i/a.csv)" ] || fail "not the same rows"
	done
	[ "${LINKS:-}" ] || [ "$(pid_of a)" = "$pid" ] || fail "the source was touched"
	stop_run run.log
	is_settled run.log
	[ "$(value "sum(p['stored_rows'] for p in x['removed'])" <"$(ls out/ledger_*.json)")" = "$(($(rows_of more1/a.csv) + $(rows_of more2/a.csv) + $(rows_of more3/a.csv)))" ] ||
		fail "the ledger does not say what the guests stored"
}

# Ctrl-C of a command that waits: it says that the change goes on, and so it does.
case_interrupted() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/more.toml more DAQJobStoreCSV more
	start run.log run config
	await 20 has_rows more/a.csv 10 || fail "no rows"
	local guest
	guest=$(pid_of more)
	kill -STOP "$guest" || fail "more is not there"
	await 20 has_rows out/a.csv $(($(rows_of more/a.csv) + 10)) || fail "nothing waits for it"
	mv config/more.toml .
	"$bin" job remove more >wait.txt 2>&1 &
	local waiter=$!
	started+=("$waiter")
	await 20 grep -q "command job.remove for" run.log || fail "the command has not come"
	kill -INT "$waiter"
	wait "$waiter" && fail "an interrupted command says that all is done"
	grep -q "what was begun goes on" wait.txt || fail "it does not say so: $(cat wait.txt)"
	"$bin" reload >busy.txt 2>&1 && fail "two changes at once"
	grep -q "a change is under way" busy.txt || fail "$(cat busy.txt)"
	kill -CONT "$guest" || fail "more is gone"
	await 20 is_state more "" || fail "it is still there"
	stop_run run.log
	is_settled run.log
}

# The same over ZeroMQ: a source has a connection to each store, so it is started again where one comes or goes.
case_links_stop_start() { LINKS=1 && case_stop_start; }
case_links_come_and_go() { LINKS=1 && case_stores_come_and_go; }
case_links_remove_now() { LINKS=1 && case_remove_now; }

# A source that sends nothing while the store is there: what was sent before was not for it, and is not in flight.
case_joins_in_silence() {
	write_supervisor
	printf '%s\n' 'daq_job_type = "DAQJobTest"' 'rand_min = 1' 'rand_max = 6' 'interval_seconds = 3600' '[store_config.csv]' 'file_path = "a.csv"' >config/a.toml
	start run.log run config
	await 20 has_rows out/a.csv 1 || fail "no row"
	write_store config/csv.toml csv DAQJobStoreCSV more
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	stop_run run.log
	is_settled run.log
	grep -q "a -> csv: produced 1 .*stored 0 .*not for this store 1: accounted" run.log || fail "$(cat run.log)"
}

# A store that is removed with what waits for it: it stays in shared memory, and is stored when it comes again.
case_remove_now() {
	write_supervisor
	write_source config/a.toml a 200 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/more.toml more DAQJobStoreCSV more
	start run.log run "$PWD/config"
	await 20 has_rows more/a.csv 100 || fail "no rows"
	"$bin" job stop more >stop.txt 2>&1 || fail "$(cat stop.txt)"
	sleep 0.3
	"$bin" job remove more --now >remove.txt 2>&1 || fail "$(cat remove.txt)"
	grep -q "more is removed; what it has not stored of a stays in .*a.stream" run.log || fail "it does not say where"
	grep -q "its file stays: the next reload or run starts it again" remove.txt || fail "of its file: $(cat remove.txt)"
	"$bin" job add config/more.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	is_equal() { [ "$(rows_of more/a.csv)" -gt 300 ]; }
	await 20 is_equal || fail "it does not go on"
	stop_run run.log
	is_settled run.log
	cmp -s more/a.csv out/a.csv || fail "the two stores have not the same rows"
}

# The same where the ring is full and its source waits already: the removal is done at once, says what that means, and
# the source goes on when the store comes again.
case_remove_now_when_full() {
	write_supervisor
	sed -i 's/ring_buffer_size_mb.*/ring_buffer_size_mb = 1/' config/supervisor.toml
	write_source config/a.toml a 500 csv a.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	write_store config/more.toml more DAQJobStoreCSV more
	start run.log run "$PWD/config"
	await 20 has_rows more/a.csv 100 || fail "no rows"
	"$bin" job stop more >stop.txt 2>&1 || fail "$(cat stop.txt)"
	local before=-1
	stands_still() { local now; now=$(rows_of out/a.csv); [ "$now" = "$before" ] || { before=$now && sleep 0.3 && return 1; }; }
	await 30 stands_still || fail "the ring is never full"
	timeout 10 "$bin" job remove more --now >remove.txt 2>&1 || fail "$(cat remove.txt)"
	grep -q "more is removed; what it has not stored of a stays in .*; when that ring is full, a waits" run.log || fail "it does not say what that means"
	[ "$(rows_of out/a.csv)" = "$before" ] || fail "the source went on, and what waited is gone"
	"$bin" job add config/more.toml >add.txt 2>&1 || fail "$(cat add.txt)"
	await 20 has_rows out/a.csv $((before + 500)) || fail "it does not go on"
	stop_run run.log
	is_settled run.log
	cmp -s more/a.csv out/a.csv || fail "the two stores have not the same rows"
}

# --- many changes at random while two sources run beside them, into stores of their own ---

descriptors() { # PID: how many, beside files that are stored to, which rotate
	find "/proc/$1/fd" -mindepth 1 -printf '%l\n' 2>/dev/null | grep -c -v "^$work/"
}
mappings() { grep -c "$ENRGDAQ_RUNTIME_DIR" "/proc/$1/maps"; }
snapshot() { # what the steady ones hold, and what lies in the runtime folder
	local name
	for name in fast1 fast2 keep1 keep2 disk; do
		echo "$name $(pid_of $name) $(descriptors "$(pid_of $name)") $(mappings "$(pid_of $name)")"
	done
	echo "supervisor $(descriptors "$run") $(mappings "$run")"
	# beside where the guests count on when they come again
	find "$ENRGDAQ_RUNTIME_DIR/changing" -mindepth 1 -name book -prune -o ! -name 'g?.parted' ! -name removed.json -print | sort | tr '\n' ' '
}
produced() { "$bin" status --json | value "sum(j['out']['rows'] for j in x['jobs'] if j['name'] in ('fast1', 'fast2'))"; }
look() { # rows of the two and the time, at a moment when the status is new: ROWS NANOSECONDS
	local before now
	before=$(produced)
	while now=$(produced) && [ "$now" = "$before" ]; do sleep 0.02; done
	echo "$now $(date +%s%N)"
}
# What the machine and the steady ones have computed, in ticks of the clock; what these waited for stores, and missed.
cpu_of() { # NAME...: of those processes, or (without) of all
	[ $# -gt 0 ] || { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8 + $9}' /proc/stat && return; }
	local name sum=0
	for name in "$@"; do sum=$((sum + $(sed 's/.*) //' "/proc/$(pid_of "$name")/stat" | awk '{print $12 + $13}'))); done
	echo "$sum"
}
held_back() { "$bin" status --json | value "' '.join(f\"{j['name']}: waited {j.get('blocked_s') or 0:.2f} s for stores, missed {j.get('missed_ticks', 0)} ticks;\" for j in x['jobs'] if j['name'] in ('fast1', 'fast2'))"; }
rate() { echo $((($3 - $1) * 1000000000 / ($4 - $2))); } # LOOK LOOK: rows a second

write_guest() { # NAME: a source into the steady csv and arrow, and into a guest store where one is
	write_source "config/$1.toml" "$1" $((20 + RANDOM % 50)) csv "$1.csv"
	printf '[store_config.arrow]\nfile_path = "%s.arrows"\n' "$1" >>"config/$1.toml"
}

change_something() { # NUMBER
	local name=g$((RANDOM % 4)) verb=$((RANDOM % 7))
	# of what is not there most commands are refused: some are tried, the others let it come
	[ -e "there.$name" ] || [ $((RANDOM % 4)) = 0 ] || verb=0
	case $verb in
	0)
		[ -e "config/$name.toml" ] || write_guest "$name"
		"$bin" job add "config/$name.toml"
		;;
	1) "$bin" job stop "$name" ;;
	2) "$bin" job start "$name" ;;
	3) "$bin" job restart "$name" ;;
	4) "$bin" job remove "$name" ;;
	5) "$bin" job remove "$name" --now ;;
	6)
		if [ -e "config/$name.toml" ] && [ $((RANDOM % 2)) = 0 ]; then rm "config/$name.toml"; else write_guest "$name"; fi
		if [ -e config/guest.toml ]; then rm config/guest.toml; else write_store config/guest.toml guest DAQJobStoreCSV guest; fi
		"$bin" reload
		;;
	esac >"$work/change.txt" 2>&1
	echo "$1 $verb $name: $(tail -n 1 "$work/change.txt")" >>"$work/changes.log"
	grep -q "^done: .*add $name" "$work/change.txt" && touch "there.$name"
	grep -q "^done: .*remove $name" "$work/change.txt" && rm -f "there.$name"
	grep -qE "^done|^refused|^nobody|^failed" "$work/change.txt" || fail "change $1 ($verb $name): $(cat "$work/change.txt")"
}

# What the ledger says that a store has stored of each source, of all lives of both, is what its files have, each row once.
compare_rows() {
	local store source folder rows file
	value "'\n'.join(sorted({f'{s} {p} {n}' for s, p, n in [(s, p, sum(
		[r['stored_rows'] for r in x['removed'] if (r['source'], r['store']) == (s, p)] +
		[t['stored_rows'] for i in x['sources'] if i['source'] == s for t in i['stores'] if t['store'] == p]))
		for s, p in {(r['source'], r['store']) for r in x['removed']} |
			{(i['source'], t['store']) for i in x['sources'] for t in i['stores']}]}))" <"$(ls out/ledger_*.json)" >rows.txt
	"$bin" verify --json arrow >verify.lines 2>verify.log || fail "the arrow files: $(grep -v '"whole": *true' verify.lines | tail -n 5)"
	sed '1s/^/[/; $!s/$/,/; $s/$/]/' verify.lines >verify.json
	while read -r source store rows; do
		case $store in
		csv) folder=out ;;
		guest) folder=guest ;;
		disk)
			file=$(value "sum(f['rows'] for f in x if f.get('file', '').split('/')[-1].startswith('$source'))" <verify.json)
			[ "$file" = "$rows" ] || fail "$source in arrow: $file rows, the ledger says $rows"
			continue
			;;
		*) continue ;; # in memory
		esac
		[ "$(rows_of "$folder/$source.csv")" = "$rows" ] || fail "$source in $store: $(rows_of "$folder/$source.csv") rows, the ledger says $rows"
		[ -z "$(sort "$folder/$source.csv" | uniq -d | head -n 1)" ] || fail "$source in $store: rows stand there twice"
	done <rows.txt
	grep -q "fast1 disk" rows.txt || fail "the ledger does not name fast1 and its store"
}

storm() { # COUNT SECONDS [PAUSE]
	write_supervisor
	RANDOM=${SEED:=$$}
	local i quiet busy before after first last all steady span
	for i in 1 2; do
		printf 'daq_job_type = "DAQJobBenchmark"\ndaq_job_unique_id = "fast%s"\npayload_size = 20000\nrate_hz = %s\n[store_config.memory]\n' \
			$i "${RATE_HZ:-100}" >config/fast$i.toml
		printf 'daq_job_type = "DAQJobStoreMemory"\ndaq_job_unique_id = "keep%s"\n' $i >config/keep$i.toml
	done
	# one of them to a disk as well: a quarter of the rate, 8 MB/s
	sed -i "s/rate_hz = .*/rate_hz = ${DISK_RATE_HZ:-25}/" config/fast1.toml
	printf '[store_config.arrow]\nfile_path = "fast1.arrows"\n' >>config/fast1.toml
	write_store config/disk.toml disk DAQJobStoreArrow arrow
	echo 'rotate_mb = 16' >>config/disk.toml
	write_source config/slow.toml slow 20 csv slow.csv
	write_store config/csv.toml csv DAQJobStoreCSV out
	start run.log run config
	for i in keep2 disk fast1 fast2; do await 30 is_state $i running || fail "it does not start"; done
	await 20 has_rows out/slow.csv 50 || fail "no rows"
	# shellcheck disable=SC2046,SC2086
	{
		first=$(look)
		sleep "$2"
		quiet=$(rate $first $(look))
		before=$(snapshot)
		held_back >held.before
		first=$(look)
		all=$(cpu_of)
		steady=$(cpu_of fast1 fast2 keep1 keep2 disk)
		for i in $(seq "$1"); do
			change_something "$i"
			sleep "${3:-0}"
		done
		last=$(look)
		busy=$(rate $first $last)
		all=$(($(cpu_of) - all))
		steady=$(($(cpu_of fast1 fast2 keep1 keep2 disk) - steady))
		held_back >held.after
	}
	rm -f config/g?.toml config/guest.toml
	"$bin" reload >reload.txt 2>&1 || fail "$(cat reload.txt)"
	await 5 is_state g0 ""
	after=$(snapshot)
	echo "$1 changes (SEED=$SEED) in $(((${last#* } - ${first#* }) / 1000000000)) s, $(grep -c ": done" changes.log) of them done, the others refused;" \
		"rows a second of the two: $quiet undisturbed, $busy meanwhile ($((busy * 1000 / quiet)) of 1000)"
	span=$(((${last#* } - ${first#* }) / 10000000 * $(nproc))) # ticks that there were
	echo "of the machine's time meanwhile: $((steady * 1000 / span)) of 1000 for the two and their stores, $(((all - steady) * 1000 / span)) for all else;" \
		"before: $(cat held.before) after: $(cat held.after)"
	[ "$before" = "$after" ] || fail "something is left: $before / $after"
	"$bin" status --json | value "[j['name'] for j in x['jobs'] if j.get('epoch', 1) != 1 and j['name'].startswith('fast')] or len(x.get('alerts', []))" >left.txt
	[ "$(cat left.txt)" = 0 ] || fail "a gap or an alert: $(cat left.txt)"
	stop_run run.log
	is_settled run.log
	compare_rows
}

case_storm() { storm 32 1 0.02; }

if [ "${1:-}" = --storm ]; then
	cd "$work" || exit 1
	storm "${2:?how many changes}" 10
	exit 0
fi
run_case "$@"
