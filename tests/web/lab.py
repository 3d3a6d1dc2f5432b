"""lab.py: a running system in $PWD/c with enrgdaq-web beside it, for the tests of this folder. The web program is started
here and not by the supervisor, so that it can be killed, starved and told settings that no file could have. All ends with
the process."""
import atexit
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time

PATIENCE_S = 120  # a machine may be slow; whatever is waited for comes at once on an idle one


def await_that(what, is_so):
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            sys.exit(f"FAILED: never came: {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Web:
    """enrgdaq-web, steered as the supervisor does."""

    def __init__(self, port=None, web=None, **settings):
        self.port = port or free_port()
        self.folder = os.path.abspath("web")
        self.said = []
        binary = os.environ["ENRGDAQ_BIN"]
        ours, theirs = socket.socketpair()
        self.log = open("web.log", "a")
        program = os.environ.get("ENRGDAQ_WEB_BIN") or os.path.join(os.path.dirname(os.path.realpath(binary)), "enrgdaq-web")
        self.process = subprocess.Popen([program, "serve"], stdin=theirs, stderr=self.log)
        theirs.close()
        self.socket = ours
        limits = dict(gets_per_second=100000, posts_per_second=100000, posts_burst=100000, connections=500,
                      connections_per_address=500)
        line = {"do": "settings", "supervisor_id": "lab", "runtime_folder": os.environ["ENRGDAQ_RUNTIME_DIR"] + "/lab",
                "config_folder": os.path.abspath("c"), "web_folder": self.folder, "program": os.path.realpath(binary),
                "tags": ["test"], "is_terminal": False,
                "cnc": {"rest_api_enabled": True, "rest_api_port": self.port, "server_port": free_port()}, "web": dict(limits, **(web or {}))}
        line.update(settings)
        self.send(line)
        threading.Thread(target=self.hear, daemon=True).start()
        atexit.register(self.kill)

    def send(self, line):
        self.socket.sendall((json.dumps(line) + "\n").encode())

    def hear(self):
        for line in self.socket.makefile():
            self.said.append(json.loads(line))

    def has_said(self, **members):
        return any(all(line.get(key) == value for key, value in members.items()) for line in list(self.said))

    def wait(self):
        await_that("it listens", lambda: self.has_said(do="listening") or self.process.poll() is not None)
        if self.process.poll() is not None:
            sys.exit("FAILED: enrgdaq-web has ended: " + open("web.log").read())
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def first_token(self):
        with open(self.folder + "/first.token") as file:
            return file.read().strip()

    def ask(self, method, path, body=None, token=None, raw=None, **headers):
        """(status, JSON or text, headers); `token` None: as somebody behind a proxy, whom nobody knows."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            headers["Authorization"] = "Bearer " + token
        else:
            headers.setdefault("X-Forwarded-For", "192.0.2.1")
        if body is not None:
            raw = json.dumps(body)
        if raw is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, raw, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json") and text
        return answer.status, json.loads(text) if is_json else text, answer.headers


class Lab:
    """`enrgdaq run c`, and its web."""

    def __init__(self, **settings):
        os.makedirs("c", exist_ok=True)
        self.put("supervisor.toml", '[info]\nsupervisor_id = "lab"\n[runs]\ncontrol = true\n[web]\npanel_secret = "hidden-in-the-file"\n')
        self.put("dice.toml", 'daq_job_type = "DAQJobTest"\ndaq_job_unique_id = "dice"\nrand_min = 1\nrand_max = 6\n'
                 'interval_seconds = 0.1\n[store_config.csv]\nfile_path = "dice.csv"\n')
        self.log = open("run.log", "w")
        self.process = subprocess.Popen([os.environ["ENRGDAQ_BIN"], "run", "c"], stdout=self.log, stderr=self.log)
        atexit.register(self.end)
        status = os.environ["ENRGDAQ_RUNTIME_DIR"] + "/lab/status.json"
        await_that("the system runs", lambda: os.path.exists(status))
        self.web = Web(**settings).wait()
        self.admin = self.web.first_token()
        self.tokens = {"admin": self.admin}
        for role in ("visitor", "user"):
            code, answer, _ = self.web.ask("POST", "/api/v1/tokens", {"name": role, "role": role}, self.admin)
            if code not in (200, 201):
                sys.exit(f"FAILED: no token of a {role}: {code} {answer}")
            self.tokens[role] = answer["token"]

    def put(self, file, text):
        with open("c/" + file, "w") as out:
            out.write(text)

    def get(self, file):
        with open("c/" + file) as text:
            return text.read()

    def ask(self, *arguments, token=None, **more):
        return self.web.ask(*arguments, token=token or self.admin, **more)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAILED: {what}: {found!r} instead of {wanted!r}")


def unique():
    return secrets.token_hex(4)
