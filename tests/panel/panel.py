#!/usr/bin/env python3
"""The control panel of the Python ENRGDAQ as far as it speaks to a system: each of its requests (calls.json), its start and
stop of a run, and what it makes of templates. Standard library alone.

usage: panel.py BASE COMMAND …
  calls OWN JOB            each request of calls.json has the status and the fields that stand there
  start OWN CONFIG…        starts a run of these files as the panel does, and stops it
  templates FOLDER         writes what the panel makes of each template into FOLDER/TYPE.toml
  there OWN                answers its status
  restart OWN              restart_daq, and the same jobs are there again
  secret OWN TEXT          TEXT stands in no answer
"""
import http.client
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import uuid

PATIENCE_S = 90  # until a state is reached: a machine may be slow
ANSWER_S = 30  # the panel waits no longer for an answer


class Failed(Exception):
    pass


class Panel:
    def __init__(self, base):
        url = urllib.parse.urlsplit(base)
        self.host, self.port, self.prefix = url.hostname, url.port, url.path.rstrip("/")

    def ask(self, method, path, body=None, text=None):
        """Status and body of the answer, as the panel's library asks: no body is an empty form."""
        headers = {"Accept": "application/json, text/plain, */*", "User-Agent": "axios/1.13.2"}
        if method == "POST":
            kind = "application/json" if body is not None or text is not None else "application/x-www-form-urlencoded"
            headers["Content-Type"] = kind
            text = text if text is not None else "" if body is None else json.dumps(body)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_S)
        try:
            connection.request(method, self.prefix + path, body=text, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        status, text = self.ask("GET", path)
        if status != 200:
            raise Failed(f"GET {path}: {status} {text}")
        return json.loads(text)


# --- calls.json

KINDS = {
    "text": lambda value: isinstance(value, str),
    "time": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", value),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "truth": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


def find(value, parts, path):
    """All values at a path; fails where a member is missing."""
    if not parts:
        return [value]
    part, rest = parts[0], parts[1:]
    if part in ("[]", "[+]"):
        if not isinstance(value, list):
            raise Failed(f"{path}: no list")
        if part == "[+]" and not value:
            raise Failed(f"{path}: the list is empty")
        return [found for item in value for found in find(item, rest, path)]
    if not isinstance(value, dict):
        raise Failed(f"{path}: no object at {part}")
    if part == "*":
        return [found for item in value.values() for found in find(item, rest, path)]
    if part not in value:
        raise Failed(f"{path}: {part} is missing")
    return find(value[part], rest, path)


def check_field(answer, path, wanted):
    parts = re.findall(r"\[\+?\]|[^.\[\]]+", path)
    for value in find(answer, parts, path):
        if wanted.startswith("="):
            shown = value if isinstance(value, str) else json.dumps(value)
            if shown != wanted[1:]:
                raise Failed(f"{path}: {wanted[1:]} was expected, found {shown}")
        elif not any(KINDS[kind](value) for kind in wanted.split("|")):
            raise Failed(f"{path}: {wanted} was expected, found {json.dumps(value)[:100]}")


def replay(panel, own, job):
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calls.json")
    with open(place, encoding="utf-8") as file:
        text = file.read().replace("{own}", own).replace("{job}", job)
    failures = 0
    is_far = panel.get("/status")["supervisor_info"]["supervisor_id"] != own
    calls = [call for call in json.loads(text)["calls"] if not (is_far and "own" in call)]
    for call in calls:
        method, path = call["call"].split(" ", 1)
        try:
            status, answer = panel.ask(method, path, call.get("body"), call.get("text"))
            wanted_status = call.get("far", call["status"]) if is_far else call["status"]
            if status != wanted_status:
                raise Failed(f"{status}, {wanted_status} was expected: {answer[:600]}")
            answer = json.loads(answer)
            for field, wanted in call["fields"].items():
                check_field(answer, field, wanted)
        except (Failed, ValueError, OSError) as problem:
            print(f"{call['call']} {json.dumps(call.get('body', ''))}: {problem}", file=sys.stderr)
            failures += 1
    if failures:
        raise Failed(f"{failures} of {len(calls)} requests were not answered as the panel wants it")
    print(f"{len(calls)} requests")


# --- a run

def jobs_of(panel, own):
    return {job["unique_id"]: job for job in panel.get(f"/clients/{own}/status")["daq_jobs"]}


def await_state(what, is_reached):
    end = time.monotonic() + PATIENCE_S
    while not is_reached():
        if time.monotonic() > end:
            raise Failed(f"{what}: not so after {PATIENCE_S} s")
        time.sleep(0.1)


def are_there(panel, own, names):
    jobs = jobs_of(panel, own)
    return all(name in jobs and jobs[name].get("is_alive") is not False for name in names)


def run_a_run(panel, own, files):
    token = uuid.uuid4().hex[:8]
    before = set(jobs_of(panel, own))
    names = []
    for place in files:  # one after the other
        name = f"{os.path.basename(place).removesuffix('.toml')}_{token}_{uuid.uuid4().hex[:8]}"
        with open(place, encoding="utf-8") as file:
            config = f'daq_job_unique_id = "{name}"\n' + file.read()
        status, answer = panel.ask("POST", f"/clients/{own}/run_custom_daqjob", {"config": config, "restart_on_crash": True})
        if status != 200:
            raise Failed(f"{name} was not started: {status} {answer}")
        names.append(name)
    time.sleep(2)  # the panel gives them that long, then it looks three times, a second apart, and stops all where one lacks
    await_state("each job of the run is in the list, and lives", lambda: are_there(panel, own, names))
    jobs = jobs_of(panel, own)
    for name in names:
        if not jobs[name]["config"].startswith(f'daq_job_unique_id = "{name}"\n'):
            raise Failed(f"{name} has another text: {jobs[name]['config'][:200]}")
    stop_all(panel, own, names)
    status, answer = panel.ask("POST", f"/clients/{own}/stop_daqjobs")  # while the removals are under way
    if status != 200:
        raise Failed(f"stop_daqjobs behind a run: {status} {answer}")
    await_state("the jobs of the run are out of the list", lambda: not set(names) & set(jobs_of(panel, own)))
    await_state("the jobs of the folder are there again", lambda: are_there(panel, own, before))
    print(f"{len(names)} jobs started and stopped")


def stop_all(panel, own, names):
    """All at once."""
    problems = []

    def stop(name):
        began = time.monotonic()
        try:
            status, answer = panel.ask("POST", f"/clients/{own}/stop_daqjob", {"daq_job_unique_id": name, "remove": True})
        except OSError as problem:
            status, answer = 0, str(problem)
        if status != 200 or time.monotonic() - began > ANSWER_S:
            problems.append(f"stop of {name}: {status} after {time.monotonic() - began:.1f} s: {answer}")

    threads = [threading.Thread(target=stop, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise Failed("; ".join(problems))


def restart(panel, own):
    def instances():
        jobs = panel.get(f"/clients/{own}/status")
        return {job["unique_id"]: job["is_alive"] for job in jobs["daq_jobs"]}

    def is_back():
        try:
            now = instances()
        except (Failed, OSError):
            seen.add("away")
            return False
        logs = panel.get(f"/clients/{own}/logs")["logs"]
        return set(now) == set(before) and all(now.values()) and sum("of " + own in line["message"] for line in logs) > runs

    seen = set()
    before = instances()
    logs = panel.get(f"/clients/{own}/logs")["logs"]
    runs = sum("of " + own in line["message"] for line in logs)
    status, answer = panel.ask("POST", f"/clients/{own}/restart_daq", {"update": False})
    if status != 200 or not json.loads(answer)["success"]:
        raise Failed(f"restart_daq: {status} {answer}")
    await_state("the system is back after restart_daq", is_back)
    print("restarted")


# --- templates

def resolve(schema, defs):
    match = re.fullmatch(r"#/\$defs/(.+)", schema.get("$ref", ""))
    return defs.get(match[1]) if match else None


def kind_of(schema, defs):
    target = resolve(schema, defs)
    if target:
        return kind_of(target, defs)
    for option in schema.get("anyOf", []):
        if option.get("type") != "null":
            return kind_of(option, defs)
    if "enum" in schema:
        return "text"
    kind = schema.get("type")
    if kind == "array" and "$ref" in schema.get("items", {}):
        return "tables"
    return {"boolean": "truth", "integer": "number", "number": "number", "array": "list", "object": "map"}.get(kind, "text")


def javascript_text(value):
    """What a template literal of JavaScript makes of a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(javascript_text(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def value_as_the_panel_writes_it(schema, kind):
    value = schema.get("default")
    if value is None:
        return {"number": "0", "truth": "false", "list": "[]"}.get(kind, '""')
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else javascript_text(item) for item in value) + "]"
    return javascript_text(value)


def is_store_group(schema):
    return any(option.get("$ref") == "#/$defs/DAQJobStoreConfig" for option in [schema] + schema.get("anyOf", []))


def write_template(name, entry, stores):
    """As the panel makes it; behind it what its user adds by hand: a store for each group that has to be there."""
    defs = entry["$defs"]
    config = defs[entry["$ref"].removeprefix("#/$defs/")]
    lines, groups = [f"# {name}", *(f"# {line.strip()}" for line in config.get("description", "").split("\n")), ""], []
    lines += [f'daq_job_type = "{name}"', ""]
    for key, schema in config["properties"].items():
        kind = kind_of(schema, defs)
        if is_store_group(schema):
            groups.append(key)
        elif key not in ("daq_job_type", "remote_config", "verbosity") and kind != "map":
            lines += [f"# {line.strip()}" for line in schema.get("description", "").split("\n")]
            mark = "" if key in config.get("required", []) else "# "
            lines += [f"{mark}{key} = {value_as_the_panel_writes_it(schema, kind)}", ""]
    for group in groups:
        mark = "" if group in config.get("required", []) else "#"
        lines.append(f"{mark}[{group}.csv]")
        for key in stores["csv"]["required"]:
            value = f'"{name}_{group}.csv"' if key == "file_path" else value_as_the_panel_writes_it(
                stores["csv"]["properties"][key], "text")
            lines.append(f"{mark}{key} = {value}")
    return "\n".join(lines) + "\n"


def templates(panel, folder):
    entries = panel.get("/templates/daqjobs")
    first = next(iter(entries.values()))["$defs"]  # where the panel looks for the stores
    wanted = ("CSV", "Raw", "Memory")
    if any(f"DAQJobStoreConfig{store}" not in first for store in wanted):
        raise Failed("the first entry of /templates/daqjobs lacks stores: the panel would find none")
    stores = {"csv": first["DAQJobStoreConfigCSV"]}
    for name, entry in entries.items():
        with open(os.path.join(folder, name + ".toml"), "w", encoding="utf-8") as file:
            file.write(write_template(name, entry, stores))
    for name, entry in panel.get("/templates/messages").items():
        if "properties" not in entry:
            raise Failed(f"/templates/messages: {name} has no properties at its top, where the panel looks for them")
    print(f"{len(entries)} templates")


def secret(panel, own, text):
    for path in (f"/clients/{own}/status", f"/clients/{own}/logs", "/status", "/jobs", "/clients", "/templates/daqjobs"):
        if text in json.dumps(panel.get(path)):
            raise Failed(f"GET {path} shows a secret")
    if '"***"' not in "".join(job["config"] for job in jobs_of(panel, own).values()):
        raise Failed("no text of a job has a masked secret")


def main():
    commands = {"calls": replay, "start": lambda panel, own, *files: run_a_run(panel, own, files), "templates": templates,
                "restart": restart, "secret": secret, "there": jobs_of}
    try:
        commands[sys.argv[2]](Panel(sys.argv[1]), *sys.argv[3:])
    except (Failed, OSError) as problem:
        print(f"FAILED: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
