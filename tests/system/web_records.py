"""What was taken, over /api/v1: web_records.py BIN PORT RUNTIME_FOLDER. Asks a system with run control, a recorder and
a histogram that runs already, as its own user, who is admin without a token, and with tokens."""

import gzip
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BIN, PORT, RUNTIME = sys.argv[1], int(sys.argv[2]), sys.argv[3]
BASE = f"http://127.0.0.1:{PORT}"
PATIENCE_S = 60


def ask(path, body=None, headers=None):
    """Status, headers, and the body: JSON where it is."""
    request = urllib.request.Request(BASE + path, headers=headers or {})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            status, head, data = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, head, data = error.code, error.headers, error.read()
    is_json = "json" in head.get("Content-Type", "") and "Content-Encoding" not in head
    return status, head, json.loads(data) if is_json and data else data


def get(path, status=200):
    found, _, body = ask(path)
    assert found == status, f"GET {path}: {found}, not {status}: {body}"
    return body


def post(path, body=None, status=200):
    found, _, answer = ask(path, {} if body is None else body)
    assert found == status, f"POST {path} {body}: {found}, not {status}: {answer}"
    return answer


def until(what, function):
    end = time.monotonic() + PATIENCE_S
    while True:
        result = function()
        if result:
            return result
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def listens():
    try:
        return ask("/healthz")[0] == 200
    except OSError:
        return False


def runs():
    assert get("/api/v1/run")["state"] == "idle"
    assert get("/api/v1/runs")["runs"] == []
    get("/api/v1/runs/last", 404)
    said = post("/api/v1/run/start", {"type": "dice", "values": {"sides": 8, "is_loaded": True}, "description": "first",
                                      "id": "one", "comment": "all is well"})
    assert said["fields"]["number"] == 1 and said["fields"]["state"] == "running", said
    assert post("/api/v1/run/start", {"id": "one"})["fields"]["number"] == 1  # the same is not begun twice
    refused = post("/api/v1/run/start", {"id": "two"}, 409)
    assert "one" in json.dumps(refused) and refused["fields"]["number"] == 1, refused
    post("/api/v1/run/stop", {"expect": "idle"}, 409)
    files = until("a file of the run", lambda: get("/api/v1/runs/1/files")["files"])
    assert any(file["store"] == "store" for file in files), files
    assert post("/api/v1/run/stop", {"reason": "enough"})["fields"]["state"] in ("idle", "stopping")
    until("its end", lambda: get("/api/v1/runs/1")["quality"] == "complete")
    whole = get("/api/v1/runs/one")
    assert whole["description"] == "first" and whole["entries"]["begin"][-1]["body"]["values"]["sides"] == 8, whole
    assert get("/api/v1/runs/last/account")["is_final"] is True
    assert [one["state"] for one in get("/api/v1/runs/1/states")["states"]].count("running") >= 1
    wrong = post("/api/v1/run/start", {"type": "dice", "values": {"sides": 7000, "nothing": 1}}, 409)
    assert len(wrong["fields"]["problems"]) == 2, wrong
    post("/api/v1/run/start", {"type": "dice", "values": {"sides": []}}, 422)
    post("/api/v1/run/start", {"nonsense": 1}, 422)
    post("/api/v1/run/start", {"repeat": -2}, 422)


def same_and_more():
    last = get("/api/v1/plans/types/dice/last")
    assert last["values"]["sides"] == 8 and last["number"] == 1, last
    said = post("/api/v1/run/start", {"same_as": "last", "values": {"sides": 12}, "stop_after_events": 20})
    assert said["fields"]["description"] == "first" and said["fields"]["number"] == 2, said
    until("an end by itself", lambda: get("/api/v1/runs/2")["quality"] == "complete")
    diff = get("/api/v1/runs/1/diff/2")
    assert "sides" in json.dumps(diff["settings"]), diff
    assert [run["number"] for run in get("/api/v1/runs?limit=1")["runs"]] == [2]
    first = get("/api/v1/runs?limit=1")
    assert [run["number"] for run in get(f"/api/v1/runs?limit=1&before={first['next']}")["runs"]] == [1]
    for query in ("page=0", "page=-1", "limit=99999999999999999999", "quality=good", "words=%ff", "nothing=1"):
        get("/api/v1/runs?" + query, 422)
    for words in ("'; DROP TABLE run; --", '" OR 1=1', "found : x", "(((", "💥💥💥"):
        assert get("/api/v1/runs?words=" + urllib.parse.quote(words))["runs"] == []
    post("/api/v1/runs/1/notes", {"text": "the door was <b>open</b>"})
    until("the note", lambda: [n for n in get("/api/v1/runs/1/notes")["notes"] if "<b>" in n["text"]])
    post("/api/v1/runs/1/flags", {"flag": "tainted", "reason": "door"})
    until("the mark", lambda: get("/api/v1/runs?flag=tainted")["runs"])
    post("/api/v1/runs/2/delete")
    until("the deletion", lambda: [run["number"] for run in get("/api/v1/runs")["runs"]] == [1])
    assert len(get("/api/v1/runs?deleted=true")["runs"]) == 2
    post("/api/v1/runs/99/notes", {"text": "x"}, 404)
    post("/api/v1/runs/1/flags", {"flag": "good"}, 422)
    assert get("/api/v1/runs/1/export/ro-crate")["@graph"]
    assert get("/api/v1/runs/1/export/csv").startswith(b'"section"')
    assert get("/api/v1/runs/1/export/json")["number"] == 1
    assert 'filename="run_1.csv"' in ask("/api/v1/runs/1/export/csv")[1]["Content-Disposition"]
    get("/api/v1/runs/1/export/xml", 404)


def plans():
    assert [one["name"] for one in get("/api/v1/plans/types")["types"]] == ["dice"]
    assert {one["name"] for one in get("/api/v1/plans/types/dice")["parameters"]} == {"sides", "is_loaded"}
    get("/api/v1/plans/types/none", 404)
    get("/api/v1/plans/types/none/last", 404)
    assert get("/api/v1/plans/sequences/scan")["count"] == 2
    assert get("/api/v1/plans/templates/dice")["jobs"] == ["DAQJobTest"]
    written = {"file": "runs/types/more.toml", "text": 'templates = ["dice"]\n', "expect_sha256": "", "restart": True}
    post("/api/v1/jobs/text", written)
    assert [one["name"] for one in get("/api/v1/plans/types")["types"]] == ["dice", "more"]
    post("/api/v1/jobs/text", written, 409)  # it is there now
    assert get("/api/v1/sequences")["sequences"] == []
    get("/api/v1/sequences/scan", 404)
    post("/api/v1/sequences/none/start", {}, 409)
    post("/api/v1/sequences/scan/start")
    until("the end of the sequence", lambda: ask("/api/v1/sequences/scan")[2].get("state") == "done")
    assert len(get("/api/v1/sequences/scan")["runs"]) == 2


def files():
    listed = until("an open file", lambda: get("/api/v1/files")["files"])
    assert get("/api/v1/files")["disks"], listed
    path = next(file["path"] for file in get("/api/v1/runs/1/files")["files"] if file["path"].endswith(".arrows"))
    name = urllib.parse.quote(path)
    assert get("/api/v1/files/runs?path=" + name)["files"][0]["number"] == 1
    whole = open(path, "rb").read()
    taken, at = b"", 0
    while True:
        status, head, part = ask(f"/api/v1/files/content?path={name}&from={at}&bytes=1000")
        assert status == 200 and int(head["X-ENRGDAQ-File-Bytes"]) == len(whole)
        if not part:
            break
        taken, at = taken + part, at + len(part)
    assert taken == whole
    for other in ("/etc/passwd", "../../etc/passwd", "/proc/self/environ", path + "/..", os.path.dirname(path)):
        get("/api/v1/files/content?path=" + urllib.parse.quote(other), 404)
        post("/api/v1/files/proof", {"path": other}, 404)
    get("/api/v1/files/content?path=", 422)
    for query in ("from=-1", "bytes=0", "bytes=99999999", "from=99999999999999999999"):
        get(f"/api/v1/files/content?path={name}&{query}", 422)
    post("/api/v1/files/proof", {"path": path})
    proof = until("the proof", lambda: (lambda p: p["state"] != "running" and p)(get("/api/v1/files/proof")))
    assert proof["state"] == "whole" and proof["result"]["rows"] > 0 and proof["path"] == path, proof
    # what lies there is no file any more
    os.rename(path, path + ".away")
    os.symlink("/etc/passwd", path)
    get("/api/v1/files/content?path=" + name, 404)
    os.unlink(path)
    os.rename(path + ".away", path)


def histories():
    until("a recorded series", lambda: ask("/api/v1/history/series?pattern=pc/out_rows")[2].get("series"))
    values = until("values", lambda: get("/api/v1/history?series=pc/out_rows&series=hist/*&points=10")["series"])
    assert all(len(one[key]) <= 10 for one in values for key in ("min", "mean", "max", "seconds")), values
    get("/api/v1/history", 422)
    get("/api/v1/history?series=a&points=0", 422)
    get("/api/v1/history?series=a&from_ns=5&to_ns=3", 422)
    get("/api/v1/history?points=10000&" + "&".join(f"series=*&series=*/x{i}" for i in range(30)), 422)
    assert get("/api/v1/history?series=none/at/all")["series"] == []


def histograms():
    until("the histogram", lambda: get("/api/v1/histograms")["histograms"] == ["live/cpu"])
    assert get("/api/v1/histograms/content?name=live/cpu")["_typename"] == "TH1D"
    assert get("/api/v1/histograms/content?name=cpu&form=uhi")["axes"]
    get("/api/v1/histograms/content?name=../../etc/passwd", 404)
    tree = get("/h.json?compact=3")
    assert tree["_childs"][0]["_childs"][0]["_kind"] == "ROOT.TH1D", tree
    assert get("/live/cpu/root.json?compact=23")["fName"] == "cpu"
    _, head, packed = ask("/live/cpu/root.json.gz?compact=23")
    assert head["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(packed))["fName"] == "cpu"
    get("/live/none/root.json", 404)
    for name in ("exe.json", "cmd.json"):
        get("/live/cpu/" + name, 404)
    _, head, _ = ask("/h.json", headers={"Origin": "https://plots.example.org"})
    assert head["Access-Control-Allow-Origin"] == "https://plots.example.org", head
    _, head, _ = ask("/h.json", headers={"Origin": "https://evil.example.org"})
    assert "Access-Control-Allow-Origin" not in head, head


def without_book():
    """It is moved away: sentences, no harm; and there again."""
    place = os.path.join(RUNTIME, "book.json")
    database = json.load(open(place))["database"]
    os.rename(place, place + ".away")
    assert "no run book" in get("/api/v1/runs", 503)["detail"]
    with open(place, "w") as file:
        json.dump({"database": "/nowhere/runs.sqlite", "folder": "/"}, file)
    assert "/nowhere/runs.sqlite" in get("/api/v1/runs", 503)["detail"]
    damaged = database + ".copy"
    with open(damaged, "wb") as file:
        file.write(open(database, "rb").read()[:300] + b"x" * 20000)
    with open(place, "w") as file:
        json.dump({"database": damaged, "folder": "/"}, file)
    get("/api/v1/runs", 503)
    get("/api/v1/runs/1", 503)
    os.rename(place + ".away", place)
    assert get("/api/v1/runs")["runs"]


def roles():
    """Whoever asks stands in the record; what a visitor may not is refused."""
    head = {}
    for role in ("visitor", "user"):
        said = subprocess.run([BIN, "token", "add", role, "--role", role], stdout=subprocess.PIPE, text=True, check=True)
        head[role] = {"Authorization": "Bearer " + next(w for w in said.stdout.split() if w.startswith("enrg_"))}
    until("the tokens", lambda: ask("/api/v1/runs", headers=head["visitor"])[0] == 200)
    assert ask("/api/v1/files/content?path=/etc/passwd", headers=head["visitor"])[0] == 403
    for path in ("run/start", "run/stop", "runs/1/notes", "files/proof", "sequences/scan/start"):
        assert ask("/api/v1/" + path, {}, head["visitor"])[0] == 403, path
    assert ask("/api/v1/runs/1/delete", {}, head["user"])[0] == 403
    status, _, said = ask("/api/v1/run/start", {"type": "dice", "stop_after_events": 5}, head["user"])
    assert status == 200, said
    number = said["fields"]["number"]
    until("its end", lambda: get(f"/api/v1/runs/{number}")["quality"] == "complete")
    by = get(f"/api/v1/runs/{number}")["entries"]["begin"][-1]["body"]["by"]
    assert by["who"] == "user" and by["role"] == "user" and by["address"] == "127.0.0.1", by
    status, _, said = ask(f"/api/v1/runs/{number}/notes", {"text": "by a user"}, head["user"])
    assert status == 200, said
    until("the note", lambda: [n for n in get(f"/api/v1/runs/{number}/notes")["notes"] if n["who"] == "user"])


def main():
    until("it listens", listens)
    for part in (runs, same_and_more, plans, files, histories, histograms, roles, without_book):
        began = time.monotonic()
        part()
        print(f"{part.__name__}: {time.monotonic() - began:.2f} s", flush=True)


main()
