#!/bin/bash
# What an author of a driver does with a job: developing.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE. 77: the case needs
# something that is missing here.
set -u
bin=$(realpath "${ENRGDAQ_BIN:?the program to test}")
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-test.XXXXXX)
trap 'rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"' EXIT

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; tail -n 40 "$file" >&2; done
	exit 1
}

# A build with a sanitizer has handlers and a memory of its own.
is_sanitized() {
	grep -q -a -E "__(a|t)san_init" "$bin"
}

# write_config TYPE KEYS: a job of that type and a CSV store
write_config() {
	mkdir -p config
	printf 'restart_delay_seconds = 0.1\n[info]\nsupervisor_id = "developing"\n' >config/supervisor.toml
	printf 'daq_job_type = "DAQJobStoreCSV"\n' >config/csv.toml
	printf 'daq_job_type = "%s"\n%b[store_config.csv]\nfile_path = "data.csv"\n' "$1" "${2:-}" >config/source.toml
}

# valgrind knows some system calls not, and starts a program by its file's name.
case_under_valgrind() {
	command -v valgrind >/dev/null && ! is_sanitized || exit 77
	write_config DAQJobTest 'rand_min = 1\nrand_max = 6\ninterval_seconds = 0.1\n'
	timeout 200 valgrind -q --trace-children=yes --error-exitcode=9 --log-file=vg.%p.log "$bin" run config --duration 1 \
		>run.log 2>&1 || fail "exit code $?"
	[ "$(wc -l <out/data.csv)" -gt 1 ] || fail "no row is in the file"
	grep -q "accounted" run.log || fail "the ledger does not say it"
}

cd "$work" || exit 1
"case_$1"
exit 0
