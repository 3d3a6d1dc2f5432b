#!/bin/bash
# enrgdaq-conformance-source: what every source has to stand, for one that was built outside of ENRGDAQ's tree.
# docs/writing-a-job.md teaches it.
# usage: enrgdaq-conformance-source [--kills N] [--patience SECONDS] FILE.toml   (ENRGDAQ_MODULE_PATH: where its module lies)
set -u
# shellcheck source-path=SCRIPTDIR source=kit.bash
. "$(dirname "$(realpath "$0")")/enrgdaq-conformance.bash"
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

rows() { "$enrgdaq" status --json 2>/dev/null | sed -n 's/.*"produced_rows": \([0-9]*\).*/\1/p' | head -n 1; }
has_more() { [ "$(rows || echo 0)" -gt "$1" ] 2>/dev/null; }
shows() { "$enrgdaq" status --json 2>/dev/null | grep -q "\"pid\": ${1:-none},"; }

file=$(realpath "$1")
kit_begin
{ sed '/^ *daq_job_unique_id/d' "$file"; printf '\n[store_config.arrow]\nfile_path = "source.arrows"\n'; } >c/source.toml
sed -i '1i daq_job_unique_id = "source"' c/source.toml
start_run
await "$patience" has_more 0 || fail "it produced nothing in $patience s"
echo "produces"
for i in $(seq "$kills"); do
	pid=$(pid_of source)
	[ -n "$pid" ] || fail "it has no process"
	kill -KILL "$pid"
	await "$patience" is_another source "$pid" || fail "it was not started again after kill $i"
	# what the supervisor counts may be a second old: from what it says of the new process on
	await "$patience" shows "$(pid_of source)" || fail "it was not started again after kill $i"
	before=$(rows)
	await "$patience" has_more "$before" || fail "it produced nothing more after kill $i"
done
echo "comes back after each of $kills kills"
stop_run
echo "stops in order, and every batch is accounted for"
"$enrgdaq" verify out/*.arrows >verify.log 2>&1 || { cat verify.log >&2; fail "the file is not whole"; }
echo "the file is whole"
