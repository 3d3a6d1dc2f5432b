#!/bin/bash
# The control panel of the Python ENRGDAQ against a real system: panel.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/../system/harness.sh"

secret=https://hooks.example.org/services/TOPSECRET

panel() { python3 "$here/panel.py" "$base" "$@"; }

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

# A run of two jobs, started and stopped as the panel does it; restart_daq: the same process, the same jobs, the same address.
case_run() {
	write_config
	start_lab
	panel start lab templates/dice.toml templates/coin.toml || fail "a run"
	panel restart lab || fail "restart"
	kill -0 "$run" || fail "it is another process"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
	for file in run coin; do
		[ "$(wc -l <out/$file.csv)" -gt 1 ] || fail "$file.csv has no rows of its run"
	done
}

# Every request has the status and the fields of calls.json, and no answer has a secret. What the panel makes of each template
# passes `check`, beside a job that inputs may name; of three ways to copy files away one has to be chosen, and no template can
# choose.
case_calls() {
	write_config
	start_lab
	mkdir t
	panel templates t || fail "templates"
	panel calls lab dice || fail "requests"
	await 20 panel secret lab "$secret" || panel secret lab "$secret" || fail "secrets"
	grep -q TOPSECRET lab.log run.log && fail "a secret stands in the log"
	sed -i 's:^# target = .*:target = "/media/copies":' t/DAQJobArchive.toml
	printf '[info]\nsupervisor_id = "t"\n' >t/supervisor.toml
	cp templates/dice.toml t/example.toml
	"$bin" check t >check.log 2>&1 || fail "a template does not pass check: $(cat check.log)"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code of the run"
}

# The same of another supervisor, which is a client of the first.
case_far() {
	write_config
	sed 's/^file_path = .*/file_path = "far.csv"/' c/dice.toml >far.toml
	start_lab
	lab=$run
	mkdir d
	mv far.toml d/dice.toml
	cat >d/supervisor.toml <<-END
		ring_buffer_size_mb = 16
		[info]
		supervisor_id = "far"
		supervisor_tags = []
		[cnc]
		server_host = "localhost"
		server_port = $cnc_port
		[web]
		folder = "$work/web_far"
		[log]
		file = "$work/far.log"
	END
	start far_run.log run d
	await 20 panel there far || fail "it has not registered"
	await 20 test -s out/far.csv || fail "no rows"
	panel calls far dice || fail "requests to another supervisor"
	panel start far templates/dice.toml templates/coin.toml || fail "a run of another supervisor"
	"$bin" stop far >stop.log || fail "stop"
	wait "$run" || fail "exit code of the other"
	"$bin" stop lab >stop.log || fail "stop"
	wait "$lab" || fail "exit code of the run"
}

run_case "$@"
