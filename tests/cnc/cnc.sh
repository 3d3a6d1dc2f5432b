#!/bin/bash
# Command and control between machines, with the real program: cnc.sh CASE. drive.py plays the other machines with a ZMTP
# and a MessagePack of its own. Needs ENRGDAQ_BIN.
# shellcheck source=tests/system/harness.sh
. "$(dirname "$0")/../system/harness.sh"

drive() { python3 -B "$here/drive.py" "$@"; }

# lab FOLDER ID LINE…: a folder with one source, and the lines of [cnc]
lab() {
	local folder=$1 id=$2
	shift 2
	mkdir -p "$folder"
	{
		printf 'ring_buffer_size_mb = 4\nrestart_delay_seconds = 0.1\n[info]\nsupervisor_id = "%s"\n' "$id"
		printf 'supervisor_tags = ["t"]\n[cnc]\n'
		printf '%s\n' "$@"
	} >"$folder/supervisor.toml"
	cat >"$folder/dice.toml" <<-END
		daq_job_type = "DAQJobTest"
		daq_job_unique_id = "dice"
		rand_min = 1
		rand_max = 6
		interval_seconds = 0.05
		[store_config.csv]
		file_path = "$id.csv"
	END
}

# web_of SUPERVISOR: the process that listens for it
web_of() { ps --ppid "$1" -o pid=,comm= | awk '$2 == "enrgdaq-web" {print $1}'; }

is_web_there() { [ -n "$(web_of "$1")" ]; }

is_web_another() { is_web_there "$1" && [ "$(web_of "$1")" != "$2" ]; }

names_the_run() {
	grep -rq --include=audit.jsonl '"way":"cnc".*"run":"[0-9]' . "$ENRGDAQ_RUNTIME_DIR" && return
	drive script "$cnc" 2>drive.log
	return 1
}

case_client_of_ours() {
	local cnc rest
	read -r cnc rest < <(drive ports 2)
	# so few that also a slow machine sends more
	lab c lab 'is_server = true' "server_port = $cnc" 'rest_api_enabled = true' "rest_api_port = $rest" \
		'messages_per_second_max = 100'
	start run.log run c
	await 30 is_web_there "$run" || fail "enrgdaq-web is not there"
	drive node "$cnc" "$rest" "$(web_of "$run")" 2>drive.log || fail "the client of our server"
	grep -q "no keys: other machines may register" run.log || fail "the log does not say who may command"
	grep -q "storm sends more than 100 messages a second" run.log || fail "a storm was not said"
}

case_commands_of_others() {
	local cnc rest
	read -r cnc rest < <(drive ports 2)
	lab c lab 'is_server = true' "server_port = $cnc" 'insecure = true'
	start run.log run c
	drive script "$cnc" 2>drive.log || fail "who commands our server"
	# without REST as well; a snapshot a second brings the run
	await 60 names_the_run || fail "the audit does not name the run"
	grep -q "cnc.insecure = true: whoever reaches port $cnc" run.log || fail "the log does not warn"
}

case_server_of_ours() {
	local hub
	drive hub port 2>drive.log &
	hub=$!
	started+=("$hub")
	await 20 test -s port || fail "no server"
	lab c lab 'server_host = "127.0.0.1"' "server_port = $(cat port)"
	start run.log run c
	wait "$hub" || fail "the server of our client"
}

case_two_of_ours() {
	local cnc rest first second web
	read -r cnc rest < <(drive ports 2)
	lab c1 lab1 'is_server = true' 'server_host = "localhost"' "server_port = $cnc" 'rest_api_enabled = true' \
		"rest_api_port = $rest"
	lab c2 lab2 "server_port = $cnc"
	start first.log run c1
	first=$run
	start second.log run c2
	second=$run
	drive two "$rest" lab2 2>drive.log || fail "the first does not see or command the second"
	for run in "$first" "$second"; do
		web=$(web_of "$run")
		kill -KILL "$web"
		await 30 is_web_another "$run" "$web" || fail "enrgdaq-web does not come back"
		drive pinged "$rest" lab2 2>drive.log || fail "not registered again"
	done
}

# key_of LINES WHICH: of what `cnc-keys` prints
key_of() { sed -n "s/^curve_$2_key = \"\(.*\)\"$/\1/p" "$1"; }

# Only who has a key in the server's list is let in, and commands without `insecure`.
case_keys() {
	local cnc rest name
	read -r cnc rest < <(drive ports 2)
	for name in 1 2 3; do "$bin" cnc-keys >"keys$name" || exit 77; done
	lab c1 lab1 'is_server = true' "server_port = $cnc" 'rest_api_enabled = true' "rest_api_port = $rest" \
		"$(cat keys1)" "curve_allowed_keys = [\"$(key_of keys2 public)\"]"
	lab c2 lab2 "server_port = $cnc" "$(cat keys2)" "curve_server_key = \"$(key_of keys1 public)\""
	lab c3 lab3 "server_port = $cnc" "$(cat keys3)" "curve_server_key = \"$(key_of keys1 public)\""
	lab c4 lab4 "server_port = $cnc"
	start first.log run c1
	start third.log run c3
	start fourth.log run c4
	start second.log run c2
	drive two "$rest" lab2 2>drive.log || fail "the first does not see or command the second"
	await 30 grep -qF "its key $(key_of keys3 public) is not in cnc.curve_allowed_keys" first.log || fail "a foreign key"
	await 30 grep -q "it has refused the key of this system" third.log || fail "who is refused does not say so"
	await 30 grep -q "wants keys (.enrgdaq cnc-keys" fourth.log || fail "who has no key does not say so"
	drive absent "$rest" lab3 lab4 2>drive.log || fail "somebody without a good key is registered"
	grep -lF "$(key_of keys1 secret)" ./*.log && fail "a secret key is in a log"
	return 0
}

run_case "$@"
