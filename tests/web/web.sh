#!/bin/bash
# The API of a running system: web.sh CASE. Needs ENRGDAQ_BIN, python3; for `fuzz` also what PyPI has (build/schemathesis).
. "$(dirname "$0")/../system/harness.sh"

ask() { # FILE ARGUMENTS…
	command -v python3 >/dev/null || exit 77
	cd "$work" || exit 1
	PYTHONDONTWRITEBYTECODE=1 timeout 900 python3 "$here/$1" "${@:2}" >asked.log 2>&1 || fail "$1: $(tail -n 3 asked.log)"
}

case_api() {
	ask api.py
	cat asked.log
}

case_port() { ask port.py; }

case_who() { ask who.py; }

# One environment for all runs; a machine that can't have it says why and passes the test over.
make_environment() { # FOLDER
	local log
	log=$(mktemp)
	exec 8>"$1.lock"
	flock 8
	[ -e "$1/whole" ] || {
		rm -rf "$1"
		python3 -m venv "$1" >"$log" 2>&1 &&
			"$1/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 30 --only-binary :all: \
				schemathesis==4.32.5 openapi-spec-validator >"$log" 2>&1 && touch "$1/whole"
	} || {
		echo "schemathesis can't be installed: $(grep -m 1 ERROR "$log" || tail -n 1 "$log")"
		rm -f "$log"
		exit 77
	}
	rm -f "$log"
	exec 8>&-
}

fuzz() {
	command -v python3 >/dev/null || exit 77
	export VENV=${ENRGDAQ_VENV:-$here/../../build/schemathesis}
	mkdir -p "$(dirname "$VENV")"
	make_environment "$VENV"
	VENV=$(realpath "$VENV")
	ask fuzz.py "$1"
	grep -E "generated|Seed|in [0-9.]*s" asked.log || true
}

case_fuzz() { fuzz brief; }

if [ "${1:-}" = --long ]; then
	set -- long
	case_long() { fuzz long; }
fi
run_case "$@"
