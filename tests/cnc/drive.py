#!/usr/bin/env python3
"""drive.py WHAT …: plays other machines, and people at REST, for cnc.sh. Ends with 1 and a trace where something is wrong."""
import json
import random
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import zmtp

PATIENCE_S = 90
INFO = {"supervisor_id": "node", "supervisor_tags": ["py", "müon"]}


def rest(port, path, body=None):
    """Status and answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError as error:
        return 0, repr(error)


def await_true(condition, what):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def is_listed(port, name):
    status, clients = rest(port, "/clients")
    return status == 200 and clients.get(name, {}).get("info") is not None


def message(kind, **members):
    return {"type": "CNCMessage" + kind, **members}


def await_registered(port, name, peer):
    def beat():
        peer.send(message("Heartbeat", supervisor_info=INFO))
        return is_listed(port, name)

    await_true(beat, f"{name} has not registered")


STATUS = {"supervisor_info": INFO, "daq_jobs": [], "daq_job_stats": {}, "daq_job_remote_stats": {}, "restart_schedules": []}
SAID = {"success": True, "message": "done"}
# path, body, what arrives at the client, what it answers
ASKED = [
    ("ping", {}, message("ReqPing"), message("ResPing")),
    ("status", None, message("ReqStatus"), message("ResStatus", status=STATUS)),
    ("restart_daq", {"update": False}, message("ReqRestartDAQ", update=False), message("ResRestartDAQ", **SAID)),
    ("stop_daqjobs", {}, message("ReqStopDAQJobs"), message("ResStopDAQJobs", **SAID)),
    ("stop_daqjob", {"daq_job_unique_id": "u", "remove": True},
     message("ReqStopDAQJob", daq_job_name=None, daq_job_unique_id="u", remove=True), message("ResStopDAQJob", **SAID)),
    ("run_custom_daqjob", {"config": "x = 'ü'", "restart_on_crash": False},
     message("ReqRunCustomDAQJob", config="x = 'ü'", restart_on_crash=False), message("ResRunCustomDAQJob", **SAID)),
    ("send_message", {"message_type": "Stop", "payload": "{}", "target_daq_job_unique_id": None},
     message("ReqSendMessage", message_type="Stop", payload="{}", target_daq_job_unique_id=None),
     message("ResSendMessage", **SAID, jobs_notified=2)),
]


def ask_over_rest(port, name, path, body, results):
    results.append(rest(port, f"/clients/{name}/{path}", body))


def check_asked(port, peer, path, body, question, answer, status):
    results = []
    asker = threading.Thread(target=ask_over_rest, args=(port, "node", path, body, results))
    asker.start()
    heard = peer.recv_type(question["type"])
    req_id = heard.pop("req_id")
    assert list(heard.items()) == list(question.items()), (heard, question)
    assert len(req_id) == 36
    peer.send({**answer, "req_id": req_id})
    asker.join()
    assert results[0][0] == status, (path, results)
    expected = answer["status"] if path == "status" else {**answer, "req_id": req_id}
    got = {key: value for key, value in results[0][1].items() if key != "detail"}
    assert got == expected, (got, expected)


def check_logs(port, peer):
    line = {"level": "WARNING", "message": "wörds", "timestamp": "2026-01-01T00:00:00.1", "module": "m", "client_id": "node"}
    peer.send(message("Log", **line))
    await_true(lambda: rest(port, "/clients/node/logs")[1].get("logs"), "no log line")
    assert rest(port, "/clients/node/logs")[1]["logs"] == [message("Log", **line, req_id=None)]


def resident_mib(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4 // 1024


def check_storm(cnc_port, pid):
    """10,000 messages at once from one, bytes that are none, a frame that is too long: others are served."""
    before = resident_mib(pid)
    storm = zmtp.dial(cnc_port, b"storm")
    line = message("Log", level="INFO", message="x" * 500, timestamp="", module="", client_id="")
    for _ in range(100):
        storm.send_many(line, 100)
    for bad in (b"", b"\xc1", b"\x81\xa4type", b"\xdd\xff\xff\xff\xff", bytes(range(256))):
        zmtp.dial(cnc_port, b"bad").send_bytes(bad)
    long = zmtp.dial(cnc_port, b"long")
    try:
        long.send_bytes(bytes(1 << 21))
        long.recv()
        raise AssertionError("a frame of 2 MiB was taken")
    except OSError:
        pass
    good = zmtp.dial(cnc_port, b"good")
    good.send(message("ReqPing", req_id="1", unknown=[1, {"a": None}]))
    assert good.recv() == message("ResPing", req_id="1")
    assert resident_mib(pid) - before < 64, (before, resident_mib(pid))


def node(cnc_port, rest_port, pid):
    """We are a client of a server of ours."""
    await_true(lambda: is_listed(rest_port, "lab"), "the server is not there")
    peer = zmtp.dial(cnc_port, b"node")
    await_registered(rest_port, "node", peer)
    entry = rest(rest_port, "/clients")[1]["node"]
    assert entry["info"] == INFO and entry["identity"] == "bm9kZQ==", entry
    for path, body, question, answer in ASKED:
        check_asked(rest_port, peer, path, body, question, answer, 200)
    refusal = message("ResStopDAQJobs", success=False, message="no")
    check_asked(rest_port, peer, "stop_daqjobs", {}, message("ReqStopDAQJobs"), refusal, 409)
    check_logs(rest_port, peer)
    check_storm(cnc_port, pid)
    assert rest(rest_port, "/clients/nobody/ping", {})[0] == 404
    peer.socket.close()
    await_true(lambda: rest(rest_port, "/clients/node/ping", {})[0] == 504, "a dead client answers")
    assert is_listed(rest_port, "node")


JOB = 'daq_job_type = "DAQJobTest"\ndaq_job_unique_id = "custom"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.1\n[store_config.csv]\nfile_path = "custom.csv"\n'


def ask_all(ask):
    """Each question of the reference to a system of ours, by whoever may."""
    assert ask("Ping") == message("ResPing")
    status = ask("Status")["status"]
    assert status["supervisor_info"] == {"supervisor_id": "lab", "supervisor_tags": ["t"]}
    assert [job["unique_id"] for job in status["daq_jobs"] if job["daq_job_type"] == "DAQJobTest"] == ["dice"]
    assert "DAQJobTest" in status["daq_job_stats"]["lab"] and set(status) == set(STATUS)
    assert ask("ListClients")["clients"]["lab"] == {"supervisor_id": "lab", "supervisor_tags": ["t"]}
    answer = ask("SendMessage", message_type="nope", payload="{}")
    assert not answer["success"] and answer["jobs_notified"] == 0, answer
    answer = ask("RunCustomDAQJob", config=JOB)
    assert answer["success"], answer
    await_true(lambda: "custom" in [job["unique_id"] for job in ask("Status")["status"]["daq_jobs"]], "not in the status")
    answer = ask("StopDAQJob", daq_job_unique_id="custom", remove=True)
    assert answer["success"], answer
    answer = ask("StopDAQJob", daq_job_name="nope")
    assert not answer["success"] and "nope" in answer["message"], answer
    answer = ask("RestartDAQ", update=True)
    assert not answer["success"], answer
    # while the change before is under way it is refused
    await_true(lambda: ask("StopDAQJobs")["success"], "jobs are not stopped")


def asker(peer):
    numbers = iter(range(1000))

    def ask(kind, **members):
        req_id = str(next(numbers))
        peer.send(message("Req" + kind, **members, req_id=req_id))
        while True:
            answer = peer.recv()
            if answer["type"] == "CNCMessageRes" + kind:
                assert answer.pop("req_id") == req_id
                return answer

    return ask


def script(cnc_port):
    """We command a server of ours that lets us (cnc.insecure)."""
    peer = None
    until = time.monotonic() + PATIENCE_S
    while not peer:
        try:
            peer = zmtp.dial(cnc_port)
        except OSError:
            assert time.monotonic() < until, "no server"
            time.sleep(0.1)
    ask_all(asker(peer))


def hub(listener):
    """We are the server of a client of ours: it beats, logs, answers, and comes back."""
    peer = listener.accept()
    assert peer.identity == b"lab"
    beat = peer.recv_type("CNCMessageHeartbeat")
    expected = message("Heartbeat", supervisor_info={"supervisor_id": "lab", "supervisor_tags": ["t"]}, req_id=None)
    assert list(beat.items()) == list(expected.items()), beat
    line = peer.recv_type("CNCMessageLog")
    assert list(line) == ["type", "level", "message", "timestamp", "module", "client_id", "req_id"], line
    assert line["client_id"] == "lab" and line["level"] in ("INFO", "WARNING", "ERROR"), line
    ask_all(asker(peer))
    peer.send_bytes(b"\xc1 no message")
    peer.send_bytes(b"two", more=True)
    peer.send_bytes(b"frames")
    assert asker(peer)("Ping") == message("ResPing")
    peer.socket.close()
    peer = listener.accept()
    peer.recv_type("CNCMessageHeartbeat")
    assert asker(peer)("Ping") == message("ResPing")


def two(rest_port, name):
    """A system of ours is seen and commanded over REST of another."""
    await_true(lambda: is_listed(rest_port, name), f"{name} has not registered")
    await_true(lambda: rest(rest_port, f"/clients/{name}/status")[0] == 200, "no status")
    status = rest(rest_port, f"/clients/{name}/status")[1]
    assert status["supervisor_info"]["supervisor_id"] == name
    assert rest(rest_port, f"/clients/{name}/ping", {})[0] == 200
    code, answer = rest(rest_port, f"/clients/{name}/stop_daqjobs", {})
    assert code == 200 and answer["success"], answer
    await_true(lambda: rest(rest_port, f"/clients/{name}/logs")[1].get("logs"), "no log lines")


def free_ports(count):
    """Below those that connections get by themselves, one of which could take it meanwhile."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "ports":
        print(*free_ports(int(arguments[0])))
    elif what == "node":
        node(*map(int, arguments))
    elif what == "script":
        script(int(arguments[0]))
    elif what == "hub":
        listener = zmtp.Listener()
        with open(arguments[0], "w") as file:
            print(listener.port, file=file)
        hub(listener)
    elif what == "two":
        two(int(arguments[0]), arguments[1])
    elif what == "absent":
        clients = rest(int(arguments[0]), "/clients")[1]
        assert "lab1" in clients and not set(arguments[1:]) & set(clients), clients
    elif what == "pinged":
        await_true(lambda: rest(int(arguments[0]), f"/clients/{arguments[1]}/ping", {})[0] == 200, "no answer")


if __name__ == "__main__":
    main()
