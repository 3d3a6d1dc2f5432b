# changes.sh: what scripts share that change a run while it is on: `. changes.sh`. Needs what harness.sh needs.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

write_supervisor() {
	mkdir -p config
	printf 'ring_buffer_size_mb = 32\nring_buffer_slot_size_kb = 64\nrestart_delay_seconds = 0.1\n[info]\nsupervisor_id = "%s"\n' \
		"${1:-changing}" >config/supervisor.toml
}

# With LINKS set batches travel over ZeroMQ.
write_source() { # FILE NAME RATE SECTION FILE_PATH
	printf 'daq_job_type = "DAQJobBenchmark"\ndaq_job_unique_id = "%s"\npayload_size = 100\nrate_hz = %s\n' "$2" "$3" >"$1"
	[ -z "${LINKS:-}" ] || echo 'use_shm_when_possible = false' >>"$1"
	printf '[store_config.%s]\nfile_path = "%s"\n' "$4" "$5" >>"$1"
}

write_store() { # FILE NAME TYPE FOLDER
	printf 'daq_job_type = "%s"\ndaq_job_unique_id = "%s"\nout_dir = "%s"\n' "$3" "$2" "$4" >"$1"
}

# The value of a Python expression over an object `x`, read from standard input.
value() { python3 -c 'import json, sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
state_of() { "$bin" status --json 2>/dev/null | value "next((j['state'] for j in x['jobs'] if j['name'] == '$1'), '')"; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
rows_of() { # of a CSV file, without its header
	[ -f "$1" ] && echo $(($(wc -l <"$1") - 1)) || echo 0
}
has_rows() { [ "$(rows_of "$1")" -ge "$2" ]; }
is_settled() { # LOG
	grep -qE "MISSING|TWICE|SET ASIDE|not all stored|NOT ACCOUNTED" "$work/$1" && fail "the ledger is not settled"
	grep -q "accounted" "$work/$1" || fail "no ledger"
}

stop_run() { # LOG [CODE]
	kill -TERM "$run"
	wait "$run"
	local code=$?
	[ $code -eq "${2:-0}" ] || fail "exit code $code"
	[ -z "$(jobs_here)" ] || fail "jobs outlive their supervisor"
}
