"""A service manager for one run: notify.py PROGRAM CONFIG. Fails where the run does not tell it what it should."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

folder = tempfile.mkdtemp()
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(folder + "/notify")
server.settimeout(20)
run = subprocess.Popen(
    ["sh", "-c", 'WATCHDOG_PID=$$ exec "$0" run "$1"', sys.argv[1], sys.argv[2]],
    env=dict(os.environ, NOTIFY_SOCKET=folder + "/notify", WATCHDOG_USEC="400000"))
lines, beats, pending = [], [], []


def wait_for(wanted):
    end = time.monotonic() + 20
    while True:
        if not pending:
            pending.extend(server.recv(65536).decode().split("\n"))
        line = pending.pop(0)
        lines.append(line)
        if line == "WATCHDOG=1":
            beats.append(time.monotonic())
        if line.startswith(wanted):
            return line
        assert time.monotonic() < end, f"{wanted}: {lines}"


try:
    wait_for("READY=1")
    assert "WATCHDOG=1" in lines, lines
    wait_for("STATUS=running: ")
    jobs = subprocess.run(["ps", "--ppid", str(run.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    assert jobs
    for job in jobs:
        with open(f"/proc/{job}/environ", "rb") as file:
            environment = file.read()
        assert b"NOTIFY_SOCKET" not in environment and b"WATCHDOG" not in environment, environment
    for _ in range(10):
        wait_for("WATCHDOG=1")
    # each 200 ms: half of what is allowed; a busy machine may be late
    assert (beats[-1] - beats[-11]) / 10 < 1, beats
    run.send_signal(signal.SIGHUP)
    wait_for("RELOADING=1")
    usec = int(wait_for("MONOTONIC_USEC=").split("=")[1])
    assert 0 <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6 - usec < 20e6, usec
    wait_for("READY=1")
    run.send_signal(signal.SIGTERM)
    wait_for("STOPPING=1")
    assert run.wait(20) == 0, run.returncode
finally:
    run.kill()
