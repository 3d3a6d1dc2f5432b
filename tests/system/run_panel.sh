#!/bin/bash
# What the web panel has comes over: run_panel.sh CASE. The dump is CSV as psql's \copy writes it.
. "$(dirname "$0")/harness.sh"
secret=tell-nobody-4711

write_dump() {
	mkdir -p dump config
	cat >dump/runs.csv <<-END
		id,description,start_time,end_time,scheduled_end_time,status,daq_job_ids,config,client_id,run_type_id,is_deleted
		41,"LED, ""first""",2026-01-02 03:04:05.5+01,2026-01-02 04:04:05.5+01,,COMPLETED,"[""a_1""]","daq_job_type = ""DAQJobTest""
		password = ""$secret""
		",lab1,3,f
		43,=cmd(),2026-01-03 00:00:00+00,,,RUNNING,[],,lab1,,t
	END
	cat >dump/run_metadata.csv <<-END
		run_id,user_id,details,updated_by,updated_at
		41,7,"<p>beam <b>off</b> &amp; on &#181;</p><script>alert(1)</script><ul><li>a</li></ul>",ann,2026-01-02T05:00:00Z
	END
	cat >dump/run_types.csv <<-'END'
		id,name,description,required_tags
		3,physics,Cosmics,"[""cold""]"
	END
	cat >dump/templates.csv <<-'END'
		id,name,display_name,config,type,editable,message_type,payload_template,target_daq_job_type,default_client_id,restart_on_crash
		1,dice,Dice,"daq_job_type = ""DAQJobTest""
		rand_min = {LOW}
		rand_max = ""{HIGH}""
		# {LOW} in a comment
		[store_config.csv]
		file_path = ""dice_{RUN_ID}.csv""
		",run,t,,,,,t
		2,hello,,,message,t,set,"{""volts"": {LOW}, ""on"": true, ""label"": ""x {LOW}""}",DAQJobTest,,f
	END
	printf 'template_id,run_type_id\n1,3\n' >dump/template_run_types.csv
	printf 'id,template_id,name,display_name,type,default_value,required\n5,1,LOW,Low,int,1,f\n6,1,HIGH,,int,6,t\n' >dump/template_parameters.csv
	printf 'id,run_type_id,template_parameter_id,default_value\n1,3,6,20\n' >dump/run_type_parameter_defaults.csv
	printf 'run_id,parameter_id,value\n41,5,2\n' >dump/run_parameter_values.csv
	printf 'id,message_type,target_daq_job_type,status,error_message,sent_at,run_id\n9,set,DAQJobHV,FAILED,no answer,2026-01-02 03:05:00+01,41\n' >dump/messages.csv
	printf 'name,url,secret,payload_template,is_active,trigger_on_run,trigger_on_message\nbot,https://x.org/h,%s,"{""t"": ""{event}""}",t,t,f\n' "$secret" >dump/webhooks.csv
	printf '[info]\nsupervisor_id = "lab1"\nsupervisor_tags = ["cold"]\n[runs]\ncontrol = true\n' >config/supervisor.toml
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\n[store_config.csv]\nfile_path = "d.csv"\n' >config/dice.toml
}

import() { "$bin" runs import-panel dump --config config --database out/runs_lab1.sqlite >"$1.toml" 2>"$1.log"; }

case_taken_over() {
	write_dump
	import first || fail "import: exit code $?"
	import second || fail "the second time: exit code $?"
	grep -q "2 new runs of 2" first.log || fail "the first time"
	grep -q "0 new runs of 2" second.log || fail "the second time"
	[ "$(grep -c "stays as it is" second.log)" -eq 3 ] || fail "files of the second time"
	"$bin" runs show 41 --json --database out/runs_lab1.sqlite >show.json 2>show.log || fail "show"
	python3 - >judge.log 2>&1 <<-'END' || fail "the run"
		import json
		run = json.load(open("show.json"))
		begin = run["entries"]["begin"][-1]["body"]
		assert (run["number"], run["type"], run["description"], run["supervisor"]) == (41, "physics", 'LED, "first"', "lab1"), run
		assert run["began"].startswith("2026-01-02T02:04:05.500"), run["began"]
		assert run["ended"].startswith("2026-01-02T03:04:05.500") and run["quality"] == "complete", run
		assert begin["values"] == {"LOW": "2"}, begin["values"]
		[note] = run["notes"]
		assert note["who"] == "ann" and note["text"] == "beam off & on \u00b5\n\n- a", note
		[message] = run["entries"]["message"]
		assert message["body"]["to"] == "type DAQJobHV" and message["body"]["answer"] == "failed", message
		assert len(run["entries"]["begin"]) == 1 and len(run["entries"]["end"]) == 1
	END
	"$bin" runs list --database out/runs_lab1.sqlite >list.log 2>&1 || fail "list"
	grep -q "43" list.log && fail "a deleted run is listed"
	[ "$(cat out/runs_lab1.sqlite.number)" = 43 ] || fail "numbers do not go on"
	grep -q '^url = "https://x.org/h"' first.toml || fail "the webhook"
	grep -rlaF "$secret" . --exclude-dir=dump >found && fail "the secret is in $(cat found)"
	grep -q 'by hand: a text with a placeholder.*dice_{RUN_ID}.csv' first.log || fail "what is left to a person"
	# The text that was left out, and the message of a type that takes none, by hand.
	sed -i 's/^# by hand: a text with .*/file_path = "dice_led.csv"/' config/runs/templates/dice.toml
	rm config/runs/templates/hello.toml
	"$bin" check config >check.log 2>&1 || fail "check"
	"$bin" runs types --dir config >types.log 2>&1
	grep -q 'rand_min = { parameter = "low" }' config/runs/templates/dice.toml || fail "no parameter"
	return 0
}

run_case "$@"
