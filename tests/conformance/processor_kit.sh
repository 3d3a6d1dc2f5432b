#!/bin/bash
# enrgdaq-conformance-processor: what every processor has to stand, for one that was built outside of ENRGDAQ's tree.
# docs/writing-a-processor.md teaches it.
# usage: enrgdaq-conformance-processor [--kills N] [--patience SECONDS] FILE.toml [SOURCE.toml…]
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
if [ $# -lt 1 ] || [ ! -f "$1" ]; then
	echo "usage: enrgdaq-conformance-processor [--kills N] [--patience SECONDS] FILE.toml [SOURCE.toml…]

Runs the processor of that file (daq_job_type, its keys and its [[input]]s, without sections of stores) on the jobs that its inputs
name. SOURCE.toml is the file of such a job, under its name; for one that has no file a DAQJobTest stands in. The processor is killed N
times (5), stopped and started, and its sources are killed as well. Then it runs on a recording of the same batches by itself: what it
made must be the same rows, in the same order where it has one input. The ledger must close, with no row open, and the files be
proved whole. At last it is removed while its sources go on, and given another text. ENRGDAQ_MODULE_PATH names the folder of its module.

Exit code: 0 it stands that, 1 not so, 2 wrong usage." >&2
	exit 2
fi

file=$(realpath "$1")
shift
given=()
for source in "$@"; do given+=("$(realpath "$source")"); done
kit_begin
mapfile -t jobs < <(sed -n '/^\[\[input\]\]/,/^\[[^[]/s/^ *job *= *"\(.*\)".*/\1/p' "$file" | sort -u)
[ ${#jobs[@]} -gt 0 ] || { echo "$file names no [[input]]" >&2; exit 2; }
groups=$("$enrgdaq" describe "$(type_of "$file")" | sed -n '/^Store groups/,/stores here/s/^  \([a-z_]*\)  .*/\1/p')
[ -n "$groups" ] || { echo "$(type_of "$file") is no processor with a store group: there is nothing to compare" >&2; exit 2; }

# A section of the arrow store for each group of the processor, so that all that it makes is there.
write_processor() { # FILE
	sed '/^ *daq_job_unique_id/d; 1i daq_job_unique_id = "processor"' "$file" >"$1"
	for group in $groups; do printf '\n[%s.arrow]\nfile_path = "made_%s.arrows"\n' "$group" "$group" >>"$1"; done
}

find_given() { # JOB: the file of that job
	local path
	for path in ${given[@]+"${given[@]}"}; do
		[ "$(basename "$path" .toml)" = "$1" ] && echo "$path"
	done
}

write_source() { # JOB
	local path
	path=$(find_given "$1")
	if [ -n "$path" ]; then
		sed "/^ *daq_job_unique_id/d; 1i daq_job_unique_id = \"$1\"" "$path" >"c/$1.toml"
	else
		printf 'daq_job_type = "DAQJobTest"\ndaq_job_unique_id = "%s"\nrand_min = 1\nrand_max = 100\ninterval_seconds = 0.001\n' "$1" >"c/$1.toml"
	fi
	printf '\n[store_config.arrow]\nfile_path = "source_%s.arrows"\n' "$1" >>"c/$1.toml"
}

# Batches as they come, so that the recording gives the same ones.
printf 'daq_job_type = "DAQJobStoreArrow"\nout_dir = "out"\nmerge_small = false\n' >c/arrow.toml
for job in "${jobs[@]}"; do write_source "$job"; done
write_processor c/processor.toml

rows() { "$enrgdaq" status 2>/dev/null | sed -n 's/.*processor of .*: \([0-9]*\) rows read.*/\1/p' | awk '{n += $1} END {print n + 0}'; }
has_more() { [ "$(rows)" -gt "$1" ] 2>/dev/null; }
is_up() { "$enrgdaq" status --json 2>/dev/null | grep -A 20 "\"name\": \"$1\"" | grep -m 1 '"state"' | grep -q running; }

# What all of the table FILE holds, a line a row.
show() { "$enrgdaq" cat "$1" 2>/dev/null || true; }

start_run
await "$patience" has_more 0 || fail "it has read nothing in $patience s"
echo "reads"
for i in $(seq "$kills"); do
	pid=$(pid_of processor)
	[ -n "$pid" ] || fail "it has no process"
	kill -KILL "$pid"
	[ $((i % 2)) -eq 0 ] || kill -KILL "$(pid_of "${jobs[$((RANDOM % ${#jobs[@]}))]}")" 2>/dev/null
	await "$patience" is_another processor "$pid" || fail "it was not started again after kill $i"
	before=$(rows)
	await "$patience" has_more "$before" || fail "it has read nothing more after kill $i"
done
for job in "${jobs[@]}"; do await "$patience" is_up "$job" || fail "$job does not come back"; done
echo "comes back after each of $kills kills"
"$enrgdaq" job stop processor >job.log 2>&1 || fail "it can't be stopped: $(cat job.log)"
"$enrgdaq" job start processor >job.log 2>&1 || fail "it can't be started: $(cat job.log)"
before=$(rows)
await "$patience" has_more "$before" || fail "it has read nothing more after it was stopped and started"
stop_run
grep -q "processor of .*accounted, rows are open" run.log && fail "it ended with rows open: flush does not count all that it holds"
grep -q "processor of .*: accounted" run.log || fail "the ledger has no line of it"
echo "stops in order, and every row is accounted for"
"$enrgdaq" verify out/*.arrows >verify.log 2>&1 || { cat verify.log >&2; fail "its files are not whole"; }
grep -q 'source "processor".*started again' verify.log && fail "it made a gap where it went on exactly: $(cat verify.log)"
echo "its files are whole"

# The same batches once more, undisturbed.
mv out recorded
mv run.log run_killed.log
for job in "${jobs[@]}"; do
	printf 'daq_job_type = "DAQJobReplay"\ndaq_job_unique_id = "%s"\npath = "recorded/source_%s*.arrows"\nspeed = 0\n' "$job" "$job" >"c/$job.toml"
done
printf 'daq_job_type = "DAQJobStoreArrow"\nout_dir = "out"\n' >c/arrow.toml
start_run
wait_run
for path in recorded/made_*.arrows; do
	name=$(basename "$path")
	show "$path" >was.txt
	show "out/$name" >should.txt
	if [ ${#jobs[@]} -gt 1 ]; then # which of two inputs comes first is a matter of time
		sort -o was.txt was.txt
		sort -o should.txt should.txt
	fi
	cmp -s was.txt should.txt || { diff was.txt should.txt | head -n 10 >&2; fail "$name: what it made with kills (<) is not what it makes undisturbed (>)"; }
done
echo "what it made with kills is what it makes undisturbed"

# Removed, and given another text, while its sources go on.
for job in "${jobs[@]}"; do write_source "$job"; done
rm -rf out
start_run
await "$patience" has_more 100 || fail "it has read nothing in $patience s"
{ echo 'verbosity = "INFO"'; cat c/processor.toml; } >p.toml && mv p.toml c/processor.toml
timeout "$patience" "$enrgdaq" reload >reload.log 2>&1 || fail "it can't be given another text: $(cat reload.log)"
before=$(rows)
await "$patience" has_more "$before" || fail "it has read nothing more by another text"
timeout "$patience" "$enrgdaq" job remove processor >job.log 2>&1 || fail "it can't be removed: $(cat job.log)"
stop_run
grep -q "processor of .*accounted, rows are open" run.log && fail "it left with rows open: flush does not count all that it holds"
echo "leaves its inputs while they go on"
