#!/bin/bash
# The supervisor's side of command and control: enrgdaq-web as a child, whatever it does; restart; jobs that come as a
# text; who may what: web_child.sh CASE.
. "$(dirname "$0")/harness.sh"

# A stand-in that does what the file `behave` says, once it has read its settings.
write_stand_in() {
	write_dice_lab 8
	printf '[cnc]\nrest_api_enabled = true\n' >>"$work/c/supervisor.toml"
	cat >"$work/stand-in" <<-END
		#!/bin/bash
		read -r settings
		echo "\$settings" >"$work/settings.json"
		echo "\$\$" >>"$work/lives"
		behave=\$(head -n 1 "$work/behave" 2>/dev/null)
		sed -i 1d "$work/behave" 2>/dev/null
		[ "\$behave" != crash ] || kill -ABRT \$\$
		printf '{"do": "listening", "address": "http://127.0.0.1:9"}\n' >&0
		while read -r line; do printf '{"do": "pong"}\n' >&0; done
	END
	chmod +x "$work/stand-in"
	export ENRGDAQ_WEB_BIN=$work/stand-in
}

lives() { [ "$(wc -l 2>/dev/null <"$work/lives")" -ge "$1" ]; }

# It crashes; the data take no notice, and it is there again. What else it may do: the test of line_child.
case_whatever_it_does() {
	local pid
	write_stand_in
	echo crash >behave
	start run.log run c
	await 20 lives 2 || fail "it was not started again"
	await 20 "$bin" status
	# what the status says follows within a few seconds
	await 20 sh -c "'$bin' status | grep -q 'web: http://127.0.0.1:9, process [0-9]*, restarts 1'" ||
		fail "$("$bin" status)"
	python3 -c "
import json
s = json.load(open('settings.json'))
assert s['supervisor_id'] == 'lab' and s['cnc']['rest_api_enabled'] and s['web'] is None and s['config_folder'] == '$work/c'" ||
		fail "settings: $(cat settings.json)"
	[ "$(stat -c %a out/web_lab)" = 700 ] || fail "its folder is open to others"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code $?"
	grep -q 'dice -> .*: accounted' run.log || fail "not all is accounted for"
	grep -q 'is started again by itself, and data taking does not need it' run.log || fail "it is not said"
	while read -r pid; do ! kill -0 "$pid" 2>/dev/null || fail "$pid still runs"; done <lives
}

# One that hangs ends with a supervisor that is killed: nobody could start another on its port.
case_it_ends_with_a_killed_supervisor() {
	local child
	write_stand_in
	start run.log run c
	await 20 lives 1 || fail "it was not started"
	child=$(cat lives)
	kill -STOP "$child"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	await 20 sh -c "! kill -0 $child" || fail "it is still there"
}

# A folder that is wrong changes nothing; else the next run has the next number, and its jobs. enrgdaq-web stays.
case_restart() {
	write_stand_in
	start run.log run c
	await 20 "$bin" status || fail "it does not run"
	await 20 lives 1 || fail "enrgdaq-web was not started"
	# time that it stood still: jobs of the next run have their 30 s all the same
	kill -STOP "$run"
	sleep 1.7
	kill -CONT "$run"
	echo 'rand_max = ' >c/wrong.toml
	"$bin" send supervisor restart >said.log && fail "a wrong folder is taken"
	grep -q 'wrong.toml:1' said.log || fail "it does not say what is wrong"
	sed 's/"dice"/"more"/; s/dice.csv/more.csv/' c/dice.toml >c/wrong.toml
	"$bin" send supervisor job.add text="$(sed 's/"dice"/"custom"/; s/dice.csv/custom.csv/' c/dice.toml)" >said.log || fail "job.add"
	"$bin" send supervisor restart >said.log || fail "restart"
	await 20 grep -q 'run 2, .*: 3 jobs' run.log || fail "there is no second run"
	await 20 sh -c "'$bin' status | grep -q '^more .*running'" || fail "the new job does not run"
	grep 'is not ready after' run.log && fail "a store is late at once"
	"$bin" status | grep -q '^custom' && fail "a job that came as a text came back"
	# a stop on the way, or just behind it, ends it for good
	"$bin" send supervisor restart >said.log || fail "restart"
	kill -INT "$run"
	wait "$run" || fail "exit code $?"
	grep -q 'run 4' run.log && fail "it has started once more"
	[ "$(wc -l <lives)" -eq 1 ] || fail "enrgdaq-web did not outlive it"
	grep -c ': accounted$' run.log | grep -q '^[4-9]$' || fail "not all is accounted for"
}

# Who ends the system ends it: nobody starts it once more while it stores what is left.
case_no_restart_of_one_that_stops() {
	local store
	write_stand_in
	start run.log run c
	await 20 sh -c "'$bin' status | grep -q '^dice .*running'" || fail "it does not run"
	store=$(pid_of DAQJobStoreCSV)
	kill -STOP "$store"
	kill -INT "$run"
	await 20 grep -q 'stopping: sources first' run.log || fail "it does not stop"
	"$bin" send supervisor restart >said.log && fail "a restart is taken while it stops"
	grep -q 'the system stops' said.log || fail "it does not say why"
	kill -CONT "$store"
	wait "$run" || fail "exit code $?"
	grep -q 'run 2, ' run.log && fail "it has started once more"
	:
}

# The user's own folder may be called as the one of texts is: its files are the user's.
case_a_folder_called_custom() {
	write_stand_in
	sed 's/"dice"/"more"/; s/dice.csv/more.csv/' c/dice.toml >c/more.toml
	sed -i '1i restart_on_crash = false' c/more.toml
	mkdir custom
	mv c custom/
	start run.log run "$work/custom/c"
	await 20 sh -c "'$bin' status | grep -q '^more .*running'" || fail "it does not run"
	kill -ABRT "$(pid_of more)"
	await 20 grep -q 'more ended: .*it stays down' run.log || fail "it came again"
	"$bin" send supervisor job.remove name=more >said.log || fail "it has left the list by itself"
	[ -e custom/c/more.toml ] || fail "the user's file was deleted"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || true # one has crashed
}

# What was answered with ok while another change was under way holds behind a kill.
case_a_removal_that_waits_outlives_a_kill() {
	local text store
	write_stand_in
	start run.log run c
	await 20 sh -c "'$bin' status | grep -q '^dice .*running'" || fail "it does not run"
	text=$(sed '/daq_job_unique_id/d; s/dice.csv/text.csv/' c/dice.toml)
	"$bin" send supervisor job.add text="$text" name=one >said.log || fail "job.add"
	"$bin" send supervisor job.add text="${text/text.csv/two.csv}" name=two >said.log || fail "job.add"
	store=$(pid_of DAQJobStoreCSV)
	kill -STOP "$store" # what is left of the first can't be stored
	"$bin" send supervisor job.remove name=one wait=false >said.log || fail "job.remove"
	"$bin" send supervisor job.remove name=two wait=false >said.log || fail "job.remove"
	grep -q 'is removed when the change that is under way is done' said.log || fail "it does not wait"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	kill -CONT "$store"
	start again.log run c
	await 20 sh -c "'$bin' status | grep -q '^dice .*running'" || fail "it does not run again"
	await 20 are_named "DAQJobStoreCSV dice" || fail "jobs: $(names)"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || true
}

# Two names that are one as files.
case_texts_of_like_names() {
	local text
	write_stand_in
	start run.log run c
	await 20 sh -c "'$bin' status | grep -q '^dice .*running'" || fail "it does not run"
	text=$(sed '/daq_job_unique_id/d; s/dice.csv/text.csv/' c/dice.toml)
	"$bin" send supervisor job.add text="$text" name='a b' >said.log || fail "job.add"
	"$bin" send supervisor job.add text="$text" name=a_b >said.log && fail "it takes the place of another job"
	grep -q 'there is a job a b already' said.log || fail "it does not say why"
	[ -e "$ENRGDAQ_RUNTIME_DIR/lab/custom/a_b.toml" ] || fail "the text of the first is gone"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code $?"
}

names() {
	"$bin" status --json | python3 -c 'import json, sys; print(*sorted(job["name"] for job in json.load(sys.stdin)["jobs"]))'
}

are_named() { [ "$(names)" = "$1" ]; }

# As the panel starts and stops them, behind a kill of the supervisor, by policy and by role.
case_texts() {
	local text pids=() i
	write_dice_lab 8
	mkdir -p c/runs/templates
	sed '1i [[job]]' c/dice.toml | sed 's/\[store_config.csv\]/[job.store_config.csv]/; s/"dice"/"t"/; s/rand_max = 6/rand_max = { parameter = "top" }/; s/dice.csv/t.csv/' >job
	{ printf '[parameters.top]\ntype = "int"\ndefault = 6\nmaximum = 20\n'; cat job; } >c/runs/templates/t.toml
	text=$(sed '/daq_job_unique_id/d; s/dice.csv/t.csv/' c/dice.toml)
	start run.log run c
	await 20 "$bin" status || fail "it does not run"
	"$bin" send supervisor job.add text="${text/max = 6/max = true}" restart_on_crash=false >said.log && fail "a wrong text is taken"
	grep -q 'text:3: rand_max' said.log || fail "the line is not that of what was sent: $(cat said.log)"
	for i in 1 2 3; do
		"$bin" send supervisor job.add text="$text" name="job$i" wait=false >"add$i.log" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || fail "one of several at once was refused"; done
	grep -q '"job": "job2"' add2.log || fail "the answer does not name the job"
	kill -KILL "$run"
	wait "$run" 2>/dev/null
	echo 'nonsense = 1' >>"$ENRGDAQ_RUNTIME_DIR/lab/custom/job2.toml" # as of a folder that has changed
	start again.log run c
	await 20 sh -c "'$bin' status | grep -q '^job3 .*running'" || fail "a job does not come again behind a kill"
	"$bin" status | grep -q "^job2 " && fail "a text that does not fit any more is there"
	grep -q "custom/job2.toml, which was started from a text" again.log || fail "nobody is told of it"
	"$bin" send --for ada:user supervisor job.add text="${text/max = 6/max = 20}" name=byuser >said.log || fail "a template's text of a user"
	"$bin" send --for ada:user supervisor job.add text="${text/max = 6/max = 21}" >said.log && fail "a user starts any text"
	grep -q 'parameter top: .*20' said.log || fail "it does not say why"
	"$bin" send --for ada:visitor supervisor job.stop name=dice >said.log && fail "a visitor stops a job"
	"$bin" send --for ada:user supervisor stop >said.log && fail "a user ends the system"
	pids=()
	for i in 1 3; do "$bin" send supervisor job.remove name="job$i" wait=false >"remove$i.log" & pids+=($!); done
	for i in "${pids[@]}"; do wait "$i" || fail "one of several at once was refused"; done
	await 20 are_named "DAQJobStoreCSV byuser dice" || fail "jobs: $(names)"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code $?"
	! ls "$ENRGDAQ_RUNTIME_DIR"/lab/custom/*.toml 2>/dev/null || fail "a text is left behind"
	# by policy
	printf '[cnc]\ncustom_jobs = "templates"\n' >>c/supervisor.toml
	start policy.log run c
	await 20 "$bin" status || fail "it does not run"
	"$bin" send supervisor job.add text="${text/min = 1/min = 2}" >said.log && fail "any text is taken"
	"$bin" send supervisor job.add text="$text" restart_on_crash=false name=once >said.log || fail "the text of a template"
	kill -ABRT "$(pid_of once)"
	await 20 sh -c "! '$bin' status | grep -q '^once '" || fail "it came again"
	"$bin" stop >stop.log || fail "stop"
	wait "$run" || fail "exit code $?"
}

run_case "$@"
