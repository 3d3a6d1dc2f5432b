#!/bin/bash
# The control panel of the Python ENRGDAQ against a real system: panel.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/../system/harness.sh"

secret=https://hooks.example.org/services/TOPSECRET

panel() { python3 "$here/panel.py" "$base" "$@"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

write_config() {
	write_dice_lab 16
	port=$(free_port)
	cnc_port=$(free_port)
	cat >>c/supervisor.toml <<-END
		supervisor_tags = ["tank", "left"]
		[cnc]
		is_server = true
		server_host = "localhost"
		server_port = $cnc_port
		rest_api_enabled = true
		rest_api_port = $port
		[web]
		folder = "$work/web"
		[log]
		file = "$work/lab.log"
	END
	printf 'daq_job_type = "DAQJobAlertSlack"\nslack_webhook_url = "%s"\n' "$secret" >c/slack.toml
	mkdir -p templates
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\n[store_config.csv]\nfile_path = "run.csv"\n' >templates/dice.toml
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 2\n[store_config.csv]\nfile_path = "coin.csv"\n' >templates/coin.toml
}

# The panel has the address alone: the token stands in it.
start_lab() {
	start run.log run c
	await 20 test -s web/first.token || fail "no token"
	base=http://127.0.0.1:$port/t/$(cat web/first.token)
	await 20 panel there lab || fail "REST does not answer"
	await 20 test -s out/dice.csv || fail "no rows"
}

# restart_daq: the same process, the same jobs, and the panel's address stays.
case_restart() {
	write_config
	start_lab
	panel restart lab || fail "restart"
	kill -0 "$run" || fail "it is another process"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
}

# What the panel makes of each template passes `check`, beside a job that inputs may name; of three ways to copy files away
# one has to be chosen, and no template can choose.
case_templates() {
	write_config
	start_lab
	mkdir t
	panel templates t || fail "templates"
	panel secret lab "$secret" || fail "secrets"
	grep -q TOPSECRET lab.log run.log && fail "a secret stands in the log"
	sed -i 's:^# target = .*:target = "/media/copies":' t/DAQJobArchive.toml
	printf '[info]\nsupervisor_id = "t"\n' >t/supervisor.toml
	cp templates/dice.toml t/example.toml
	"$bin" check t >check.log 2>&1 || fail "a template does not pass check: $(cat check.log)"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
}

run_case "$@"
