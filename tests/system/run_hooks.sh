#!/bin/bash
# What leaves the book of runs: hooks at begin and end of a run, exports; and that no secret is in any of it:
# run_hooks.sh CASE. The receiver is a real HTTP server. Needs ENRGDAQ_BIN, RECEIVER.
. "$(dirname "$0")/harness.sh"
secret=tell-nobody-4711

start_receiver() {
	mkdir -p posts
	echo "${1:-ok}" >posts/mode
	python3 "$RECEIVER" "$work/posts" >receiver.log 2>&1 &
	started+=($!)
	await 10 test -s posts/port || fail "no receiver"
	port=$(cat posts/port)
}

write_config() { # the hooks on standard input
	mkdir -p config
	{
		printf '[info]\nsupervisor_id = "hooks"\n[runs]\nlicense = "https://creativecommons.org/licenses/by/4.0/"\n'
		printf '[[runs.author]]\nname = "Ann"\norcid = "0000-0002-1825-0097"\n'
		cat
	} >config/supervisor.toml
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.05\n[store_config.csv]\nfile_path = "d.csv"\n[store_config.arrow]\nfile_path = "d.arrows"\n' >config/dice.toml
}

show() { "$bin" runs show last --json --database out/runs_hooks.sqlite; }
has_hooks() { show >show.json 2>>show.log && [ "$(grep -c '"event": "run_stopped"' show.json)" -ge "$1" ]; }

has_noted() { show >show.json 2>>show.log && grep -q "\"hook\": \"$1\"" show.json; }

case_told() {
	start_receiver
	write_config <<-END
		[[runs.hook]]
		name = "page"
		url = "http://127.0.0.1:$port/$secret"
		secret = "Bearer $secret"
		hmac_secret = "$secret"
		allow_private = ["127.0.0.1"]
		[[runs.hook]]
		name = "bot"
		url = "http://127.0.0.1:$port/bot"
		allow_private = ["127.0.0.1"]
		payload = '{"n": "{id}", "text": "{event} of {clientId}: run {runId}", "all": ["{event}", 5]}'
		events = ["run_stopped"]
		[[runs.hook]]
		name = "elog"
		command = ["sh", "-c", "echo \$0 \$1 >>$work/elog; echo 4711 more; sleep 100 & exec >&-", "{event}", "{number}"]
		reply = ["sh", "-c", "echo \$0 \$1 \$2 >>$work/elog", "{event}", "{id}", "{quality} {reason}; rm -rf /"]
	END
	"$bin" check config >check.log 2>&1 || fail "check"
	start run.log run config --duration 1
	wait "$run" || fail "the run ended with $?"
	await 10 has_hooks 3 || fail "not all was told: $(cat show.json)"
	python3 - "$secret" <<-'END' >judge.log 2>&1 || fail "what was received"
		import hashlib, hmac, json, sys
		secret = sys.argv[1]
		posts = [json.loads(line) for line in open("posts/requests")]
		bodies = {}
		for post in posts:
		    headers = {k.lower(): v for k, v in post["headers"].items()}
		    body = json.loads(post["body"])
		    if post["line"].startswith("POST /bot "):
		        assert body == {"n": 1, "text": "run_stopped of hooks: run 1", "all": ["run_stopped", 5]}, body
		        assert "authorization" not in headers
		        bodies["bot"] = body
		        continue
		    bodies[body["event"]] = body
		    assert headers["authorization"] == f"Bearer {secret}"
		    signed = headers["x-enrgdaq-timestamp"] + "." + post["body"]
		    assert headers["x-enrgdaq-signature"] == "sha256=" + hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
		assert sorted(bodies) == ["bot", "run_started", "run_stopped"], bodies
		assert posts[0]["line"] == f"POST /{secret} HTTP/1.1", posts[0]
		assert len(posts) == 3, posts
		assert bodies["run_started"]["data"]["id"] == 1 and bodies["run_started"]["data"]["clientId"] == "hooks"
		assert bodies["run_started"]["data"]["parameterValues"] == {}
		assert bodies["run_stopped"]["data"]["jobNames"] == ["dice"], bodies
	END
	[ "$(cat elog)" = "run_started 1
run_stopped 4711 complete its duration is over; rm -rf /" ] || fail "the e-log has: $(cat elog)"
	"$bin" runs export 1 --out out --database out/runs_hooks.sqlite >export.log 2>&1 || fail "export"
	for format in csv json ro-crate; do "$bin" runs export 1 --format "$format" --database out/runs_hooks.sqlite >"export.$format" 2>>export.log || fail "$format"; done
	"$bin" runs diff 1 1 --database out/runs_hooks.sqlite >diff.txt 2>diff.log || fail "diff"
	grep -q '"@id": "https://orcid.org/0000-0002-1825-0097"' out/ro-crate-metadata.json || fail "no author"
	grep -q 'url = "\*\*\*"' out/configuration.toml || fail "the configuration"
	grep -q "$secret" config/supervisor.toml || fail "the secret was not planted"
	grep -rlaF "$secret" . --exclude-dir=config --exclude-dir=posts >found && fail "the secret is in $(cat found)"
	grep -rlaF "$secret" "$ENRGDAQ_RUNTIME_DIR" >found && fail "the secret is in $(cat found)"
	return 0
}

case_not_taken() {
	start_receiver hang
	write_config <<-END
		[[runs.hook]]
		name = "hangs"
		url = "http://127.0.0.1:$port/x"
		allow_private = ["127.0.0.1"]
		timeout_seconds = 0.3
		events = ["run_started"]
		[[runs.hook]]
		name = "forbidden"
		url = "http://127.0.0.1:$port/y"
		[[runs.hook]]
		name = "sleeps"
		command = ["sh", "-c", "sleep 100.$$; echo never"]
		timeout_seconds = 0.2
		events = ["run_started"]
		[[runs.hook]]
		name = "missing"
		command = ["/no/such/program"]
		events = ["run_stopped"]
	END
	start run.log run config --duration 1
	local began=$SECONDS
	wait "$run" || fail "the run ended with $?"
	[ $((SECONDS - began)) -le 8 ] || fail "the run took $((SECONDS - began)) s"
	await 20 has_noted "hangs" || fail "not all was noted"
	await 20 has_noted "sleeps" || fail "not all was noted"
	await 20 has_hooks 2 || fail "not all was noted"
	python3 - <<-'END' >judge.log 2>&1 || fail "what was noted"
		import json
		run = json.load(open("show.json"))
		hooks = {(e["body"]["hook"], e["body"]["event"]): e["body"] for e in run["entries"]["hook"]}
		assert run["quality"] == "complete", run["quality"]
		assert not any(body["ok"] for body in hooks.values()), hooks
		assert hooks["hangs", "run_started"]["try"] == 3, hooks
		assert hooks["sleeps", "run_started"]["try"] == 3 and "killed" in hooks["sleeps", "run_started"]["answer"], hooks
		assert hooks["forbidden", "run_started"]["try"] == 1 and "127.0.0.1" in hooks["forbidden", "run_started"]["answer"], hooks
		assert hooks["missing", "run_stopped"]["try"] == 1 and "can't be started" in hooks["missing", "run_stopped"]["answer"], hooks
		assert ("forbidden", "run_stopped") in hooks, hooks
	END
	[ "$(wc -l <posts/requests)" -eq 3 ] || fail "$(wc -l <posts/requests) requests"
	grep -q "has not taken it" run.log || fail "no alert"
	is_gone() { ! pgrep -f "sleep 100[.]$$" >left.log; } # of this test: others sleep, too
	await 10 is_gone || fail "a program was left"
}

run_case "$@"
