#!/bin/bash
# Kills sources, stores and supervisors at random moments, then proves from the files that no batch was lost and none came
# twice: by sequence and CRC (enrgdaq verify), and row by row between two stores that never met (compare_csv.mjs).
#
#   torture.sh [--kills 300] [--seed 1]      needs ENRGDAQ_BIN (build/release/enrgdaq) and READERS (a folder with apache-arrow)
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${ENRGDAQ_BIN:-$here/../../build/release/enrgdaq}")
readers=${READERS:-$here/../../build/release/tests/interop}
kills=300
RANDOM=1
while [ $# -gt 0 ]; do
	case $1 in
	--kills) kills=$2; shift 2 ;;
	--seed) RANDOM=$2; shift 2 ;;
	*) echo "usage: torture.sh [--kills N] [--seed N]" >&2; exit 2 ;;
	esac
done

sh "$here/../interop/install.sh" "$readers" >/dev/null || exit 1
readers=$(realpath "$readers")
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-torture.XXXXXX)
token=t$$ # in the names of our jobs, so that no other process is ever hit
run=

fail() {
	echo "FAILED: $*" >&2
	tail -n 60 "$work/run.log" >&2
	echo "kept: $work" >&2
	work=
	exit 1
}

finish() {
	[ -n "$run" ] && kill -KILL "$run" 2>/dev/null
	pkill -KILL -f "enrgdaq-job DAQJob[A-Za-z]* ${token}_" 2>/dev/null
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}
trap finish EXIT

source_toml() { # NAME ROWS RATE SHM
	cat >"config/$1.toml" <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "${token}_$1"
		payload_size = $2
		rate_hz = $3
		use_shm_when_possible = $4
		[store_config.arrow]
		file_path = "$1.arrows"
		[store_config.csv]
		file_path = "$1.csv"
	END
}

start() {
	"$bin" run config >>"$work/run.log" 2>&1 &
	run=$!
}

has_stopped() { ! kill -0 "$run" 2>/dev/null; }

cd "$work" || exit 1
mkdir config
cat >config/supervisor.toml <<-END
	ring_buffer_size_mb = 24
	ring_buffer_slot_size_kb = 1024
	restart_delay_seconds = 0.01
	restart_delay_max_seconds = 0.05
	[info]
	supervisor_id = "$token"
END
source_toml small 3 2000 true
source_toml large 20000 20 true
source_toml linked 50 300 false
printf 'daq_job_type = "DAQJobStoreArrow"\ndaq_job_unique_id = "%s_arrow"\nout_dir = "out"\n' $token >config/arrow.toml
printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "%s_csv"\nout_dir = "out"\n' $token >config/csv.toml

start
supervisors=0 done_kills=0 waited=0
while [ $done_kills -lt "$kills" ]; do
	sleep "0.0$((RANDOM % 90 + 10))"
	if [ $((RANDOM % 25)) -eq 0 ]; then
		kill -KILL "$run" && supervisors=$((supervisors + 1)) done_kills=$((done_kills + 1))
		wait "$run" 2>/dev/null
		start
		continue
	fi
	mapfile -t jobs < <(pgrep -f "enrgdaq-job DAQJob[A-Za-z]* ${token}_")
	if [ ${#jobs[@]} -eq 0 ]; then
		waited=$((waited + 1))
		[ $waited -lt 1000 ] || fail "no job is running"
		has_stopped && fail "the supervisor has ended"
		continue
	fi
	waited=0
	if kill -KILL "${jobs[RANDOM % ${#jobs[@]}]}" 2>/dev/null; then
		done_kills=$((done_kills + 1))
		[ $((done_kills % 100)) -eq 0 ] && echo "$done_kills kills"
	fi
done
sleep 1
kill -INT "$run"
for _ in $(seq 600); do has_stopped && break; sleep 0.1; done
has_stopped || fail "the supervisor did not stop in a minute"
wait "$run"
code=$?
run=
[ $code -eq 0 ] || fail "exit code $code at the ordered end"

for name in small large linked; do
	"$bin" verify out/$name.arrows >"$work/verify.log" 2>&1 || fail "$(cat "$work/verify.log")"
	head -n 1 "$work/verify.log"
	cp "$here/compare_csv.mjs" "$readers/compare_csv.mjs"
	node "$readers/compare_csv.mjs" out/$name.arrows out/$name.csv || fail "$name.arrows and $name.csv differ"
done
ls out/set_aside_* out/recovered_* 2>/dev/null && fail "batches were set aside or left over"
count() { "$bin" verify --json out/*.arrows | grep -o "\"$1\":[0-9]*" | awk -F: '{s += $2} END {print s}'; }
echo "$(count batches) batches, $(count rows) rows in $((SECONDS / 60)) minutes"
echo "$done_kills kills, $supervisors of them of supervisors: nothing lost, nothing twice"
