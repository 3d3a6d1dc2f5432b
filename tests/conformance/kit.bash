# kit.bash: what the suites of the author's test kit share that run whole systems; installed beside them as
# enrgdaq-conformance.bash: `. …`, then kit_begin. The program is $enrgdaq, the folder $work with the configuration c/.
# shellcheck shell=bash
enrgdaq=${ENRGDAQ_BIN:-enrgdaq}
# shellcheck disable=SC2034 # of those that read this file
kills=5 patience=30
run=

finish() {
	[ -n "$run" ] && kill -TERM "$run" 2>/dev/null && wait "$run"
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}

kit_begin() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/enrg-conformance-XXXXXX")
	ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrg-conformance-XXXXXX)
	export ENRGDAQ_RUNTIME_DIR
	trap finish EXIT
	mkdir "$work/c" && cd "$work" || exit 2
	printf 'restart_delay_seconds = 0.1\n[info]\nsupervisor_id = "conformance"\n' >c/supervisor.toml
}

fail() {
	echo "FAILED: $*" >&2
	tail -n 30 "$work/run.log" >&2
	exit 1
}

await() { # SECONDS COMMAND…; a slow machine gets three times as long
	local end=$((SECONDS + 3 * $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] && kill -0 "$run" 2>/dev/null || return 1
		sleep 0.05
	done
}

start_run() {
	"$enrgdaq" check c >run.log 2>&1 || fail "its configuration is refused"
	"$enrgdaq" run c >run.log 2>&1 &
	run=$!
}

stop_run() {
	kill -TERM "$run"
	wait_run
}

wait_run() {
	wait "$run"
	local code=$?
	run=
	[ $code -eq 0 ] || fail "the run ended with exit code $code: the ledger does not close, or it did not stop in order"
}

# Of the job of that name; nothing while it is down.
pid_of() { ps --ppid "$run" -o pid=,args= | awk -v name="$1" '$2 == "enrgdaq-job" && $NF == name {print $1}'; }
is_another() { local pid; pid=$(pid_of "$1"); [ -n "$pid" ] && [ "$pid" != "$2" ]; }
type_of() { sed -n 's/^ *daq_job_type *= *"\(.*\)".*/\1/p' "$1" | head -n 1; }
