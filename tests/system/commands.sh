#!/bin/bash
# Commands to a run, and what jobs hear from each other: commands.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE.
. "$(dirname "$0")/harness.sh"

write_config() {
	write_dice_lab 16
}

# The supervisor answers, names all that is wrong, and ends in order when it is asked to.
case_supervisor() {
	write_config
	"$bin" send supervisor ping >none.log 2>&1
	[ $? -eq 1 ] || fail "exit code without a run"
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	"$bin" send --json supervisor ping >ping.log || fail "ping"
	grep -q "\"pid\": $run" ping.log || fail "ping names another process"
	"$bin" send supervisor stop hury=true now=1 >wrong.log
	[ $? -eq 2 ] || fail "exit code for wrong fields"
	grep -q "wrong_fields: hury: unknown key; did you mean hurry?; now: unknown key" wrong.log ||
		fail "not all that is wrong is named"
	"$bin" send supervisor fly >kind.log
	[ $? -eq 1 ] || fail "exit code for no such command"
	kill -0 "$run" || fail "the supervisor is gone"
	"$bin" send --id lab supervisor stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
	grep -q "accounted" run.log || fail "no ledger"
	[ -e "$ENRGDAQ_RUNTIME_DIR/lab/control" ] && fail "the socket is left"
}

# A runtime folder that was taken away and made again takes commands again.
case_folder_removed() {
	write_config
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	rm -f "$ENRGDAQ_RUNTIME_DIR/lab/control"
	await 20 "$bin" send supervisor ping || fail "no answer any more"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# Another user sees nothing of the folder, and is told whose it is.
case_another_user() {
	[ "$(id -u)" -eq 0 ] || exit 77
	write_config
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	chmod 755 "$work" "$ENRGDAQ_RUNTIME_DIR"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" send --id lab supervisor stop >user.log 2>&1
	[ $? -eq 1 ] || fail "exit code for another user"
	grep -q "belongs to root" user.log || fail "it is not said why"
	kill -0 "$run" || fail "the supervisor is gone"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# A service and a polled job that take commands, beside the dice.
write_knobs() {
	write_config
	mkdir -p modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" "$here/knob.c" -o modules/knob.so 2>cc.log ||
		fail "the module does not build"
	export ENRGDAQ_MODULE_PATH="$work/modules:${ENRGDAQ_MODULE_PATH:-}"
	cat >c/knob.toml <<-END
		daq_job_type = "DAQJobKnob"
		daq_job_unique_id = "knob"
		diary = "knob.txt"
		[store_config.csv]
		file_path = "knob.csv"
	END
	cat >c/polled.toml <<-END
		daq_job_type = "DAQJobPolledKnob"
		daq_job_unique_id = "polled"
		diary = "polled.txt"
		[store_config.csv]
		file_path = "polled.csv"
	END
}

# given CODE TEXT ARGUMENTS...: the command ends with the exit code and says the text
given() {
	local code=$1 text=$2
	shift 2
	"$bin" send "$@" >given.log 2>&1
	[ $? -eq "$code" ] || { cat given.log >&2; fail "exit code of: $*"; }
	grep -q -- "$text" given.log || { cat given.log >&2; fail "$* does not say: $text"; }
}

# Commands to a service, to a polled job, to a type and to all; refusals leave the job as it was.
case_jobs() {
	write_knobs
	start run.log run c
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	given 0 "ok: turned to 8" knob set value=4 factor=2
	given 0 '"turns": 2' polled set value=5
	given 2 "value: expected an integer from 0 to 10 V, found the integer 11; mode: .*; valu: unknown key" \
		knob set value=11 valu=2 mode=3
	given 1 "refused: the knob is locked" knob set value=1 mode=locked
	given 1 "failed: the knob came off" knob set value=1 mode=broken
	given 1 "no_kind" knob fly
	given 1 "nobody: there is no job knb; did you mean knob?" knb set value=1
	given 1 "knows no command run_start; it knows ping.*\[runs\] control = true" supervisor run_start
	given 1 "no_kind: dice.*enrgdaq describe DAQJobTest" dice set value=1
	given 0 "ok: 1 of 1 jobs" "type DAQJobKnob" set value=2
	given 0 "ok: 2 of 2 jobs" all set value=3
	given 1 "nobody" "type DAQJobKnbo" set value=2
	given 0 '"turns": 5' knob set value=6 # 1, 4, the two to several, and this
	given 0 ok knob pass "to=job polled" value=7
	await 20 grep -q "answer 0 turned to 7" knob.txt || fail "a job got no answer from a job"
	given 0 ok knob pass to=supervisor kind=ping
	await 20 grep -q "answer 0  {\"version\"" knob.txt || fail "a job got no answer from its supervisor"
	given 0 ok knob pass "to=job nobody"
	await 20 grep -q "answer 4 there is no job nobody" knob.txt || fail "a job was not told that there is nobody"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	[ "$(sort -u out/knob.csv | tr '\n' ' ')" = "1 2 3 4 6 value " ] || fail "rows of the service"
}

# Who is down is not asked, who dies between action and answer leaves the asker without knowledge, and neither acts again.
case_dies() {
	write_knobs
	sed -i 's/restart_delay_seconds = 0.1/restart_delay_seconds = 1.5/' c/supervisor.toml
	start run.log run c
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	given 1 "unknown: polled ended before it had answered: it may have been done or not; read the state back" polled die
	given 1 "refused: polled is restarting: nothing was done" polled set value=9
	await 20 "$bin" send polled set value=2 || fail "polled does not come back"
	[ "$(grep -c die polled.txt)" -eq 1 ] || fail "it acted twice"
	[ "$(grep -c set polled.txt)" -eq 2 ] || fail "what was refused was done later"
	await 20 grep -q "stopped polled signal 9 (Killed) 1" knob.txt || fail "the end was not heard"
	await 20 grep -q "started polled DAQJobPolledKnob 1" knob.txt || fail "the start was not heard"
	# Busy for longer than the command may wait.
	"$bin" send knob nap >/dev/null &
	await 20 grep -q nap knob.txt || fail "no nap"
	given 1 "expired" --timeout 0.5 knob set value=9
	wait $!
	given 0 '"turns": 2' knob set value=2
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# Over kills of the job: what was answered with ok was done once, what was refused was not done, and what is unknown was
# not done twice.
case_kills() {
	write_knobs
	start run.log run c
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	local i asker askers=() killer
	for asker in 1 2 3; do
		for i in $(seq 60); do
			echo "$asker.$i $("$bin" send --timeout 2 polled set value=1 mode="m$asker.$i" | head -n 1)"
		done >"answers.$asker" &
		askers+=($!)
	done
	(
		for _ in $(seq 12); do
			sleep 0.15
			pid=$(pid_of polled)
			[ -n "$pid" ] && kill -KILL "$pid"
		done
	) &
	killer=$!
	wait "${askers[@]}" "$killer"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run"
	sort polled.txt | uniq -c | awk '$2 == "set" && NF == 3 && $1 > 1' >twice
	[ -s twice ] && { cat twice >&2; fail "commands that acted twice"; }
	awk 'FILENAME == "polled.txt" {done[$2] = 1; next}
		{name = "m" $1; code = $2; sub(/:$/, "", code); count[code]++}
		code == "ok" && !done[name] {print name, "was answered with ok and not done"; bad = 1}
		code != "ok" && code != "unknown" && done[name] {print name, "was done and answered with", code; bad = 1}
		END {for (code in count) print code, count[code]; exit bad}' polled.txt answers.* >judged || { cat judged >&2; fail "answers"; }
	cat judged
	grep -q "^ok" judged || fail "nothing was done"
	grep -q "^refused" judged || fail "nothing was refused: no kill was met"
}

# Alerts, statistics and topics reach those who want them; rows of alerts are stored.
case_reports() {
	write_knobs
	printf 'daq_job_type = "DAQJobHandleAlerts"\n[store_config.csv]\nfile_path = "alerts.csv"\n' >c/handle_alerts.toml
	sed -i 's/^diary.*/&\ntopics_to_subscribe = ["stats.combined"]/' c/knob.toml
	start run.log run c
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	await 20 grep -q '"handle_alerts"\|handle_alerts' "$ENRGDAQ_RUNTIME_DIR/lab/status.json" || fail "no service"
	await 20 sh -c "'$bin' send knob warn >/dev/null && grep -q warm out/alerts.csv" || fail "no row of an alert"
	grep -q '^[0-9]\{13\},knob,warning,"the knob is ""warm"", 40 °C"$' out/alerts.csv || fail "another row was expected"
	await 20 grep -q 'alert knob 2 the knob is "warm"' knob.txt || fail "the alert was not heard"
	await 20 grep -q "stats dice DAQJobTest [1-9]" knob.txt || fail "statistics were not heard"
	await 20 grep -q "message stats.combined.supervisor.lab combined_stats {" knob.txt ||
		fail "a topic of the configuration was not heard"
	# a batch that was sent and then received by both of its stores is one message
	await 20 grep -q "^trace received .*-[0-9]* table dice lab>" knob.txt || fail "a trace was not heard"
	await 20 sh -c 'm=$(sed -n "s/^trace received \([^ ]*\) table dice lab>.*/\1/p" knob.txt | tail -n 1)
		[ "$m" ] && grep -q "^trace sent $m table dice lab> 1 [1-9][0-9]* 1 1 1$" knob.txt' ||
		fail "what was received was not sent"
	grep "^trace" knob.txt | grep -v " 1 1 1$" && fail "a trace whose figures do not agree"
	grep -q "message stats.supervisor" knob.txt && fail "what was not subscribed to was heard"
	given 0 ok knob listen to=supervisor.lab.daq_job
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# Alerts that are raised while who hears them is not there come when it is, each once.
case_late_alerts() {
	write_knobs
	printf 'daq_job_type = "DAQJobHandleAlerts"\n[store_config.csv]\nfile_path = "alerts.csv"\n' >c/handle_alerts.toml
	start run.log run c
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	rows() { grep -c '"warm"' out/alerts.csv; }
	has_warm() { [ "$(grep -c 'warm' out/alerts.csv 2>/dev/null)" = "$1" ]; }
	await 20 grep -q "alerts" "$ENRGDAQ_RUNTIME_DIR/lab/status.json" || fail "no service"
	given 0 ok polled warn
	await 20 has_warm 1 || fail "no row of an alert"
	"$bin" job stop handle_alerts >stop.log 2>&1 || fail "$(cat stop.log)"
	"$bin" job stop knob >stop.log 2>&1 || fail "$(cat stop.log)"
	given 0 ok polled warn
	given 0 ok polled warn
	await 20 sh -c "[ \$(grep -c 'polled: the knob is' run.log) = 3 ]" || fail "not raised"
	"$bin" job start handle_alerts >start.log 2>&1 || fail "$(cat start.log)"
	await 20 has_warm 3 || fail "$(cat out/alerts.csv)"
	"$bin" job start knob >start.log 2>&1 || fail "$(cat start.log)"
	await 20 sh -c "[ \$(grep -c '^alert polled 2 .*(late)' knob.txt) = 2 ]" || fail "$(cat knob.txt)"
	# once more: what was told is not told again
	kill -KILL "$(pid_of handle_alerts)"
	given 0 ok polled warn
	await 20 has_warm 4 || fail "$(cat out/alerts.csv)"
	sleep 0.5
	has_warm 4 || fail "twice: $(cat out/alerts.csv)"
	[ "$(grep -c '^alert polled 2 .*C$' knob.txt)" = 2 ] || fail "$(cat knob.txt)"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# A supervisor that comes after a killed one has the alerts that nobody had heard, and its list of the last ones; what was
# heard does not come again.
case_alerts_of_a_killed_supervisor() {
	write_knobs
	printf 'daq_job_type = "DAQJobHandleAlerts"\n[store_config.csv]\nfile_path = "alerts.csv"\n' >c/handle_alerts.toml
	start run.log run c
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	has_warm() { [ "$(grep -c 'warm' out/alerts.csv 2>/dev/null)" = "$1" ]; }
	await 20 grep -q "alerts" "$ENRGDAQ_RUNTIME_DIR/lab/status.json" || fail "no service"
	given 0 ok polled warn
	await 20 has_warm 1 || fail "no row of an alert"
	"$bin" job stop handle_alerts >stop.log 2>&1 || fail "$(cat stop.log)"
	given 0 ok polled warn
	given 0 ok polled warn
	await 20 sh -c "[ \$(grep -c warm $ENRGDAQ_RUNTIME_DIR/lab/alerts.jsonl) = 3 ]" || fail "they are not kept"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	printf '{"heard_ns":1,"job":"cut' >>"$ENRGDAQ_RUNTIME_DIR/lab/alerts.jsonl" # it was writing one down
	no_jobs() { [ -z "$(jobs_here)" ]; }
	await 30 no_jobs || fail "jobs outlive their supervisor"
	start again.log run c
	await 20 has_warm 3 || fail "$(cat out/alerts.csv)"
	"$bin" status --json >status.json || fail "no status"
	[ "$(grep -c '"message": .*warm' status.json)" = 3 ] || fail "the list does not have them: $(grep -A30 '"alerts"' status.json)"
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	given 0 ok polled warn
	await 20 has_warm 4 || fail "$(cat out/alerts.csv)"
	sleep 0.5
	has_warm 4 || fail "twice: $(cat out/alerts.csv)"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
	[ ! -e "$ENRGDAQ_RUNTIME_DIR/lab/alerts.jsonl" ] || fail "the file stays"
}

# A run whose sources are done ends, whatever services there are.
case_service_ends() {
	write_knobs
	rm c/dice.toml c/polled.toml
	printf 'daq_job_type = "DAQJobBenchmark"\ncount = 5\n[store_config.csv]\nfile_path = "b.csv"\n' >c/finite.toml
	timeout 30 "$bin" run c >run.log 2>&1 || fail "exit code of the run"
	grep -q "no source will produce any more" run.log || fail "it ended by something else"
}

# One job gives all the commands that it can: nobody grows, the others go on, and the next command is answered.
case_flood() {
	write_knobs
	start run.log run c
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	await 20 "$bin" send polled set value=1 || fail "polled does not answer"
	local polled before after rows
	polled=$(pid_of polled)
	given 0 sent knob flood "to=job polled" kind=fly
	await 20 "$bin" send polled set value=1 || fail "polled does not answer after a flood"
	before=$(awk '/VmRSS/ {n += $2} END {print n}' "/proc/$run/status" "/proc/$polled/status")
	rows=$(wc -l <out/dice.csv)
	given 0 sent knob flood "to=job polled" kind=set
	given 0 sent knob flood "to=job polled" kind=set
	cat given.log
	await 20 "$bin" send polled set value=1 || fail "polled does not answer after a flood"
	after=$(awk '/VmRSS/ {n += $2} END {print n}' "/proc/$run/status" "/proc/$polled/status")
	[ $((after - before)) -lt 16384 ] || fail "it grew from $before to $after kB"
	[ "$(pid_of polled)" = "$polled" ] || fail "it was ended by a flood"
	await 20 sh -c "[ \$(wc -l <out/dice.csv) -gt $((rows + 10)) ]" || fail "others stood still"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

# Bytes that are no command, and connections without end: the supervisor does its work, and does not grow.
case_hostile() {
	command -v python3 >/dev/null || exit 77
	write_knobs
	start run.log run c
	await 20 "$bin" send knob set value=1 || fail "knob does not answer"
	local before after
	before=$(awk '/VmRSS/ {print $2}' "/proc/$run/status")
	python3 - "$ENRGDAQ_RUNTIME_DIR/lab/control" <<-'END' || fail "the flood"
		import os, random, socket, sys
		random.seed(7)
		for i in range(3000):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.settimeout(5)
		    s.connect(sys.argv[1])
		    try:
		        for _ in range(random.randrange(4)):
		            s.send(random.randbytes(random.choice([0, 1, 7, 100, 3000])))
		            if i % 3 == 0: s.recv(4096)
		    except OSError: pass
		    s.close()
	END
	given 0 "turned to 2" knob set value=2
	after=$(awk '/VmRSS/ {print $2}' "/proc/$run/status")
	[ $((after - before)) -lt 8192 ] || fail "it grew from $before to $after kB"
	kill -INT "$run"
	wait "$run" || fail "exit code of the run"
}

run_case "$@"
