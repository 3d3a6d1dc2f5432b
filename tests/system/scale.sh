#!/bin/bash
# Many jobs, and the limits that they meet: scale.sh CASE. Needs ENRGDAQ_BIN; each case has a folder and a runtime folder of
# its own.
. "$(dirname "$0")/harness.sh"

must_say() { grep -q -E "$1" run.log || fail "it does not say \"$1\""; }

# sources N INTERVAL: N of them into one file
sources() {
	mkdir -p lab
	printf '[info]\nsupervisor_id = "scale"\n' >lab/supervisor.toml
	for i in $(seq "$1"); do
		printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = %s\n[store_config.csv]\nfile_path = "x.csv"\n' \
			"$2" >"lab/j$i.toml"
	done
}

run_for() { # SECONDS EXIT_CODE
	timeout -s INT 100 "$bin" run lab --duration "$1" >run.log 2>&1
	local code=$?
	[ $code -eq "$2" ] || fail "exit code $2 was expected, not $code"
}

# More than the kernel waits for at once, than a journal begins with, and than the usual soft limit of files allows.
case_many_producers() {
	sources 270 0.5
	ulimit -S -n 1024
	run_for 1 0
	[ "$(wc -l <out/x.csv)" -gt 270 ] || fail "not every source has a row in the file"
	[ "$(grep -c accounted run.log)" -ge 270 ] || fail "the ledger is not settled"
}

# The soft limit is raised; where the hard one is too low, a sentence comes before anything is started.
case_few_descriptors() {
	sources 20 0.1
	(ulimit -S -n 64 && run_for 1 0) || exit 1
	[ -s out/x.csv ] || fail "nothing was stored"
	rm -rf out
	(ulimit -n 120 && run_for 1 1) || exit 1
	must_say "too many open files: the supervisor needs up to [0-9]+ for 21 jobs, and 120 are allowed"
	[ ! -e out ] || fail "it has begun to store"
}

# Names that could be checked, and then never ran.
case_names() {
	local long
	long=$(printf 'd%.0s' $(seq 90))
	for name in $'messger\xe4t' "$long/$long/$long/job"; do
		rm -rf lab
		sources 1 0.1
		mkdir -p "lab/$(dirname "$name")"
		mv lab/j1.toml "lab/$name.toml"
		"$bin" check lab >run.log 2>&1
		[ $? -eq 2 ] || fail "check takes $name"
		must_say "not UTF-8 text|at most 200 can be"
	done
}

run_case "$@"
