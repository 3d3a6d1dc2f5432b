#!/bin/bash
# Who may end a run, and what an output that nobody takes does to it: signals.sh CASE. Needs ENRGDAQ_BIN; each case has a
# folder and a runtime folder of its own. 77: the case needs something that is missing here.
. "$(dirname "$0")/../system/harness.sh"

# A source of 50 batches a second into a CSV file.
write_config() {
	mkdir -p config
	printf 'restart_delay_seconds = 0.1\n%b[info]\nsupervisor_id = "signals"\n' "${1:-}" >config/supervisor.toml
	cat >config/source.toml <<-END
		daq_job_type = "DAQJobBenchmark"
		payload_size = 10
		rate_hz = 50
		[store_config.csv]
		file_path = "data.csv"
	END
	printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "csv"\n' >config/csv.toml
}

# A store that needs 40 ms a batch, for a source that makes one each 10 ms: there is a backlog.
write_slow_store() {
	sed -i 's/rate_hz = 50/rate_hz = 100/; s/csv\]/faulty]/; s/data.csv/batches.txt/' config/source.toml
	rm config/csv.toml
	printf 'daq_job_type = "DAQJobStoreFaulty"\ndelay_ms = 40\n' >config/faulty.toml
}

rows() { wc -l 2>/dev/null <"out/${1:-data.csv}" || echo 0; }
has_rows() { [ "$(rows)" -gt "${1:-1}" ]; }
jobs_of() { ps --ppid "$run" -o pid=,comm= | awk '$2 != "enrgdaq-runs" {print $1}'; }

# The run ends with that exit code.
ends_with() {
	wait "$run"
	local code=$?
	[ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# Everything that was produced is stored.
is_settled() {
	grep -q ": accounted$" run.log || fail "no ledger line"
	grep -qE "MISSING|TWICE|not all stored" run.log && fail "the ledger is not settled"
	return 0
}

# `systemctl stop` of a unit that signals its whole group, or a machine that shuts down.
case_everybody() {
	write_config
	write_slow_store
	start run.log run config
	has_backlog() { [ "$(grep -c . out/batches.txt)" -ge 40 ]; }
	await 20 has_backlog || fail "no data"
	kill -TERM "$run" $(jobs_of)
	kill -INT "$run" # as `timeout` and `sudo` do
	ends_with 0
	is_settled
	grep -q "fast stop:" run.log && fail "signals that came together were taken for an impatient user"
	return 0
}

# SIGINT and SIGTERM to one source or store, by somebody else.
case_one_job() {
	write_config
	start run.log run config
	await 20 has_rows || fail "no data"
	local before source
	source=$(pid_of source)
	kill -TERM "$source"
	is_new() { [ -n "$(pid_of source)" ] && [ "$(pid_of source)" != "$source" ]; }
	await 20 is_new || fail "the source was not started again"
	before=$(pid_of csv)
	kill -TERM "$before"
	kill -INT "$before" "$(pid_of source)"
	await 20 grep -q "csv: SIGTERM from process" run.log || fail "the store does not say that it was signalled"
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "no row after the signals"
	kill -TERM "$run"
	ends_with 0
	is_settled
	grep -q "source: SIGTERM from process" run.log || fail "the source does not say who signalled it"
	grep -q "source is done" run.log && fail "it was taken for done"
	[ "$(grep -c 'csv ended' run.log)" -eq 0 ] || fail "the store ended before its source"
}

# A second signal ends a run at once: what is not stored stays, and the next start stores it.
case_second_signal() {
	write_config
	write_slow_store
	printf 'daq_job_type = "DAQJobStoreFaulty"\ndelay_ms = 400\n' >config/faulty.toml
	start run.log run config
	await 20 test -s out/batches.txt || fail "no data"
	kill -INT "$run"
	await 20 grep -q "once more: fast stop" run.log || fail "it does not stop"
	sleep 0.6 # signals closer together are one
	kill -TERM "$run"
	ends_with 1
	grep -q "fast stop: what is not stored" run.log || fail "no fast stop"
	grep -q "not all stored" run.log || fail "the ledger does not say what is in flight"
	sed -i 's/400/0/' config/faulty.toml
	"$bin" run config --duration 1 >again.log 2>&1 || fail "exit code $?"
	grep -q "batches were left; stored" again.log || fail "the next start does not store it"
}

# nohup, or a terminal that is closed while it runs with SIGHUP as it is: the run continues.
case_hangup() {
	write_config
	(trap '' HUP; exec "$bin" run config >run.log 2>&1) &
	run=$!
	started+=("$run")
	await 20 has_rows || fail "no data"
	kill -HUP "$run" $(jobs_of)
	local before
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "it does not continue"
	kill -TERM "$run"
	ends_with 0
	start run.log run config
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "no data"
	kill -HUP "$run" $(jobs_of)
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "it does not continue"
	kill -TERM "$run"
	ends_with 0
	is_settled
}

# `enrgdaq run | tee log` where tee dies first; `bench` and `status --watch` with a reader that has seen enough.
case_closed_pipe() {
	write_config
	mkfifo pipe
	{ "$bin" run config >pipe 2>&1; echo $? >code; } &
	head -n 1 pipe >run.log
	await 20 has_rows || fail "no data"
	await 20 "$bin" status signals || fail "it does not run"
	timeout 20 "$bin" status --watch signals | head -n 2 >watch.log
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "status --watch: exit code ${PIPESTATUS[0]}"
	"$bin" stop signals >stop.log 2>&1 || fail "stop: exit code $?"
	await 20 test -s code || fail "it does not end"
	[ "$(cat code)" = 0 ] || fail "exit code $(cat code)"
	"$bin" bench run --clients 1 --duration 1 --stats-interval 0.2 2>bench.log | head -n 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "bench: exit code ${PIPESTATUS[0]}"
}

# The whole machine stands still for longer than watchdog_seconds; which process gets the processor first is chance.
case_paused() {
	write_config 'watchdog_seconds = 1\n'
	start run.log run config
	await 20 has_rows || fail "no data"
	sleep 1.2 # the watchdog has looked at them
	kill -STOP "$run" $(jobs_of)
	sleep 2.5
	kill -CONT "$run"
	sleep 0.1
	kill -CONT $(jobs_of)
	local before
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "it does not continue"
	# a job that alone stands still is killed as ever
	kill -STOP "$(pid_of source)"
	await 20 grep -q "source (process .*no sign of life" run.log || fail "the watchdog does not see a job that stands still"
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "it was not started again"
	kill -TERM "$run"
	ends_with 0
	[ "$(grep -c "no sign of life" run.log)" -eq 1 ] || fail "jobs that were only paused were killed"
	is_settled
}

# Nobody reads the terminal any more (Ctrl-S, a stalled ssh): a job that dies is started again, a stop ends the run.
case_blocked_terminal() {
	write_config
	"$bin" run config --duration 0.1 >first.log 2>&1 || fail "exit code $?"
	rm -rf out
	python3 - "$bin" >python.log 2>&1 <<-'END' || fail "see python.log"
		import os, pty, signal, subprocess, sys, time
		controller, terminal = pty.openpty()
		run = subprocess.Popen([sys.argv[1], "run", "config"], stdin=terminal, stdout=terminal, stderr=terminal,
		    start_new_session=True)
		def await_that(what, condition):
		    end = time.monotonic() + 20
		    while not condition():
		        assert time.monotonic() < end, what
		        time.sleep(0.05)
		def source():
		    for line in subprocess.run(["ps", "--ppid", str(run.pid), "-o", "pid=,args="], capture_output=True, text=True).stdout.splitlines():
		        if line.endswith(" source"):
		            return int(line.split()[0])
		rows = lambda: os.path.exists("out/data.csv") and os.path.getsize("out/data.csv")
		try:
		    await_that("no data", rows)
		    os.write(controller, b"\x13") # Ctrl-S
		    for _ in range(3):
		        old = source()
		        os.kill(old, signal.SIGKILL)
		        await_that("not started again", lambda: source() not in (None, old))
		    before = rows()
		    await_that("no data after it", lambda: rows() > before + 1000)
		    run.send_signal(signal.SIGINT)
		    code = run.wait(20)
		    assert code == 0, code
		finally:
		    run.kill()
	END
}

# The log is redirected to a disk that is full; then there is room again.
case_full_log() {
	mkdir disk
	mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || { echo "only root can mount a small disk"; exit 77; }
	write_config 'verbosity = "DEBUG"\n'
	dd if=/dev/zero of=disk/filler bs=1k count=64 2>/dev/null
	"$bin" run config >disk/log 2>&1 &
	run=$!
	started+=("$run")
	await 20 has_rows 100 || fail "no data"
	local source
	source=$(pid_of source)
	kill -KILL "$source"
	is_new() { [ -n "$(pid_of source)" ] && [ "$(pid_of source)" != "$source" ]; }
	await 20 is_new || fail "the source was not started again"
	rm disk/filler
	kill -TERM "$run"
	ends_with 0
	cp disk/log run.log
	umount -l disk
	grep -q "of the log are lost: No space left on device" run.log || fail "it does not say that lines are lost"
	is_settled
}

# A store that waits when the run ends: stop_timeout_seconds limits the stop, also that of --duration; the rest stays.
case_stop_timeout() {
	write_config 'stop_timeout_seconds = 1\n'
	write_slow_store
	printf 'daq_job_type = "DAQJobStoreFaulty"\nfail_every = 1\nerror = "EIO"\n' >config/faulty.toml
	"$bin" run config --duration 1 >run.log 2>&1
	[ $? -eq 1 ] || fail "exit code 1 was expected"
	grep -q "longer than stop_timeout_seconds (1 s)" run.log || fail "the limit is not told"
	grep -q "not all stored" run.log || fail "the ledger does not say what is in flight"
	grep -q '"ended": "stop_timeout_seconds"' out/ledger_*.json || fail "the ledger does not say how it ended"
	sed -i 's/fail_every = 1/fail_every = 0/' config/faulty.toml
	"$bin" run config --duration 1 >again.log 2>&1 || fail "exit code $?"
	grep -q "batches were left; stored" again.log || fail "the next start does not store it"
	grep -q '"ended": "in order"' out/ledger_*.json || fail "the second ledger does not say how it ended"
	# no limit: it waits on, beyond the patience with a store that hangs
	[ -n "${ENRGDAQ_LONG:-}" ] || return 0
	sed -i 's/fail_every = 0/fail_every = 1/' config/faulty.toml
	sed -i 's/stop_timeout_seconds = 1/stop_timeout_seconds = 0/' config/supervisor.toml
	start run.log run config --duration 1
	sleep 40
	kill -0 "$run" || fail "it does not wait"
	kill -TERM "$run"
	sleep 1
	kill -TERM "$run"
	ends_with 1
}

# [log] file, SIGHUP: the file is opened anew, the verbosity is read again, by jobs too.
case_reload() {
	write_config 'verbosity = "WARNING"\n[log]\nfile = "logs/run.log"\n'
	start run.log run config
	await 20 has_rows || fail "no data"
	kill -TERM "$(pid_of csv)" # a store tells that at level INFO
	kill -KILL "$(pid_of source)"
	await 20 grep -q "source ended: signal 9" logs/run.log || fail "no line in the file"
	local before
	before=$(rows)
	await 20 has_rows $((before + 100)) || fail "no data after it"
	sed -i 's/WARNING/INFO/' config/supervisor.toml
	mv logs/run.log logs/old.log
	kill -HUP "$run"
	await 20 grep -q "verbosity is INFO" logs/run.log || fail "the file is not opened anew"
	is_told() { kill -TERM "$(pid_of csv)" && grep -q "csv: SIGTERM from process" logs/run.log; }
	await 20 is_told || fail "the verbosity of the jobs is not read again"
	grep -q "csv: SIGTERM" logs/old.log && fail "the verbosity was not WARNING before"
	sed -i 's/verbosity = "INFO"/verbosity = "LOUD"/' config/supervisor.toml
	kill -HUP "$run"
	await 20 grep -q "verbosity stays as it was" logs/run.log || fail "a wrong verbosity is not told"
	kill -TERM "$run"
	ends_with 0
	is_settled
	grep -q "verbosity is INFO" run.log || fail "standard error has no lines"
}

case_json() {
	write_config
	echo 'count = 20' >config/more
	sed -i '1r config/more' config/source.toml
	"$bin" run --log-format json config 2>json.log >run.log || fail "exit code $?"
	python3 - json.log >python.log 2>&1 <<-'END' || fail "not as it should be"
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[1])]
		assert all(set(line) == {"time", "level", "process", "job", "message"} for line in lines), lines
		assert {"supervisor", "source"} <= {line["job"] for line in lines}, lines
	END
	"$bin" run --log-format xml config >wrong.log 2>&1
	[ $? -eq 2 ] || fail "another format was taken"
}

# A folder that ran with the Python program has its log there.
case_earlier_log() {
	write_config
	mkdir out
	echo "a line of an earlier program" >out/supervisor.log
	"$bin" run config --duration 0.2 >run.log 2>&1 || fail "exit code $?"
	head -n 1 out/supervisor.log | grep -q "earlier program" || fail "the log was not kept"
	grep -q "supervisor: run .* of signals" out/supervisor.log || fail "the log is not continued"
}

# What a service manager is told.
case_service() {
	write_config
	python3 "$here/notify.py" "$bin" config >run.log 2>&1 || fail "see run.log"
	is_settled
}

case_unit() {
	command -v systemd-analyze >/dev/null || { echo "no systemd-analyze here"; exit 77; }
	sed "s|/usr/bin/enrgdaq|$bin|; s/^User=.*/User=root/; s/^Group=.*/Group=root/; /^Documentation/d" \
		"$here/../../packaging/enrgdaq@.service" >enrgdaq@.service
	systemd-analyze verify "$work/enrgdaq@lab.service" >verify.log 2>&1 || fail "systemd-analyze verify"
	grep -F "enrgdaq@" verify.log && fail "systemd-analyze has something to say"
	return 0
}

# Escape codes in the name of a file, which becomes that of its job, steer no terminal: not from the log, the ledger, status,
# or what is said about the configuration.
case_escapes() {
	write_config
	local name=$'s\e]0;x\a\xc2\x9b2J'
	mv config/source.toml "config/$name.toml"
	start run.log run config
	if await 1 has_rows; then
		await 20 "$bin" status signals || fail "no status"
		"$bin" status signals >status.log
		"$bin" status --json signals >json.log
	fi
	kill -TERM "$run"
	wait "$run"
	echo 'nonsense = 1' >>"config/$name.toml"
	"$bin" check config >check.log 2>&1
	grep -lP '\x1b|\x07|\xc2\x9b' ./*.log && fail "a terminal would be steered"
	grep -q nonsense check.log || fail "the problem is not told"
}

# Started with standard descriptors closed: nothing of ours becomes descriptor 0, 1 or 2 of any process.
case_closed_descriptors() {
	write_config
	"$bin" run config <&- >&- 2>&- &
	run=$!
	started+=("$run")
	await 20 has_rows || fail "no data"
	grep -qx "$run" "$ENRGDAQ_RUNTIME_DIR/signals/lock" || fail "the lock holds $(cat "$ENRGDAQ_RUNTIME_DIR/signals/lock")"
	for pid in "$run" $(jobs_of); do
		for descriptor in 0 1 2; do
			link=$(readlink "/proc/$pid/fd/$descriptor")
			[ "$link" = /dev/null ] || fail "process $pid: descriptor $descriptor is $link"
		done
	done
	"$bin" status signals 2>&- >status.log || fail "status: exit code $?"
	kill -TERM "$run"
	ends_with 0
	"$bin" convert out/data.csv x.root 0<&- 1>&- 2>&-
	[ $? -eq 2 ] || fail "convert without descriptors"
}

# A file at its limit (`ulimit -f`) is an error that is told, of a log as of data.
case_file_limit() {
	write_config
	sed -i 's/csv\]/arrow]/; s/data.csv/data.arrows/' config/source.toml
	rm config/csv.toml
	"$bin" run config --duration 1 >run.log 2>&1 || fail "exit code $?"
	(ulimit -f 1; "$bin" convert out/data.arrows data.csv 2>&1; echo "exit code $?") >convert.log
	grep -q "exit code 1" convert.log || fail "convert: $(cat convert.log)"
	grep -q "File too large" convert.log || fail "the cause is not told: $(cat convert.log)"
	[ -z "$(find . -mindepth 1 -maxdepth 1 ! -name '*.log' ! -name config ! -name out)" ] || fail "convert left something: $(ls -A)"
}

run_case "$@"
