#!/bin/bash
# enrgdaq-conformance-source: what every source has to stand, for one that was built outside of ENRGDAQ's tree.
# docs/writing-a-job.md teaches it.
# usage: enrgdaq-conformance-source [--kills N] [--patience SECONDS] FILE.toml   (ENRGDAQ_MODULE_PATH: where its module lies)
set -u
kills=5 patience=30
while [ $# -gt 2 ]; do
	case $1 in
	--kills) kills=$2 ;;
	--patience) patience=$2 ;;
	*) break ;;
	esac
	shift 2
done
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
	echo "usage: enrgdaq-conformance-source [--kills N] [--patience SECONDS] FILE.toml

Runs the source of that file (daq_job_type and its keys, without sections of stores) with a store arrow, and
kills it N times (5). It must start and produce again each time, within the patience (30 s), and be stopped in order; the ledger
must close and the file be proved whole. ENRGDAQ_MODULE_PATH names the folder of its module.

Exit code: 0 it stands that, 1 not so, 2 wrong usage." >&2
	exit 2
fi
enrgdaq=${ENRGDAQ_BIN:-enrgdaq}
work=$(mktemp -d "${TMPDIR:-/tmp}/enrg-conformance-XXXXXX")
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrg-conformance-XXXXXX)
export ENRGDAQ_RUNTIME_DIR
run=

finish() {
	[ -n "$run" ] && kill -TERM "$run" 2>/dev/null && wait "$run"
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}
trap finish EXIT

fail() {
	echo "FAILED: $*" >&2
	tail -n 30 "$work/run.log" >&2
	exit 1
}

await() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] && kill -0 "$run" 2>/dev/null || return 1
		sleep 0.05
	done
}

pid_of_source() { ps --ppid "$run" -o pid=,args= | awk -v type="$type" '$2 == "enrgdaq-job" && $3 == type {print $1}'; }
rows() { "$enrgdaq" status --json 2>/dev/null | sed -n 's/.*"produced_rows": \([0-9]*\).*/\1/p' | head -n 1; }
has_more() { [ "$(rows || echo 0)" -gt "$1" ] 2>/dev/null; }
shows() { "$enrgdaq" status --json 2>/dev/null | grep -q "\"pid\": ${1:-none},"; }
is_another() { local pid; pid=$(pid_of_source); [ -n "$pid" ] && [ "$pid" != "$1" ]; }

file=$(realpath "$1")
type=$(sed -n 's/^ *daq_job_type *= *"\(.*\)".*/\1/p' "$1" | head -n 1)
mkdir "$work/c" && cd "$work" || exit 2
printf 'restart_delay_seconds = 0.1\n[info]\nsupervisor_id = "conformance"\n' >c/supervisor.toml
{ cat "$file"; printf '\n[store_config.arrow]\nfile_path = "source.arrows"\n'; } >c/source.toml
"$enrgdaq" check c >run.log 2>&1 || fail "its configuration is refused"
"$enrgdaq" run c >run.log 2>&1 &
run=$!
await "$patience" has_more 0 || fail "it produced nothing in $patience s"
echo "produces"
for i in $(seq "$kills"); do
	pid=$(pid_of_source)
	[ -n "$pid" ] || fail "it has no process"
	kill -KILL "$pid"
	await "$patience" is_another "$pid" || fail "it was not started again after kill $i"
	# what the supervisor counts may be a second old: from what it says of the new process on
	await "$patience" shows "$(pid_of_source)" || fail "it was not started again after kill $i"
	before=$(rows)
	await "$patience" has_more "$before" || fail "it produced nothing more after kill $i"
done
echo "comes back after each of $kills kills"
kill -TERM "$run"
wait "$run"
code=$?
run=
[ $code -eq 0 ] || fail "the run ended with exit code $code: the ledger does not close, or it did not stop in order"
echo "stops in order, and every batch is accounted for"
"$enrgdaq" verify out/*.arrows >verify.log 2>&1 || { cat verify.log >&2; fail "the file is not whole"; }
echo "the file is whole"
