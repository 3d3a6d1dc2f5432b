#!/bin/bash
# What a version leaves when everything is killed while batches wait: freeze.sh PROGRAM makes frozen/VERSION-CASE.tar.xz,
# which later versions must drain (frozen.sh). Run once for each released version.
set -eu
bin=$(realpath "${1:?the released program}")
here=$(cd "$(dirname "$0")" && pwd)
place=/tmp/enrgdaq-frozen # journals hold absolute paths
export ENRGDAQ_MODULE_PATH=${ENRGDAQ_MODULE_PATH:-$(dirname "$bin")/modules}
export ENRGDAQ_RUNTIME_DIR=$place/runtime
version=$("$bin" --version | cut -d' ' -f2)
sources=3

write_config() { # SHM
	mkdir -p c
	printf 'ring_buffer_size_mb = 1\nring_buffer_slot_size_kb = 32\n[info]\nsupervisor_id = "frozen"\n' >c/supervisor.toml
	for i in $(seq $sources); do
		cat >"c/source$i.toml" <<-END
			daq_job_type = "DAQJobTest"
			rand_min = $i
			rand_max = $i
			interval_seconds = 0.0$((i + 1))
			use_shm_when_possible = $1
			[store_config.csv]
			file_path = "rows$i.csv"
			[store_config.arrow]
			file_path = "rows$i.arrows"
			[store_config.sqlite]
			table_name = "rows$i"
		END
	done
}

rows() { # FILE
	[ ! -e "$1" ] && echo 0 && return
	grep -c '^[0-9]' "$1" || true
}

# The stores stand still while the sources go on; then everything is killed at once.
freeze() { # CASE SHM
	rm -rf "$place"
	(umask 077 && mkdir -p "$place")
	cd "$place"
	write_config "$2"
	"$bin" run c >run.log 2>&1 &
	local supervisor=$! stores jobs end=$((SECONDS + 20)) before
	until [ "$(rows out/rows$sources.csv)" -gt 5 ]; do
		[ $SECONDS -lt $end ]
		sleep 0.1
	done
	jobs=$("$bin" status --json | grep -o '"pid": [0-9]*' | cut -d' ' -f2)
	stores=$(for pid in $jobs; do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q DAQJobStore && echo "$pid"; done)
	kill -STOP $stores
	before=$(rows out/rows1.csv)
	sleep 1
	kill -KILL "$supervisor" $jobs
	wait "$supervisor" 2>/dev/null || true
	[ "$(rows out/rows1.csv)" -eq "$before" ]
	# As if they had been killed in the middle of a write: nothing of it is committed.
	printf '1795804212345,1,1\n17958042' >>out/rows1.csv
	head -c 700 out/rows2.arrows | tail -c 300 >>out/rows2.arrows
	rm -f run.log runtime/frozen/bus.* runtime/frozen/*.link runtime/frozen/status.json
	# What the released version itself makes of it says how many rows there are.
	cp -a "$place" "$place.copy"
	sed -i 's/^rand_m\(in\|ax\) = .*/rand_m\1 = 9/' c/source*.toml
	"$bin" run c --duration 1 >/dev/null 2>&1
	for i in $(seq $sources); do grep -c "^[0-9]*,$i," "out/rows$i.csv"; done >"$place.copy/expected"
	rm -rf "$place"
	mv "$place.copy" "$place"
	cd "$place"
	mkdir -p "$here/frozen"
	tar --sort=name --owner=0 --group=0 -c . | xz -9e >"$here/frozen/$version-$1.tar.xz"
	rm -rf "$place"
	ls -l "$here/frozen/$version-$1.tar.xz"
}

freeze shm true
freeze link false
