#!/bin/bash
# Looking at a run from beside it: watching.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

write_config() { # RATE of the fast source
	write_dice_lab 64
	cat >"$work/c/fast.toml" <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "fast"
		payload_size = 1000
		rate_hz = $1
		[store_config.memory]
	END
}

# The rows that are shown are the source's; a source that was killed and a run that was made anew are seen again.
case_watch() {
	write_config 2000
	cd "$work" || exit 1
	"$bin" watch dice >none.log 2>&1
	[ $? -eq 1 ] || fail "exit code without a run"
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	[ "$("$bin" watch)" = "dice, fast" ] || fail "the sources there are"
	"$bin" watch nobody 2>no.log
	[ $? -eq 1 ] || fail "exit code for no such source"
	grep -q "no source named \"nobody\".*dice, fast" no.log || fail "it does not say which there are"
	"$bin" watch dice --every 0.2 --seconds 30 --json >dice.json 2>watch.log &
	local watcher=$!
	started+=("$watcher")
	await 20 sh -c '[ $(wc -l <out/dice.csv) -gt 10 ]' || fail "no more rows"
	"$bin" watch dice --seconds 0.3 --id lab >late.txt || fail "exit code of a short look"
	grep -q "came faster" late.txt && fail "what came before the look is missed: $(cat late.txt)"
	await 20 test -s dice.json || fail "nothing is shown"
	kill -KILL "$(pid_of dice)" || fail "dice is not there"
	local lines
	lines=$(wc -l <dice.json)
	await 20 sh -c "[ \$(wc -l <dice.json) -gt $((lines + 10)) ]" || fail "nothing after a kill"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
	start again.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	lines=$(wc -l <dice.json)
	await 20 sh -c "[ \$(wc -l <dice.json) -gt $((lines + 10)) ]" || fail "nothing of a new run"
	kill -INT "$watcher"
	wait "$watcher" || fail "exit code of watch"
	kill -INT "$run"
	wait "$run" || fail "exit code of the second run"
	python3 - <<-'END' || fail "rows that the source never made"
		import csv, json
		kept = {(row["timestamp"], row["A"], row["B"], row["C"]) for row in csv.DictReader(open("out/dice.csv"))}
		seen = [json.loads(line) for line in open("dice.json")]
		rows = [shown["row"] for shown in seen if shown["row"]]
		assert len(rows) > 20 and all(shown["source"] == "dice" for shown in seen), len(rows)
		for row in rows:
		    assert tuple(str(row[name]) for name in ("timestamp", "A", "B", "C")) in kept, row
		assert max(shown["rows_per_s"] for shown in seen) < 60, "rates"
	END
}

# Four that watch, two of them stopped, one killed: the ledger is whole, and nothing of them is left in the streams.
case_watchers_do_not_matter() {
	write_config 0
	cd "$work" || exit 1
	start run.log run c --duration 4
	await 20 test -s out/dice.csv || fail "no rows"
	local watchers=() watcher
	for watcher in 1 2 3 4; do
		"$bin" watch fast --every 0.1 >"watch_$watcher.txt" 2>&1 &
		watchers+=($!)
		started+=($!)
	done
	for watcher in 1 2 3 4; do await 20 test -s "watch_$watcher.txt" || fail "watcher $watcher shows nothing"; done
	kill -STOP "${watchers[0]}" "${watchers[1]}"
	kill -KILL "${watchers[2]}"
	wait "$run" || fail "exit code"
	grep -qE "fast -> DAQJobStoreMemory: .*: accounted" run.log || fail "not accounted"
	kill -CONT "${watchers[@]}" 2>/dev/null
	grep -q "batches/s, .* rows/s" watch_4.txt || fail "no rates"
}

sequence_of_fast() {
	"$bin" watch fast --every 0.1 --seconds 5 --json | sed -n 's/.*"sequence":\([0-9]*\).*/\1/p;q'
}

has_passed() { # SEQUENCE
	[ "$(sequence_of_fast)" -gt "$1" ]
}

# One that stood still for laps of the ring says in its next view how much it missed, though the source stands still now.
case_watch_counts_what_it_missed() {
	write_config 20000
	cd "$work" || exit 1
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	"$bin" watch fast --every 0.2 >watch.txt 2>&1 &
	local watcher=$! source sequence
	started+=("$watcher")
	await 20 test -s watch.txt || fail "nothing is shown"
	kill -STOP "$watcher"
	sequence=$(sequence_of_fast)
	await 60 has_passed $((sequence + 30000)) || fail "the source does not go on"
	source=$(pid_of fast)
	kill -STOP "$source" || fail "fast is not there"
	kill -CONT "$watcher"
	await 20 grep -qE ', [0-9]{5,} of [0-9]{5,} batches came faster' watch.txt || fail "what was missed is not counted"
	kill -CONT "$source"
	kill -INT "$watcher"
	wait "$watcher" || fail "exit code of watch"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# In a window of 40 × 5 nothing is broken over two lines or shifted out at the top.
case_watch_in_a_small_window() {
	write_config 2000
	cd "$work" || exit 1
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	timeout 60 python3 - "$bin" <<-'END' || fail "the view does not fit"
		import fcntl, os, pty, struct, sys, termios
		pid, terminal = pty.fork()
		if pid == 0:
		    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 40, 0, 0))
		    os.execv(sys.argv[1], [sys.argv[1], "watch", "dice", "--every", "0.2"])
		shown = b""
		while shown.count(b"lines more") < 3:
		    shown += os.read(terminal, 4096)
		view = shown.split(b"\x1b[H")[2].decode().split("\x1b[J")[0].replace("\x1b[K", "").splitlines()
		assert len(view) == 4 and view[0].startswith("dice, run"), view
		assert all(len(line) <= 40 for line in view), view
		os.write(terminal, b"\x03")
		assert os.waitpid(pid, 0)[1] == 0
	END
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

has_said() { # PYTHON: of the status s, as JSON
	"$bin" status --json >status.json 2>status.log && python3 -c "
import json, sys
s = json.load(open('status.json'))
job = {j['name']: j for j in s['jobs']}
sys.exit(not ($1))"
}

# Where nothing happens the figures are written each 10 s, and are not taken for those of a supervisor that hangs. What
# happens is told at once.
case_idle() {
	write_config 2000
	cd "$work" || exit 1
	rm c/fast.toml
	sed -i 's/interval_seconds = .*/interval_seconds = 3600/' c/dice.toml
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	await 20 has_said "s['interval_s'] >= 10 and s['age_s'] > 4" || fail "it writes the same again and again"
	"$bin" status >table.log || fail "status"
	grep -q OLD table.log && fail "figures that stand still are taken for old ones"
	kill -KILL "$(pid_of dice)" || fail "dice is not there"
	await 4 has_said "job['dice']['restarts'] == 1 and s['interval_s'] < 2" || fail "a kill is not told at once"
	await 4 has_said "job['dice']['out']['batches'] >= 2" || fail "nor what came after it"
	has_said "s['ledger']['accounted']" || fail "the ledger"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

run_case "$@"
