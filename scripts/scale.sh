#!/bin/bash
# Memory, CPU and start of idle systems: scale.sh [JOBS …], ten and a thousand by default. Each job is a source of a row
# a second (ten jobs) or a minute (more), all into one arrow store. Prints figures beside their goals.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=${ENRGDAQ_BIN:-$PWD/build/release/enrgdaq}
span=5

measure() { # JOBS INTERVAL GOALS
	local folder run pids before after
	folder=$(mktemp -d)
	ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-scale.XXXXXX)
	export ENRGDAQ_RUNTIME_DIR
	mkdir "$folder/lab"
	printf '[info]\nsupervisor_id = "scale"\n' >"$folder/lab/supervisor.toml"
	for i in $(seq "$1"); do
		printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = %s\n[store_config.arrow]\nfile_path = "a.arrows"\n' \
			"$2" >"$folder/lab/t$i.toml"
	done
	cd "$folder" || exit 1
	local start
	start=$(date +%s%N)
	"$bin" run lab >log 2>&1 &
	run=$!
	until [ -s out/a.arrows ] || ! kill -0 $run 2>/dev/null; do sleep 0.01; done
	local first=$((($(date +%s%N) - start) / 1000000))
	until [ "$(ps --no-headers --ppid $run | wc -l)" -gt "$1" ] || ! kill -0 $run 2>/dev/null; do sleep 0.05; done
	local started=$((($(date +%s%N) - start) / 1000000))
	sleep $((5 + $1 / 200))
	pids="$run $(ps --no-headers -o pid --ppid $run)"
	# of the scheduler, in µs: /proc/PID/stat rounds a job's half a millisecond down to nothing
	used() { for pid in $pids; do cat "/proc/$pid/task/"*/schedstat; done | awk '{s += $1 / 1000} END {printf "%.0f", s}'; }
	before=$(used)
	sleep $span
	after=$(used)
	for pid in $pids; do cat "/proc/$pid/smaps_rollup"; done | awk -v jobs="$1" -v first="$first" -v started="$started" \
		-v cpu="$(((after - before) / span))" -v goals="$3" '
		/^Pss:/ { pss += $2 } /^Private/ { own += $2 }
		END { printf "%d idle jobs: first row %d ms, all started %d ms, %.1f MB PSS in all, %.2f MB private a job, %.2f %% CPU; goals: %s\n",
			jobs, first, started, pss / 1024, own / 1024 / (jobs + 2), cpu / 10000, goals }'
	kill -INT $run
	wait $run || tail -3 log
	cd - >/dev/null || exit 1
	rm -rf "$folder" "$ENRGDAQ_RUNTIME_DIR"
}

for jobs in "${@:-10 1000}"; do
	for count in $jobs; do
		if [ "$count" -le 10 ]; then
			measure "$count" 1 "first row < 200 ms, < 30 MB, < 2 MB a job, < 0.5 %"
		else
			measure "$count" 60 "started < 8000 ms, < 1000 MB, < 3 %"
		fi
	done
done
