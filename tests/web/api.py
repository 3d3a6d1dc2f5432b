"""api.py: who may what, for every path and role; how the API behaves on a running system, and when that goes away."""
import json
import os
import signal
import socket
import sys
import threading

from lab import Lab, await_that, expect, unique

RANKS = {"nobody": 0, "visitor": 1, "user": 2, "admin": 3}
# Only these are for everybody, and only these POST are for who may look. A new one is a decision: it is written here.
FOR_NOBODY = {"/healthz", "/login", "/api/v1/me", "/api/v1/login", "/api/v1/logout"}
POST_FOR_VISITORS = {"/clients/{client_id}/ping", "/api/v1/me/password"}


def walk(lab):
    """Every path with every role. A body that no path takes is refused after the role was judged, and changes nothing."""
    code, description, _ = lab.ask("GET", "/openapi.json")
    expect("openapi.json", code, 200)
    rows = 0
    for path, methods in description["paths"].items():
        for method, row in methods.items():
            least = row["x-enrgdaq-role"]
            if least == "nobody" and path not in FOR_NOBODY:
                sys.exit(f"FAILED: {method} {path} is for everybody")
            if method == "post" and RANKS[least] < RANKS["user"] and path not in FOR_NOBODY | POST_FOR_VISITORS:
                sys.exit(f"FAILED: {path} changes something, and is for a {least}")
            for role in RANKS:
                walk_one(lab, method.upper(), path, least, role)
                rows += 1
    print(f"{rows} pairs of path and role")


def walk_one(lab, method, path, least, role):
    token = lab.tokens.get(role)
    where = path.replace("{", "").replace("}", "") + "?no_such_field=1"
    body = {"no_such_field": 1} if method == "POST" else None
    code, answer, _ = lab.web.ask(method, where, body, token)
    may = RANKS[role] >= RANKS[least]
    wanted = (422, 426) if may else (401,) if role == "nobody" else (403,)
    if code not in wanted or "detail" not in answer:
        sys.exit(f"FAILED: {method} {path} (of a {least}) as {role}: {code} {answer}, one of {wanted} was expected")


def refusals(lab):
    for raw, code in (("{", 400), ("[]", 400), ('{"name":"a","name":"b"}', 400), ('"x"', 400), ("\xff", 400), ('{"name":1}', 422),
                      ("{}", 422), ('{"name":"a","x":1}', 422), ('{"name":null}', 422)):
        expect(f"body {raw}", lab.ask("POST", "/api/v1/jobs/restart", raw=raw.encode("latin-1"))[0], code)
    for kind, code in (("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415),
                       ("application/json; charset=utf-8", 404)):
        expect(kind, lab.ask("POST", "/api/v1/jobs/restart", raw='{"name":"none"}', Content_Type=kind)[0], code)
    mistyped = {"name": "anna", "pasword": "hidden-in-the-key"}
    expect("a key that is none", lab.ask("POST", "/api/v1/login", mistyped)[0], 422)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        code, _, headers = lab.ask(method, "/api/v1/status")
        expect(method, (code, headers["Allow"]), (405, "GET, HEAD"))
    expect("POST on GET", lab.ask("POST", "/api/v1/status", {})[0], 405)
    expect("no path", lab.ask("GET", "/api/v1/nothing")[0], 404)
    expect("query", lab.ask("GET", "/api/v1/logs?last=0")[0], 422)
    expect("WebSocket without upgrade", lab.ask("GET", "/api/v1/live")[0] in (426, 404), True)


def shown(lab):
    code, answer, headers = lab.ask("GET", "/api/v1/status")
    expect("status", (code, answer["is_there"], answer["system"]["supervisor"]), (200, True, "lab"))
    again, text, _ = lab.ask("GET", "/api/v1/status", If_None_Match=headers["ETag"])
    if again not in (200, 304) or (again == 304) != (text == ""):
        sys.exit(f"FAILED: If-None-Match: {again} {text}")
    code, text, headers = lab.ask("HEAD", "/api/v1/status")
    expect("HEAD", (code, text), (200, ""))
    if int(headers["Content-Length"]) < 100:
        sys.exit("FAILED: HEAD says no length")
    _, graph, _ = lab.ask("GET", "/api/v1/graph")
    expect("edges", [(edge["from"], edge["to"]) for edge in graph["edges"]], [("dice", "DAQJobStoreCSV")])
    _, jobs, _ = lab.ask("GET", "/api/v1/jobs")
    expect("files of jobs", {job["name"]: job["file"] for job in jobs["jobs"]}, {"dice": "dice.toml", "DAQJobStoreCSV": None})
    _, logs, _ = lab.ask("GET", "/api/v1/logs?level=INFO&process=supervisor&last=1")
    expect("logs", (logs["is_readable"], len(logs["lines"])), (True, 1))
    for path in ("alarms", "rules", "clocks", "jobs/files"):
        expect(path, lab.ask("GET", "/api/v1/" + path)[0], 200)


def commands(lab):
    name = {"name": "dice"}
    expect("restart", lab.ask("POST", "/api/v1/jobs/restart", name)[0], 200)
    code, answer, _ = lab.ask("POST", "/api/v1/jobs/restart", {"name": "dicee"})
    expect("unknown job", (code, answer["answer"]), (404, "nobody"))
    key = unique()
    first = lab.ask("POST", "/api/v1/jobs/stop", name, Idempotency_Key=key)
    expect("stop", first[0], 200)
    expect("start", lab.ask("POST", "/api/v1/jobs/start", name)[0], 200)
    again = lab.ask("POST", "/api/v1/jobs/stop", name, Idempotency_Key=key)
    expect("the same key", (again[0], again[1]), (first[0], first[1]))
    expect("another request", lab.ask("POST", "/api/v1/jobs/stop", {"name": "x"}, Idempotency_Key=key)[0], 422)
    _, jobs, _ = lab.ask("GET", "/api/v1/jobs")
    await_that("the job runs, since nothing was done again", lambda: {"dice": "running"}.items() <= {
        job["name"]: job["state"] for job in lab.ask("GET", "/api/v1/jobs")[1]["jobs"]}.items())
    expect("a path out", lab.ask("POST", "/api/v1/jobs/add", {"file": "../x.toml"})[0], 422)
    expect("no file", lab.ask("POST", "/api/v1/jobs/add", {"file": "x.toml"})[0], 404)
    expect("a command of the supervisor", lab.ask("POST", "/api/v1/jobs/message", {"to": "supervisor", "kind": "stop"})[0], 422)
    message = {"to": "job dice", "kind": "ping"}
    for fields, code in (({}, 404), ({"a": "x" * 400000}, 422), ({"a": list(range(20000))}, 422), ([], 422)):
        expect("a message", lab.ask("POST", "/api/v1/jobs/message", dict(message, fields=fields))[0], code)
    expect("reload", lab.ask("POST", "/api/v1/reload", {"dry_run": True})[0], 200)
    expect("mute", lab.ask("POST", "/api/v1/alarms/mute", {"name": "clock", "hours": 1, "reason": "test"},
                           token=lab.tokens["user"])[0], 200)
    if "asked for by user (user) at 127.0.0.1" not in open("run.log").read():
        sys.exit("FAILED: the supervisor does not know for whom enrgdaq-web asks")


def texts(lab):
    where = "/api/v1/jobs/text"
    code, read, _ = lab.ask("GET", where + "?file=supervisor.toml")
    if code != 200 or "hidden-in-the-file" in json.dumps(read) or '"***"' not in read["text"]:
        sys.exit(f"FAILED: a secret is shown, or none: {read}")
    visitor = lab.ask("GET", where + "?file=supervisor.toml", token=lab.tokens["visitor"])[1]
    expect("sum for a visitor", (visitor["sha256"], visitor["text"]), (None, read["text"]))
    change = {"file": "supervisor.toml", "text": read["text"] + "# by hand\n", "expect_sha256": read["sha256"]}
    code, answer, _ = lab.ask("POST", where, change)
    expect("write", code, 200)
    if "hidden-in-the-file" not in lab.get("supervisor.toml") or "# by hand" not in lab.get("supervisor.toml"):
        sys.exit("FAILED: the secret is gone, or the change")
    expect("a copy of before", len(os.listdir(answer["kept_in"])), 1)
    code, stale, _ = lab.ask("POST", where, change)
    expect("stale", (code, stale["sha256"]), (409, answer["sha256"]))

    read = lab.ask("GET", where + "?file=dice.toml")[1]
    change = {"file": "dice.toml", "text": read["text"].replace("0.1", '"x"'), "expect_sha256": read["sha256"]}
    code, wrong, _ = lab.ask("POST", where, change)
    if code != 422 or "dice.toml:5: interval_seconds" not in wrong["detail"]:
        sys.exit(f"FAILED: a mistake: {code} {wrong}")
    expect("nothing was written", lab.get("dice.toml"), read["text"])
    change["text"] = read["text"].replace("0.1", "0.2")
    code, answer, _ = lab.ask("POST", where, dict(change, restart=True))
    expect("restart", (code, answer["reload"]["is_done"]), (200, True))
    expect("role", lab.ask("POST", where, change, token=lab.tokens["user"])[0], 403)
    new = {"file": "more.toml", "text": read["text"].replace('"dice"', '"more"')}
    expect("a new file", lab.ask("POST", where, new)[0], 200)
    expect("it is there", (lab.ask("POST", where, new)[0], lab.get("more.toml")), (409, new["text"]))


def starts_in_audit(lab):
    """With their whole texts, but for what the types call a secret, by whatever name; else their sums."""
    where = "/clients/lab/run_custom_daqjob"
    has_secrets = "DAQJobHeartbeat" in json.dumps(lab.ask("GET", "/api/v1/types")[1])
    dice = lab.get("dice.toml").replace('"dice"', '"thrown"').replace("dice.csv", "thrown.csv")
    expect("a start", lab.ask("POST", where, {"config": dice})[0], 200)
    secret = 'daq_job_type = "DAQJobHeartbeat"\nheartbeat_url = "http://127.0.0.1:1/hidden-in-the-text"\n# to its end\n'
    expect("a start of a user", lab.ask("POST", where, {"config": secret}, token=lab.tokens["user"])[0], 409)
    expect("no text", lab.ask("POST", where, {"config": "hidden-in-the-text = ["})[0], 409)
    expect("removed", lab.ask("POST", "/api/v1/jobs/remove", {"name": "thrown"})[0], 200)

    def starts():
        with open(lab.web.folder + "/audit.jsonl") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return [(line["result"], line["about"]["config"]) for line in lines if line["what"] == "POST " + where]
    await_that("three starts in the audit", lambda: len(starts()) == 3)
    first, second, third = starts()
    expect("the text of a start", first, ("200", dice))
    if has_secrets:
        expect("its secret", second, ("409", secret.replace("http://127.0.0.1:1/hidden-in-the-text", "***")))
    if "(22 bytes, SHA-256 " not in third[1]:
        sys.exit(f"FAILED: a text that can't be read stands as {third[1]} in the audit")


def secrets_in_audit(lab):
    with open(lab.web.folder + "/audit.jsonl") as file:
        lines = [json.loads(line) for line in file]
    if not any(line["what"] == "POST /api/v1/jobs/text" and line["result"] == "409" for line in lines):
        sys.exit("FAILED: a refused change stands not in the audit")
    if not any("panel_secret = \"***\"" in line.get("about", {}).get("text", "") for line in lines if line["what"] == "POST /api/v1/jobs/text"):
        sys.exit("FAILED: what was written stands not in the audit")
    if not any(line.get("about") == {"name": "anna", "pasword": "***"} for line in lines):
        sys.exit("FAILED: a password under a mistyped key stands not masked in the audit")
    if "hidden-in-the" in json.dumps(lines):
        sys.exit("FAILED: a secret stands in the audit")


def wait_beside(lab):
    """Commands that wait for a supervisor that hangs; who looks is answered while all of them do. On a machine that is so
    slow that they are over before, again."""
    for _ in range(4):
        waiting = [threading.Thread(target=lab.ask, args=("POST", "/api/v1/jobs/restart", {"name": "dice"}), daemon=True)
                   for _ in range(16)]
        for one in waiting:
            one.start()
        for _ in range(5):  # a file of the folder asks a program, and no supervisor
            expect("a look", lab.ask("GET", "/api/v1/jobs/text?file=dice.toml")[0], 200)
        if all(one.is_alive() for one in waiting):
            return waiting
        for one in waiting:
            one.join()
    sys.exit("FAILED: who looked had to wait for commands")


def away(lab):
    """A supervisor that hangs, then is killed: what is known stays, commands are refused, and nobody waits for ever."""
    lab.process.send_signal(signal.SIGSTOP)
    age = lab.ask("GET", "/api/v1/status")[1]["age_s"]
    await_that("it grows old", lambda: lab.ask("GET", "/api/v1/status")[1]["age_s"] > age + 1)
    waiting = wait_beside(lab)
    expect("it is still known", lab.ask("GET", "/api/v1/status")[1]["system"]["supervisor"], "lab")
    lab.process.kill()
    lab.process.wait()
    await_that("503", lambda: lab.web.ask("GET", "/healthz")[0] == 503)
    for one in waiting:
        one.join(120)
        expect("a command to a dead supervisor is over", one.is_alive(), False)
    code, status, _ = lab.ask("GET", "/api/v1/status")
    expect("the last that is known", (code, status["is_there"], status["system"]["supervisor"]), (200, False, "lab"))
    code, answer, headers = lab.ask("POST", "/api/v1/reload", {"dry_run": True})
    expect("nobody there", (code, headers["Retry-After"]), (503, "1"))


def ends_with_its_supervisor(lab):
    lab.web.socket.shutdown(socket.SHUT_RDWR)
    expect("exit code", lab.web.process.wait(60), 0)


def pings(lab):
    lab.web.send({"do": "ping"})
    lab.web.send({"do": "something new"})
    await_that("a pong", lambda: lab.web.has_said(do="pong"))


def main():
    lab = Lab()
    expect("healthz", lab.web.ask("GET", "/healthz")[0], 200)
    for part in (walk, refusals, shown, commands, texts, starts_in_audit, secrets_in_audit, pings, away, ends_with_its_supervisor):
        part(lab)


main()
