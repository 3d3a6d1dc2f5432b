#!/bin/bash
# What a version leaves when everything is killed while batches wait: freeze.sh PROGRAM [CASE…] makes
# frozen/VERSION-CASE.tar.xz, which later versions must drain (frozen.sh). Run once for each released version. Needs strace.
set -eu
bin=$(realpath "${1:?the released program}")
here=$(cd "$(dirname "$0")" && pwd)
place=/tmp/enrgdaq-frozen # journals hold absolute paths
export ENRGDAQ_MODULE_PATH=${ENRGDAQ_MODULE_PATH:-$(dirname "$bin")/modules}
export ENRGDAQ_RUNTIME_DIR=$place/runtime
version=$("$bin" --version | cut -d' ' -f2)
sources=3
wanted=${*:2}

exec 9>"$place.lock"
flock 9

section() { # STORE NUMBER
	echo "[store_config.$1]"
	case $1 in
	csv) echo "file_path = \"rows$2.csv\"" ;;
	arrow) echo "file_path = \"rows$2.arrows\"" ;;
	sqlite) echo "table_name = \"rows$2\"" ;;
	hdf5) printf 'file_path = "rows%s.h5"\ndataset_name = "rows"\n' "$2" ;;
	root)
		printf 'file_path = "rows%s.root"\ntree_name = "rows"\n' "$2"
		[ "$2" != 2 ] || echo 'format = "rntuple"'
		;;
	esac
}

write_config() { # SHM STORES
	mkdir -p c
	printf 'ring_buffer_size_mb = 1\nring_buffer_slot_size_kb = 32\n[info]\nsupervisor_id = "frozen"\n' >c/supervisor.toml
	for i in $(seq $sources); do
		{
			printf 'daq_job_type = "DAQJobTest"\nrand_min = %s\nrand_max = %s\n' "$i" "$i"
			printf 'interval_seconds = 0.0%s\nuse_shm_when_possible = %s\n' $((i + 1)) "$1"
			for store in $2; do section "$store" "$i"; done
		} >"c/source$i.toml"
	done
}

rows() { # FILE
	[ ! -e "$1" ] && echo 0 && return
	grep -c '^[0-9]' "$1" || true
}

# Stops the store behind the pwrite64 of that number from now on: in the middle of a commit, once a second.
stop_in_commit() { # PID NUMBER
	local end=$((SECONDS + 20))
	strace -q -p "$1" -o "$place.trace" -e trace=pwrite64,fdatasync -e inject=pwrite64:signal=SIGSTOP:when="$2" &
	until grep -q "stopped by SIGSTOP" "$place.trace"; do
		[ $SECONDS -lt $end ]
		sleep 0.1
	done
	kill -KILL $! # the store stays stopped
	wait $! 2>/dev/null || true
	echo "the store was stopped behind:"
	tail -n 4 "$place.trace" | cut -c1-50
	rm "$place.trace"
}

# The stores stand still while the sources continue; then everything is killed at once. Of STORE=NUMBER the store is
# stopped in the middle of a commit.
freeze() { # CASE SHM STORES [STORE=NUMBER…]
	case " ${wanted:-$1} " in *" $1 "*) ;; *) return ;; esac
	rm -rf "$place"
	(umask 077 && mkdir -p "$place")
	cd "$place"
	write_config "$2" "$3"
	"$bin" run c >run.log 2>&1 &
	local supervisor=$! stores jobs end=$((SECONDS + 20)) before
	until [ "$(rows out/rows$sources.csv)" -gt 5 ]; do
		[ $SECONDS -lt $end ]
		sleep 0.1
	done
	jobs=$("$bin" status --json | grep -o '"pid": [0-9]*' | cut -d' ' -f2)
	stores=$(for pid in $jobs; do tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q DAQJobStore && echo "$pid"; done)
	sleep 1 # commits of stores that gather rows for a second
	for store in "${@:4}"; do
		for pid in $stores; do
			tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qi "DAQJobStore${store%=*} " && stop_in_commit "$pid" "${store#*=}"
		done
	done
	kill -STOP $stores
	before=$(rows out/rows1.csv)
	sleep 1
	kill -KILL "$supervisor" $jobs
	wait "$supervisor" 2>/dev/null || true
	[ "$(rows out/rows1.csv)" -eq "$before" ]
	# As if they had been killed in the middle of a write: nothing of it is committed.
	printf '1795804212345,1,1\n17958042' >>out/rows1.csv
	[ ! -e out/rows2.arrows ] || head -c 700 out/rows2.arrows | tail -c 300 >>out/rows2.arrows
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

freeze shm true "csv arrow sqlite"
freeze link false "csv arrow sqlite"
freeze files true "csv hdf5 root"
freeze commit true "csv hdf5 root" hdf5=8 root=70 # a page written over; the first of three heads switched
