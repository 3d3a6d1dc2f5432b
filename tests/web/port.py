"""port.py: the port is in use by another program: said once with what to do, tried again, and taken when it is free."""
import os
import socket
import sys

from lab import Web, await_that, expect

taken = socket.socket()
taken.bind(("127.0.0.1", 0))
taken.listen()
web = Web(port=taken.getsockname()[1])
await_that("an alert", lambda: web.has_said(do="alert", key="web/listen", over=False))
alert = next(line for line in web.said if line["do"] == "alert")
if str(web.port) not in alert["text"] or "in use" not in alert["text"]:
    sys.exit(f"FAILED: it does not say what is wrong: {alert}")
web.send({"do": "ping"})
await_that("pong", lambda: web.has_said(do="pong"))  # it is alive meanwhile
taken.close()
web.wait()
await_that("the alert is over", lambda: web.has_said(do="alert", key="web/listen", over=True))
expect("healthz", web.ask("GET", "/healthz")[0], 503)  # nothing runs
web.kill()

# Settings that make no sense, and none at all: it ends with a sentence.
bad = Web(cnc={"rest_api_enabled": True, "rest_api_port": 0})
expect("exit code", bad.process.wait(60), 1)
bad.socket.close()
if "rest_api_port" not in open("web.log").read():
    sys.exit("FAILED: it does not say which setting is wrong")
