#!/bin/bash
# web_logs.sh CASE: the log is seen over HTTP where standard error leads to where nobody can read along.
# shellcheck source=tests/system/harness.sh
. "$(dirname "$0")/harness.sh"

case_logs_without_a_file() {
	write_dice_lab 16
	add_rest
	mkfifo pipe
	cat pipe >run.log &
	started+=($!)
	"$bin" run c >pipe 2>&1 &
	run=$!
	started+=("$run")
	shows() { curl -sf "http://127.0.0.1:$port/clients/lab/logs" | grep -q "$1"; }
	await 20 shows '"message":"run 1, ' || fail "the supervisor's line is not shown"
	kill -KILL "$(pid_of dice)"
	await 20 shows 'dice ended: signal 9' || fail "what happens later is not shown"
	"$bin" stop lab >stop.log 2>&1 || fail "stop"
	grep -q "run 1, " run.log || fail "it went to the file alone"
}

# The log, which every job writes, is none of the files of a store: else it could be fetched as data.
case_the_log_is_no_data() {
	write_dice_lab 16
	cat >>c/supervisor.toml <<-END
		[log]
		file = "all.txt"
	END
	sed -i '/store_config/,$d' c/dice.toml
	echo '[store_config.memory]' >>c/dice.toml
	start run.log run c
	stores() { "$bin" status lab --json >status.json && python3 -c 'import json; exit(json.load(open("status.json"))["totals"]["stored"]["rows"] < 1)'; }
	await 20 stores || fail "nothing is stored"
	[ -s all.txt ] || fail "no log"
	python3 -c 'import json; exit(len(json.load(open("status.json"))["files"]))' || fail "a store of memory has files: $(cat status.json)"
	"$bin" stop lab >stop.log 2>&1 || fail "stop"
}

run_case "$@"
