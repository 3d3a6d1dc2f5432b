"""who.py: who is let in by enrgdaq-web, over real connections: every hostile request that a browser, a stranger or a
former holder of a token could make; tokens guessed, expired and removed; sessions; the panel's proxy; what the audit says
and what it never says."""
import atexit
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time

from lab import PATIENCE_S, Web, await_that, expect, free_port

SECRET = "a secret of the laboratory"
MADE = []  # every token, password and cookie: none may stand in log or audit


def enrgdaq(*arguments, text=None):
    done = subprocess.run([os.environ["ENRGDAQ_BIN"], *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"FAILED: enrgdaq {arguments}: {done.stderr}")
    return done.stdout.strip()


def make_token(web, name, role):
    token = enrgdaq("token", "add", name, "--role", role, "--folder", web.folder)
    MADE.append(token)
    return token


class Raw:
    """A connection on which just these lines are said."""

    def __init__(self, web):
        self.port = web.port
        self.socket = socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE_S)
        self.file = self.socket.makefile("rb")

    def ask(self, start, *headers, body=None, host=None):
        lines = [start + " HTTP/1.1", host if host is not None else f"Host: localhost:{self.port}", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.socket.sendall("\r\n".join([line for line in lines if line] + ["", body or ""]).encode())
        status = int(self.file.readline().split()[1])
        answered = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(": ")
            answered[name.lower()] = value
        text = self.file.read(int(answered.get("content-length", 0))).decode()
        return status, text, answered

    def close(self):
        self.file.close()
        self.socket.close()


def once(web, *arguments, **more):
    raw = Raw(web)
    try:
        return raw.ask(*arguments, **more)
    finally:
        raw.close()


def status(web, *arguments, **more):
    return once(web, *arguments, **more)[0]


JSON = "Content-Type: application/json"
POST = "POST /api/v1/tokens/nobody/remove"  # 404 for whoever may


def hostile(web, admin):
    """All of them on loopback by the supervisor's own user, whom a page in his browser could want to use."""
    ours = f"Origin: http://localhost:{web.port}"
    rows = [
        # a script of the own user: who he is, the kernel says
        (404, POST, JSON), (404, POST, JSON, ours), (404, POST, JSON, ours, "Sec-Fetch-Site: same-origin"),
        (404, POST),  # no body, and no browser
        # forms, and what else a page of another site can make a browser send
        (415, POST, "Content-Type: text/plain", {"body": "{}"}), (415, POST, "Content-Type: application/x-www-form-urlencoded"),
        (415, POST, "Content-Type: multipart/form-data; boundary=x", {"body": "--x--"}), (415, POST, {"body": "{}"}),
        (403, POST, JSON, "Origin: http://evil.example"), (403, POST, JSON, "Origin: null"),
        (403, POST, JSON, f"Origin: https://localhost:{web.port}"), (403, POST, JSON, "Origin: http://localhost:1"),
        (403, POST, JSON, "Sec-Fetch-Site: cross-site"), (403, POST, JSON, "Sec-Fetch-Site: same-site"),
        (403, POST, JSON, ours, "Sec-Fetch-Site: cross-site"),
        (403, "GET /api/v1/tokens", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"),
        # a link may be followed, and has no rights
        (401, "GET /api/v1/tokens", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
        (200, "GET /api/v1/me", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
        # DNS rebinding
        (403, "GET /api/v1/me", {"host": "Host: evil.example"}),
        (403, "GET /api/v1/me", {"host": f"Host: evil.example:{web.port}"}),
        (403, POST, JSON, f"Origin: http://evil.example:{web.port}", "Sec-Fetch-Site: same-origin",
         {"host": f"Host: evil.example:{web.port}"}),
        (403, "GET /api/v1/me", {"host": "Host: localhost.evil.example"}), (403, "GET /api/v1/me", {"host": "Host: 203.0.113.7"}),
        (200, "GET /api/v1/me", {"host": "Host: daq.lab"}), (200, "GET /api/v1/me", {"host": "Host: [::1]:9"}),
        # two Hosts, none, both lengths: whoever stands between could read another request
        (400, "GET /api/v1/me", "Host: daq.lab"), (400, "GET /api/v1/me", {"host": ""}),
        (400, POST, JSON, "Transfer-Encoding: chunked", {"body": "{}"}), (400, POST, JSON, "Content-Length: -1"),
        # what came through a proxy is nobody
        (401, "GET /api/v1/tokens", "X-Forwarded-For: 127.0.0.1"), (401, "GET /api/v1/tokens", "Forwarded: for=127.0.0.1"),
        (401, "GET /api/v1/tokens", "Via: 1.1 proxy"), (200, "GET /api/v1/tokens"),
        # what is shown counts, and nothing else
        (401, "GET /api/v1/me", "Authorization: Bearer enrg_guessed"), (401, "GET /api/v1/me", "Authorization: Basic YTpi"),
        (401, "GET /t/enrg_guessed/api/v1/me"), (401, "GET /api/v1/me", f"Authorization: Bearer {admin}x"),
        (401, "GET /api/v1/me", f"Authorization: Bearer {admin[:-1]}"), (200, "GET /api/v1/me", f"Authorization: Bearer {admin}"),
        (200, f"GET /t/{admin}/api/v1/me"),
        # a header that anybody can write, and a key that is not ours
        (401, "GET /api/v1/tokens", "Via: x", f"X-Admin-Access: {panel_token('enrgdaq-control-superadmin')}"),
        (404, POST.replace("POST", "GET"), JSON),
    ]
    for row in rows:
        more = row[-1] if isinstance(row[-1], dict) else {}
        words = [word for word in row[1:] if not isinstance(word, dict)]
        found = status(web, *words, **more)
        if found != row[0] and not (row[0] == 404 and found == 405):
            sys.exit(f"FAILED: {words} {more}: {found}, expected {row[0]}")


def written(web, admin):
    """Before any storm, so that each is a line: refused and done, with a token in the path."""
    expect("guessed", status(web, "GET /t/enrg_guessed/api/v1/me"), 401)
    expect("nobody", status(web, f"{POST.replace('POST ', f'POST /t/{admin}')}", JSON), 404)
    await_that("both stand in the audit", lambda: {("GET /api/v1/me", "401"), (POST, "404")} <= {
        (line["what"], line["result"]) for line in lines_of(web)})


def tokens(web):
    keeps = Raw(web)  # one connection, which outlives the token
    token = make_token(web, "script", "user")
    shown = f"Authorization: Bearer {token}"
    expect("a token that was just made", keeps.ask("GET /api/v1/me", shown)[0], 200)
    expect("its role", keeps.ask("GET /api/v1/tokens", shown)[0], 403)
    enrgdaq("token", "remove", "script", "--folder", web.folder)
    expect("removed", keeps.ask("GET /api/v1/me", shown)[0], 401)
    token = make_token(web, "short", "user")
    shown = f"Authorization: Bearer {token}"
    expect("a second one", keeps.ask("GET /api/v1/me", shown)[0], 200)
    with open(web.folder + "/tokens") as file:
        text = file.read()
    with open(web.folder + "/tokens.by-hand", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(re.sub(r"(short .*) never", r"\1 2020-01-01T00:00:00Z", text))
    os.rename(web.folder + "/tokens.by-hand", web.folder + "/tokens")
    expect("expired", keeps.ask("GET /api/v1/me", shown)[0], 401)
    keeps.close()


def sessions(web, admin):
    code, text, answered = once(web, f"GET /login?token={admin}")
    expect("a link", (code, text, answered["location"]), (303, "", "./"))
    cookie, *flags = answered["set-cookie"].split("; ")
    expect("flags", flags[:3], ["Path=/", "HttpOnly", "SameSite=Strict"])
    expect("its name holds the port", cookie.split("=")[0], f"enrgdaq-{web.port}")
    MADE.append(cookie.split("=")[1])
    has = f"Cookie: other=1; {cookie}"
    own = f"Origin: http://localhost:{web.port}"
    for code, *words in [
        (200, "GET /api/v1/tokens", has, "Via: x"),
        (404, POST, has, JSON, own, "X-ENRGDAQ-CSRF: 1"), (404, POST, has, JSON, "Sec-Fetch-Site: same-origin", "X-ENRGDAQ-CSRF: 1"),
        (403, POST, has, JSON, own), (403, POST, has, JSON, "X-ENRGDAQ-CSRF: 1"), (403, POST, has, "X-ENRGDAQ-CSRF: 1"),
        (415, POST, has, own, "X-ENRGDAQ-CSRF: 1"), (403, POST, has, JSON, "Origin: http://evil.example", "X-ENRGDAQ-CSRF: 1"),
        (403, f"GET /login?token={admin}", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
        (401, "GET /login?token=guessed"), (422, "GET /login"),
    ]:
        expect(f"{words}", status(web, *words), code)
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: enrgdaq-live.1",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    for code, *words in [
        (403, has), (403, has, "Origin: http://evil.example"), (403, has, "Origin: null"), (101, has, own), (403,),
        (101, f"Authorization: Bearer {admin}"), (403, f"Authorization: Bearer {admin}", "Origin: http://evil.example"),
        (401, "Authorization: Bearer x"), (101, own),
    ]:
        expect(f"WebSocket {words}", status(web, "GET /api/v1/live", *upgrade, *words), code)
    expect("log-out", status(web, "POST /api/v1/logout", has, JSON, own, "X-ENRGDAQ-CSRF: 1", body="{}"), 200)
    expect("logged out", status(web, "GET /api/v1/tokens", has, "Via: x"), 401)
    return cookie


def passwords(web):
    """Behind a proxy that says who asks, since nobody waits on loopback."""
    password = "correct horse"
    MADE.append(password)
    enrgdaq("user", "add", "anna", "--role", "user", "--folder", web.folder, "--password-file", "-", text=password + "\n")

    def log_in(name, given, address):
        return once(web, "POST /api/v1/login", JSON, f"X-Forwarded-For: {address}", body=json.dumps({"name": name, "password": given}))

    expect("right", log_in("anna", password, "192.0.2.1")[0], 200)
    for i in range(5):
        expect("wrong", log_in("anna", "a guess", "192.0.2.2")[0], 401)
    code, _, answered = log_in("anna", password, "192.0.2.2")
    expect("too many of an address", (code, 0 < int(answered["retry-after"]) <= 60), (429, True))
    expect("too many of a name", log_in("anna", password, "192.0.2.1")[0], 429)
    expect("another name and address", log_in("berta", "a guess", "192.0.2.3")[0], 401)


def panel_token(role, **head):
    def text(part):
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()

    claims = {"exp": time.time() + 600, "user_info": {"id": 1, "email": "anna@lab", "name": "Anna", "roles": [role]}}
    signed = text(dict({"alg": "HS256", "typ": "JWT"}, **head)) + "." + text(claims)
    mac = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return signed + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def proxy(web):
    for role, code in (("enrgdaq-control-superadmin", 200), ("enrgdaq-control", 403), ("enrgdaq-control-visitor", 403), ("x", 401)):
        words = f"X-Admin-Access: {panel_token(role)}", "X-Forwarded-For: 192.0.2.9"
        expect(role, status(web, "GET /api/v1/tokens", *words), code)
    admin = "enrgdaq-control-superadmin"
    expect("alg none", status(web, "GET /api/v1/tokens", f"X-Admin-Access: {panel_token(admin, alg='none')}"), 401)
    expect("not from a browser", status(web, POST, f"X-Admin-Access: {panel_token(admin)}", JSON), 403)
    expect("of our page", status(web, POST, f"X-Admin-Access: {panel_token(admin)}", JSON, "Sec-Fetch-Site: same-origin",
                                 "X-ENRGDAQ-CSRF: 1"), 404)
    expect("its own user", status(web, "GET /api/v1/tokens"), 401)  # loopback is a proxy's address here


def lines_of(web):
    try:
        with open(web.folder + "/audit.jsonl") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]
    except FileNotFoundError:
        return []


def storm(web):
    raw = Raw(web)
    for i in range(1000):
        raw.ask("GET /api/v1/tokens", "Authorization: Bearer storm")
    raw.close()
    expect("a change is never counted away", status(web, POST, JSON, "Authorization: Bearer " + make_token(web, "last", "admin")), 404)

    def all_told():
        lines = [line for line in lines_of(web) if line["address"] in ("127.0.0.1", "")]
        counted = sum(int(match[1]) for line in lines if (match := re.match(r"and (\d+) more", line["what"])))
        told = sum(line["what"] == "GET /api/v1/tokens" and line["result"] == "401" for line in lines)
        return told + counted >= 1000 and any(line["what"] == POST for line in lines)

    await_that("each refused attempt of a storm is in the audit", all_told)
    told = sum(line["what"] == "GET /api/v1/tokens" for line in lines_of(web))
    if told > 700:
        sys.exit(f"FAILED: a storm filled the audit with {told} lines")


def nothing_secret_is_written(web):
    for path in (web.folder + "/audit.jsonl", "web.log"):
        with open(path) as file:
            text = file.read()
        for secret in MADE + [SECRET, "enrg_"]:
            if secret in text:
                sys.exit(f"FAILED: {path} holds {secret}")
    for name in os.listdir(web.folder):
        mode = os.stat(os.path.join(web.folder, name)).st_mode & 0o7777
        expect(f"mode of {name}", oct(mode), oct(0o600))


def first_start():
    """The link goes to a terminal alone."""
    other = Web(is_terminal=True, web_folder=os.path.abspath("other")).wait()
    with open("other/first.token") as file:
        token = file.read().strip()
    with open("web.log") as file:
        expect("a link on a terminal", f"http://localhost:{other.port}/login?token={token}\n" in file.read(), True)
    other.kill()


def system():
    """`enrgdaq token` finds the system that runs, and what it changes counts at once."""
    os.makedirs("d")
    with open("d/supervisor.toml", "w") as file:
        port = free_port()
        file.write(f'[info]\nsupervisor_id = "who"\n[cnc]\nrest_api_enabled = true\nrest_api_port = {port}\n')
    with open("system.log", "w") as log:
        runs = subprocess.Popen([os.environ["ENRGDAQ_BIN"], "run", "d"], stdout=log, stderr=log)
    atexit.register(runs.kill)
    await_that("web.json", lambda: os.path.exists(os.environ["ENRGDAQ_RUNTIME_DIR"] + "/who/web.json"))
    token = enrgdaq("token", "add", "found", "--role", "visitor")
    expect("the list", enrgdaq("token", "list", "--id", "who").splitlines()[-1].split()[:2], ["found", "visitor"])

    class There:
        pass

    There.port = port

    def is_known():
        try:
            return status(There, f"GET /t/{token}/api/v1/me") == 200
        except OSError:
            return False  # it does not listen yet
    await_that("the token is good", is_known)
    with open("system.log") as file:
        expect("no token in a log", "enrg_" in file.read(), False)
    enrgdaq("token", "remove", "found")
    expect("it is not any more", status(There, f"GET /t/{token}/api/v1/me"), 401)
    enrgdaq("stop", "who")
    expect("the run's end", runs.wait(PATIENCE_S), 0)


options = {"hosts": ["daq.lab"], "panel_secret": SECRET}
web = Web(web=options).wait()
await_that("it answers", lambda: web.ask("GET", "/healthz")[0] == 503)
admin = web.first_token()
MADE.append(admin)
written(web, admin)
hostile(web, admin)
tokens(web)
cookie = sessions(web, admin)
web.kill()
web = Web(web=dict(options, proxies=["127.0.0.1"])).wait()  # started again: tokens are good, sessions are over
expect("a session of before", status(web, "GET /api/v1/tokens", f"Cookie: {cookie}"), 401)
expect("a token of before", status(web, "GET /api/v1/tokens", f"Authorization: Bearer {admin}"), 200)
passwords(web)
proxy(web)
storm(web)
nothing_secret_is_written(web)
web.kill()
first_start()
system()
