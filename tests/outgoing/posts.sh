#!/bin/bash
# DAQJobAlertSlack and DAQJobAlertWebhook against a receiver that fails, hangs, lies, redirects and closes early, and killed meanwhile: posts.sh
# CASE. Needs ENRGDAQ_BIN, CRIER.
. "$(dirname "$0")/../system/harness.sh"
. "$here/lab.sh"

write_slack() {
	cat >c/slack.toml <<-END
		daq_job_type = "DAQJobAlertSlack"
		slack_webhook_url = "http://127.0.0.1:$port/services/tell-nobody-4711"
		allow_private = ["127.0.0.1"]
		timeout_seconds = 0.3
		retry_max_seconds = 0.1
		max_per_minute = 600
		max_per_minute_of_job = 600
	END
}

slack() { python3 "$here/letters.py" slack receiver/requests "$@" >wrong.log; }
posted() { wc -l <receiver/requests; }
rows() { wc -l <out/dice.csv; }

case_slack_whatever_the_receiver_does() {
	local names=() before
	write_lab
	start_receiver receiver
	write_slack
	start run.log run c
	await_jobs slack
	cry "first <!channel> & \"more\"" severity=error
	await 20 slack first || fail "it does not come"
	grep -q '&lt;!channel&gt; &amp;' receiver/requests || fail "what may mention is not escaped"
	grep -q '<!channel>' receiver/requests && fail "a mention"
	grep -q 'POST /services/tell-nobody-4711 HTTP/1.1' receiver/requests || fail "the path"

	for mode in 500 lie redirect 429 hang; do
		set_mode receiver $mode
		before=$(posted)
		cry "while_$mode is on"
		names+=("while_$mode")
		await 20 sh -c "[ \$(wc -l <receiver/requests) -gt $((before + 1)) ]" || fail "$mode: it is not tried again"
		slack "while_$mode" && fail "$mode was taken for a success"
	done
	before=$(rows)
	await 20 sh -c "[ \$(wc -l <out/dice.csv) -gt $((before + 2)) ]" || fail "one that hangs holds others back"
	grep -q '"line": "[A-Z]* /elsewhere' receiver/requests && fail "a redirect was followed"
	set_mode receiver early
	await 20 slack "${names[@]}" || fail "not all came: $(cat wrong.log)"
	set_mode receiver ok
	cry "last of all"
	await 20 slack "${names[@]}" first last || fail "not all came: $(cat wrong.log)"
	grep -q "could not be sent to Slack: 127.0.0.1 answers 500" run.log || fail "the log does not say why"
	grep -q "Slack takes alerts again" run.log || fail "the log does not say that it is over"
	end_run
	grep -rq "tell-nobody-4711" run.log out && fail "the secret is in $(grep -rl tell-nobody-4711 run.log out)"
	return 0
}

# What was taken and not answered comes again and says so; what the receiver can't digest holds up no other, and is given up.
case_slack_taken_and_poison() {
	write_lab
	start_receiver receiver
	write_slack
	start run.log run c
	await_jobs slack
	set_mode receiver taken
	cry "taken_but_not_answered here"
	await 20 grep -q "taken_but_not_answered" receiver/requests || fail "it was not sent"
	await 20 grep -q "could not be sent to Slack" run.log || fail "no time-out"
	set_mode receiver ok
	came_again() { grep taken_but receiver/requests | grep -q '"mode": "ok"'; }
	await 20 came_again || fail "it does not come again"
	slack taken_but_not_answered || fail "$(cat wrong.log)"
	set_mode receiver poison
	cry "poison for it" severity=error
	cry "one"
	cry "two"
	came() { grep '"mode": "poison"' receiver/requests | grep -q "$1"; }
	await 20 came two || fail "one letter holds up the others"
	given_up() {
		cry "more" && grep -q "1 alert(s) for Slack are given up: 127.0.0.1 answers 500" run.log
	}
	await 20 given_up || fail "it is tried for ever"
	end_run
}

# Killed at any moment, it loses nothing that it heard, and posts nothing twice without saying so.
case_slack_is_killed() {
	local names=() i
	write_lab
	start_receiver receiver
	write_slack
	start run.log run c
	await_jobs slack
	for i in $(seq 4); do
		case $((i % 4)) in
		0) set_mode receiver ok ;;
		1) set_mode receiver 500 ;;
		2) set_mode receiver late ;;
		3) set_mode receiver hang ;;
		esac
		cry "alert_$i here"
		names+=("alert_$i")
		await 20 grep -qs "alert_$i" out/state/lab.slack.outbox || slack "alert_$i" || fail "alert_$i was not heard"
		# it has arrived, and the answer has not
		[ $((i % 4)) -ne 2 ] || await 20 grep -q "alert_$i .*late" receiver/requests || fail "alert_$i was not sent"
		kill_job slack
	done
	set_mode receiver ok
	await 20 slack "${names[@]}" || fail "$(cat wrong.log)"
	# what waits at an ordered end is sent by the next start
	set_mode receiver 500
	cry "kept for later"
	await 20 grep -q "kept.*for" receiver/requests || fail "it is not tried"
	end_run
	grep -q "sent by the next start" run.log || fail "the end does not say what waits"
	set_mode receiver ok
	start run.log run c
	await 20 slack "${names[@]}" kept || fail "$(cat wrong.log)"
	await_jobs slack
	end_run
	grep -q " begun" out/state/lab.slack.outbox && fail "something is left"
	return 0
}

# The same of the webhook, whose letters say it in a field and keep their id.
case_webhook_is_killed() {
	write_lab
	start_receiver receiver
	cat >c/webhook.toml <<-END
		daq_job_type = "DAQJobAlertWebhook"
		webhook_url = "http://127.0.0.1:$port/hook"
		allow_private = ["127.0.0.1"]
		timeout_seconds = 0.3
		retry_max_seconds = 0.1
	END
	start run.log run c
	await_jobs webhook
	for mode in late hang 500; do
		set_mode receiver $mode
		cry "alert_$mode here"
		await 20 grep -q "alert_$mode " receiver/requests || fail "alert_$mode was not sent"
		kill_job webhook
	done
	set_mode receiver ok
	came() { python3 "$here/letters.py" webhook receiver/requests alert_late alert_hang alert_500 >wrong.log; }
	await 20 came || fail "$(cat wrong.log)"
	end_run
	came || fail "$(cat wrong.log)"
	python3 - receiver/requests <<-'END' || fail "ids and marks"
		import json, sys
		letters = {}
		for line in open(sys.argv[1]):
		    data = json.loads(json.loads(line)["body"])["data"]
		    letters.setdefault(data["message"].split()[0], []).append((data["id"], data["may_be_repeated"]))
		for name in ("alert_late", "alert_hang", "alert_500"):
		    ids, marks = zip(*letters[name])
		    assert len(set(ids)) == 1, (name, ids)
		    assert not marks[0] and (len(marks) == 1 or any(marks[1:])), (name, marks)
	END
	grep -q " begun" out/state/lab.webhook.outbox && fail "something is left"
	return 0
}

# 200 alerts at once are a few letters, and all are counted.
case_slack_is_flooded() {
	write_lab
	start_receiver receiver
	write_slack
	sed -i 's/^max_per_minute_of_job.*/max_per_minute_of_job = 3/' c/slack.toml
	start run.log run c
	await_jobs slack
	for _ in 1 2 3 4; do cry flood count=50 && sleep 0.2; done
	await 20 sh -c "[ \$(grep -c ^heard out/state/lab.slack.outbox) -eq 200 ]" || fail "$(grep -c ^heard out/state/lab.slack.outbox) were heard"
	[ "$(posted)" -eq 3 ] || fail "$(posted) letters"
	end_run
	[ "$(posted)" -eq 4 ] || fail "$(posted) letters at the end"
	tail -n 1 receiver/requests | grep -q '197 more alerts of crier (0 errors, 197 warnings); the last: flood' || fail "the summary"
}

# What a program of the laboratory gets; and one receiver that hangs holds up no other.
case_webhook_beside_one_that_hangs() {
	write_lab
	start_receiver receiver
	set_mode receiver hang
	write_slack
	sed -i 's/^timeout_seconds.*/timeout_seconds = 30/' c/slack.toml
	start_receiver hook
	cat >c/webhook.toml <<-END
		daq_job_type = "DAQJobAlertWebhook"
		webhook_url = "http://127.0.0.1:$port/hook?key=tell-nobody-4711"
		allow_private = ["127.0.0.0/8"]
		secret = "open sesame"
		authorization = "Bearer tell-nobody-4712"
		headers = { X-Laboratory = "basement" }
		min_severity = "warning"
	END
	sed -i 's/^interval_seconds.*/&\nsilent_after_seconds = 0.5/' c/dice.toml
	start run.log run c
	await_jobs slack webhook
	cry "one \"of\" two" severity=error
	await 20 grep -q one receiver/requests || fail "Slack is not tried"
	await 5 python3 "$here/letters.py" webhook hook/requests one || fail "it waits for another one: $(cat hook/requests)"
	python3 - hook/requests <<-'END' || fail "the letter: $(cat hook/requests)"
		import hashlib, hmac, json, sys
		request = json.loads(open(sys.argv[1]).readline())
		headers, body, data = request["headers"], request["body"], json.loads(request["body"])["data"]
		text = headers["x-enrgdaq-timestamp"] + "." + body
		wanted = "sha256=" + hmac.new(b"open sesame", text.encode(), hashlib.sha256).hexdigest()
		assert headers["x-enrgdaq-signature"] == wanted
		assert headers["x-laboratory"] == "basement" and headers["authorization"] == "Bearer tell-nobody-4712"
		assert data["message"] == 'one "of" two' and data["severity"] == "error" and data["job"] == "crier"
		assert data["supervisor"] == data["sent_by"] == "lab" and data["count"] == 1 and data["may_be_repeated"] is False
		assert data["id"] == headers["x-enrgdaq-id"] and len(data["id"]) == 16 and "key" not in data
	END
	# an alarm of the supervisor bears one key, and its end comes though it is no warning
	await 20 sh -c "[ \$(wc -l <out/dice.csv) -gt 60 ]" || fail "no rows"
	kill -STOP "$(pid_of dice)"
	await 20 grep -q 'silent/dice.*begins' hook/requests || fail "no alarm"
	kill -CONT "$(pid_of dice)"
	await 20 grep -q 'silent/dice is over.*silent/dice.*ends' hook/requests || fail "no end"
	end_run
	grep -rq "tell-nobody" run.log out && fail "a secret is in $(grep -rl tell-nobody run.log out)"
	return 0
}

case_wrong_keys_are_named() {
	write_lab
	port=1
	write_slack
	sed -i '/allow_private/d' c/slack.toml
	printf 'daq_job_type = "DAQJobAlertWebhook"\nwebhook_url = "ftp://x/"\n' >c/a.toml
	printf 'daq_job_type = "DAQJobAlertWebhook"\nwebhook_url = "http://169.254.169.254/x"\nallow_private = ["169.254.0.0/16"]\n' >c/b.toml
	printf 'daq_job_type = "DAQJobAlertWebhook"\nwebhook_url = "https://x/"\n\n[headers]\nX-A = "b\\r\\nX-B: c"\n' >c/c.toml
	"$bin" check c >check.log 2>&1 && fail "taken"
	for line in 'slack.toml:2: slack_webhook_url: 127.0.0.1 is a loopback address' 'a.toml:2: webhook_url: expected http:// or https://, found ftp://' \
		'b.toml:3: allow_private: "169.254.0.0/16" is not a loopback or private network' 'c.toml:4: headers: .*control character'; do
		grep -q "$line" check.log || fail "not said: $line"
	done
	grep -q "tell-nobody" check.log && fail "the secret"
	return 0
}

run_case "$@"
