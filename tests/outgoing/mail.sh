#!/bin/bash
# DAQJobAlertMail with a mail program that fails and hangs, killed meanwhile: mail.sh CASE. Needs ENRGDAQ_BIN, CRIER.
. "$(dirname "$0")/../system/harness.sh"
. "$here/lab.sh"

# A mail program that does as the file `mode` says. A line in `mails` for each that it took.
write_mail() {
	mkdir -p box
	echo ok >box/mode
	cat >sendmail <<-END
		#!/bin/bash
		cd "$work/box" || exit 1
		mode=\$(cat mode)
		echo "\$mode \$*" >>tries
		case \$mode in
		ok | late) cat >last; (grep -v ^Subject: last; grep ^Subject: last) | tr '\\n' ' ' >>mails; echo >>mails ;;&
		late) sleep 0.3 ;;
		ok) ;;
		hang) echo \$\$ >>hung; exec sleep 100 ;;
		*) exit "\$mode" ;;
		esac
	END
	chmod +x sendmail
	cat >c/mail.toml <<-END
		daq_job_type = "DAQJobAlertMail"
		to = ["shift@example.org", "root"]
		from = "daq@example.org"
		subject = "[hall 3]"
		sendmail_path = "$work/sendmail"
		timeout_seconds = 0.5
		retry_max_seconds = 0.1
	END
}

case_mail_whatever_the_program_does() {
	write_lab
	write_mail
	start run.log run c
	await_jobs mail
	cry $'first\nBcc: everybody@example.org' severity=error
	await 20 grep -q first box/mails || fail "no mail"
	grep -qx "ok -i -- shift@example.org root" box/tries || fail "arguments"
	grep -q ' Subject: \[hall 3\] lab: error: crier: first Bcc: everybody@example.org $' box/mails || fail "subject: $(cat box/mails)"
	grep -q '^Bcc' box/last && fail "a header that an alert has made"
	set_mode box 75
	cry "while_it_fails"
	await 20 sh -c "[ \$(grep -c ^75 box/tries) -ge 7 ]" || fail "it is not tried again" # more than max_per_minute_of_job
	set_mode box hang
	cry "while_it_hangs"
	await 20 sh -c "[ \$(grep -c ^hang box/tries) -ge 2 ]" || fail "one that hangs holds it up"
	kill_job mail
	started+=("$(tail -n 1 box/hung)") # what a killed service had started ends by itself
	set_mode box late
	await 20 grep -q while_it_fails box/mails || fail "lost"
	kill_job mail # it was taken, and the program has not ended
	set_mode box ok
	await 20 grep -q while_it_hangs box/mails || fail "lost"
	[ "$(grep -c while_it_hangs box/mails)" -eq 1 ] || fail "twice: $(cat box/mails)"
	grep while_it_fails box/mails | tail -n +2 | grep -v "may be a repetition" && fail "twice, and it does not say so"
	end_run
	grep -q "could not be sent to the mail program: .*/sendmail ends with exit code 75" run.log || fail "the log does not say why"
	kill -0 "$(head -n 1 box/hung)" 2>/dev/null && fail "what hung is still there"
	return 0
}

# One that can't even start (its state belongs to another process) is no reason for a run not to begin or end.
case_mail_holds_up_no_run() {
	write_lab
	write_mail
	printf '[runs]\ncontrol = true\ndeadline_seconds = 5.0\n' >>c/supervisor.toml
	mkdir -p out/state
	(
		flock -x 9
		exec sleep 100
	) 9>out/state/lab.mail.outbox.lock &
	started+=("$!")
	await 20 sh -c "! flock -n out/state/lab.mail.outbox.lock true" || fail "the lock"
	start run.log run c
	await 20 grep -q "mail: start: out/state/lab.mail.outbox: another process keeps its state there" run.log || fail "it does not say why"
	"$bin" send supervisor run_start >start.log || fail "no run: $(cat start.log)"
	"$bin" send supervisor run_stop >stop.log || fail "no end: $(cat stop.log)"
	"$bin" send supervisor stop >/dev/null
	wait "$run" # the code says that mail was not well
	grep -q "(.*) is closed:" run.log || fail "no account"
}

case_mail_keys_are_checked() {
	write_lab
	write_mail
	cp c/mail.toml good
	while IFS='|' read -r line wanted; do
		sed "s#^${line%% *} =.*#$line#" good >c/mail.toml
		"$bin" check c >check.log 2>&1 && fail "taken: $line"
		grep -q "mail.toml:[0-9]*: $wanted" check.log || fail "not said: $wanted: $(cat check.log)"
	done <<-'END'
		to = ["-oQ/tmp"]|to: expected addresses such as shift@example.org, found "-oQ/tmp"
		to = []|to: expected 1 to 50 addresses
		from = "a\\nBcc: b"|from: expected an address
		subject = "a\\nBcc: b"|subject: expected one line
		sendmail_path = "sendmail"|sendmail_path: expected a path from / on
	END
}

run_case "$@"
