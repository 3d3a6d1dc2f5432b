"""A stand-in for a Redis server with the TimeSeries module, which Debian has not: it
answers what the store asks, checks the syntax of TS.CREATE and TS.MADD as the module documents it, refuses a second
sample of a time where the policy says BLOCK, and writes each command that was carried out as a line of JSON.

    timeseries_stand_in.py PORT FILE
"""
import json
import math
import socket
import sys
import threading

series, policies, marks = {}, {}, {}


def read_command(stream):
    head = stream.readline()
    if not head:
        return None
    command = []
    for _ in range(int(head[1:])):
        count = int(stream.readline()[1:])
        command.append(stream.read(count).decode())
        stream.read(2)
    return command


def encode(value):
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(encode(item) for item in value)
    if value[0] in "+-":
        return value.encode() + b"\r\n"
    return b"$%d\r\n%s\r\n" % (len(value.encode()), value.encode())


def create(arguments):
    key, rest = arguments[0], arguments[1:]
    if key in series:
        return "-TSDB: key already exists"
    while rest:
        word = rest.pop(0)
        if word == "RETENTION":
            int(rest.pop(0))
        elif word == "DUPLICATE_POLICY":
            policies[key] = rest.pop(0)
            assert policies[key] in ("BLOCK", "FIRST", "LAST", "MIN", "MAX", "SUM")
        elif word == "LABELS":
            assert rest and len(rest) % 2 == 0 and all(rest)
            rest = []
        else:
            return "-ERR TSDB: wrong argument " + word
    series[key] = {}
    return "+OK"


def add(arguments):
    if not arguments or len(arguments) % 3:
        return "-ERR wrong number of arguments for 'TS.MADD' command"
    answers = []
    for key, time, value in zip(arguments[::3], arguments[1::3], arguments[2::3]):
        if key not in series:
            answers.append("-ERR TSDB: the key does not exist")
        elif not math.isfinite(float(value)) or int(time) < 0:
            answers.append("-ERR TSDB: invalid value")
        elif int(time) in series[key] and policies.get(key) == "BLOCK":
            answers.append("-ERR TSDB: Error at upsert, update is not supported when DUPLICATE_POLICY is set to BLOCK")
        else:
            series[key][int(time)] = float(value)
            answers.append(int(time))
    return answers


def answer(command):
    name, arguments = command[0].upper(), command[1:]
    if name in ("AUTH", "SELECT", "WATCH"):
        return "+OK"
    if name == "COMMAND":
        return [["ts.madd", -4]]
    if name == "TYPE":
        return "+TSDB-TYPE" if arguments[0] in series else "+none"
    if name == "HGET":
        return marks.get(tuple(arguments))
    if name == "HSET":
        marks[tuple(arguments[:2])] = arguments[2]
        return 1
    if name == "TS.CREATE":
        return create(arguments)
    if name == "TS.MADD":
        return add(arguments)
    if name == "TS.ALTER":
        policies[arguments[0]] = arguments[2]
        return "+OK"
    if name == "TS.INFO":
        policy = policies.get(arguments[0])
        return ["totalSamples", len(series[arguments[0]]), "duplicatePolicy", policy and "+" + policy.lower()]
    return "-ERR unknown command '" + name + "'"


def serve(connection, log):
    stream = connection.makefile("rb")
    queue = None
    while (command := read_command(stream)) is not None:
        name = command[0].upper()
        if name == "MULTI":
            queue, reply = [], "+OK"
        elif name == "EXEC":
            reply = [answer(queued) for queued in queue]
            for queued in queue:
                log.write(json.dumps(queued) + "\n")
            queue = None
        elif queue is not None:
            queue.append(command)
            reply = "+QUEUED"
        else:
            reply = answer(command)
            log.write(json.dumps(command) + "\n")
        log.flush()
        connection.sendall(encode(reply))


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
with open(sys.argv[2], "w") as log:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], log), daemon=True).start()
