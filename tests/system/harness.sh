# harness.sh: what scripts of cases share: `. harness.sh`, functions case_NAME, and `run_case "$@"` at the end. Needs
# ENRGDAQ_BIN. A case runs in a folder of its own ($work) with a runtime folder of its own; all that it leaves is removed.
# shellcheck shell=bash disable=SC2034
set -u
bin=$(realpath "${ENRGDAQ_BIN:?the program to test}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-test.XXXXXX)
started=()
run=

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; tail -n 40 "$file" >&2; done
	[ -d "$work/out" ] && ls -la "$work/out" >&2
	exit 1
}

# Processes of jobs that have a file of our runtime folder mapped.
jobs_here() {
	grep -l -s -F "$ENRGDAQ_RUNTIME_DIR" /proc/[0-9]*/maps 2>/dev/null | cut -d/ -f3
}

finish() {
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	# jobs whose supervisor was killed end by themselves, and so does the program of the run book
	for _ in $(seq 100); do
		[ -z "$(jobs_here)" ] && ! pgrep -f -- "--inbox $ENRGDAQ_RUNTIME_DIR" >/dev/null && break
		sleep 0.1
	done
	for disk in "$work/out" "$work/disk" "$work/aside"; do mountpoint -q "$disk" && umount -l "$disk"; done
	rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"
}
trap finish EXIT

# A build with a sanitizer has handlers and a memory of its own, and wants to be loaded first.
is_sanitized() {
	grep -q -a -E "__(a|t)san_init" "$bin"
}

# await SECONDS COMMAND...: the command succeeds at last. A slow machine gets three times as long.
await() {
	local end=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.05
	done
}

# A port of 127.0.0.1 that is free, below those that connections get by themselves: one of these could take it meanwhile.
free_port() {
	python3 - <<-END
		import random, socket
		while True:
		    port = random.randrange(20000, 32000)
		    try:
		        socket.create_server(("127.0.0.1", port)).close()
		        break
		    except OSError:
		        pass
		print(port)
	END
}

# pid_of JOB: the process of a job of $run
pid_of() { ps --ppid "$run" -o pid=,args= | awk -v name="$1" '$NF == name {print $1}'; }

# start LOG ARGUMENTS...: in the background; pid in $run
start() {
	local log=$1
	shift
	: >"$work/$log" # nothing of an earlier one is taken for its words
	"$bin" "$@" >"$work/$log" 2>&1 &
	run=$!
	started+=("$run")
}

# write_dice_lab MB: a folder c with rings of so many MB and one source of 20 rows a second
write_dice_lab() {
	mkdir -p "$work/c"
	cat >"$work/c/supervisor.toml" <<-END
		ring_buffer_size_mb = $1
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "lab"
	END
	cat >"$work/c/dice.toml" <<-END
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.05
		[store_config.csv]
		file_path = "dice.csv"
	END
}

# add_rest: the folder c is served over HTTP; $port
add_rest() {
	port=$(free_port)
	cat >>"$work/c/supervisor.toml" <<-END
		[cnc]
		rest_api_enabled = true
		rest_api_port = $port
		server_port = $(free_port)
	END
}

answers() { curl -sf "http://127.0.0.1:$port/healthz"; }

# run_case NAME
run_case() {
	declare -F "case_${1:?which case}" >/dev/null || { echo "no case $1" >&2; exit 2; }
	cd "$work" || exit 1
	"case_$1"
	grep -lE "AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error" "$work"/*.log 2>/dev/null &&
		fail "a sanitizer found something"
	exit 0
}
