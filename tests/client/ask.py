"""A client in another language: ask.py LIBRARY. Gives commands, follows alerts and the log, reads figures."""
import ctypes
import os
import sys
import time

c = ctypes
lib = c.CDLL(sys.argv[1])


class Error(c.Structure):
    _fields_ = [("code", c.c_int), ("text", c.c_char * 1000)]


class Command(c.Structure):
    _fields_ = [("size", c.c_uint32), ("timeout_ms", c.c_uint32), ("to", c.c_char_p), ("kind", c.c_char_p),
                ("fields", c.c_char_p), ("sender", c.c_char_p), ("id", c.c_char_p),
                ("for_who", c.c_char_p), ("for_role", c.c_char_p), ("for_address", c.c_char_p)]


class Reply(c.Structure):
    _fields_ = [("size", c.c_uint32), ("code", c.c_int), ("name", c.c_char_p), ("text", c.c_char_p),
                ("fields", c.c_char_p), ("json", c.c_char_p)]


class Alert(c.Structure):
    _fields_ = [("size", c.c_uint32), ("time", c.c_char_p), ("severity", c.c_char_p), ("job", c.c_char_p),
                ("message", c.c_char_p), ("missed", c.c_uint64)]


class Line(c.Structure):
    _fields_ = [("size", c.c_uint32), ("line", c.c_char_p), ("time", c.c_char_p), ("level", c.c_char_p),
                ("process", c.c_char_p), ("message", c.c_char_p)]


err = Error()


def check(rc, wanted=0):
    assert rc == wanted, (rc, err.text)


def ask(client, to, kind, **more):
    reply = c.POINTER(Reply)()
    command = Command(size=c.sizeof(Command), to=to, kind=kind, **more)
    check(lib.enrg_client_ask(client, c.byref(command), c.byref(reply), c.byref(err)))
    assert reply.contents.size == c.sizeof(Reply), "the struct is not that of the header"
    return reply.contents.name, reply.contents.text


def until(function, handle, kind, wanted):
    """The first that is wanted of what is followed."""
    found = c.POINTER(kind)()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        rc = function(handle, c.byref(found), c.byref(err))
        assert rc in (0, 1, -11), (rc, err.text)  # -EAGAIN: no state was written yet
        if rc == 1 and wanted(found.contents):
            return
        if rc != 1:
            time.sleep(0.02)
    sys.exit(f"{kind.__name__}: what was waited for did not come")


client, alerts, logs = c.c_void_p(), c.c_void_p(), c.c_void_p()
check(lib.enrg_client_open(b"lab", c.byref(client), c.byref(err)))
check(lib.enrg_alerts_open(client, c.byref(alerts), c.byref(err)))
check(lib.enrg_logs_open(client, 1000, c.byref(logs), c.byref(err)))
assert ask(client, b"supervisor", b"ping")[0] == b"ok"
assert ask(client, b"supervisor", b"nonsense")[0] == b"no_kind"
assert ask(client, b"job nobody", b"ping")[0] == b"nobody"
assert ask(client, b"supervisor", b"ping", for_who=b"ada", for_role=b"visitor")[0] == b"ok"
code, text = ask(client, b"supervisor", b"stop", for_who=b"ada", for_role=b"user", for_address=b"192.0.2.1")
assert code == b"refused" and b"ada (user)" in text, (code, text)
assert ask(client, b"supervisor", b"ping", for_role=b"root")[0] == b"refused"
once = os.urandom(16)
assert ask(client, b"supervisor", b"ping", id=once) == ask(client, b"supervisor", b"ping", id=once)
reply = c.POINTER(Reply)()
wrong = Command(size=c.sizeof(Command), to=b"supervisor", kind=b"ping", fields=b"[1]")
check(lib.enrg_client_ask(client, c.byref(wrong), c.byref(reply), c.byref(err)), -22)
until(lib.enrg_logs_next, logs, Line, lambda line: line.process == b"supervisor" and b"jobs" in line.message)
os.kill(int(sys.argv[2]), 9)
until(lib.enrg_logs_next, logs, Line, lambda line: line.level == b"WARNING" and b"dice" in line.message)
os.unlink("out/dice.csv")
until(lib.enrg_alerts_next, alerts, Alert, lambda alert: b"dice.csv" in alert.message and b"CSV" in alert.job)
lib.enrg_logs_close(logs)
lib.enrg_alerts_close(alerts)
check(lib.enrg_client_stop(client, False, c.byref(err)))
check(lib.enrg_client_wait(client, 20000, c.byref(err)))
check(lib.enrg_client_wait(client, 0, c.byref(err)), -11)
lib.enrg_client_close(client)
