# lab.sh: a laboratory whose alerts go out: `. lab.sh` behind harness.sh. Needs CRIER, the folder of crier.so.
# shellcheck shell=bash disable=SC2034,SC2154

# A source of 20 rows a second, and a job that cries when it is told to.
write_lab() {
	write_dice_lab 16
	printf 'restart_delay_max_seconds = 0.2\n%s\n' "$(cat c/supervisor.toml)" >c/supervisor.toml
	export ENRGDAQ_MODULE_PATH="$CRIER:${ENRGDAQ_MODULE_PATH:-}"
	printf 'daq_job_type = "DAQJobCrier"\n' >c/crier.toml
}

# start_receiver FOLDER: port in $port
start_receiver() {
	mkdir -p "$1"
	echo ok >"$1/mode"
	python3 "$here/receiver.py" "$1" 2>"$1.log" &
	started+=("$!")
	await 20 test -s "$1/port" || fail "no receiver"
	port=$(cat "$1/port")
}

set_mode() { echo "$2" >"$1/mode.new" && mv "$1/mode.new" "$1/mode"; }

cry() { "$bin" send crier cry "text=$1" "${@:2}" >/dev/null || fail "the crier does not cry $1"; }

is_ready() { "$bin" send "$1" no.such.kind | grep -q "^no_kind"; }

# The crier is there, and each of these hears.
await_jobs() {
	await 20 test -s out/dice.csv || fail "no rows"
	for job in crier "$@"; do await 20 is_ready "$job" || fail "$job does not get ready"; done
}

# kill_job JOB: until another process does its work
kill_job() {
	local pid
	pid=$(pid_of "$1")
	kill -KILL "$pid" || fail "$1 has no process"
	await 20 sh -c "ps --ppid $run -o pid=,args= | grep -v '^ *$pid ' | grep -q ' $1\$'" || fail "$1 does not come back"
	await 20 is_ready "$1" || fail "$1 does not get ready again"
}

end_run() {
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	grep -q "accounted" run.log || fail "no ledger"
	grep -q "was killed because\|hangs: it has not" run.log && fail "something hung"
	return 0
}
