"""live.py CASE: the WebSocket of events and scope frames in a whole system, by the websockets of Debian's Python, which knows
nothing of ours. Frames are taken apart by docs/live-protocol.md. In the environment: PORT and FOLDER of enrgdaq-web, RUN (process
of the supervisor)."""
import array, asyncio, json, os, signal, struct, subprocess, sys, time, urllib.error, urllib.request

import websockets

HEADER = struct.Struct("<4sHHIIIIQQQQQddIIIIIHHQQQQddHHHHQ")
NAMES = ("magic version kind first length feed flags sequence event run_number wall_ns made_ns x0 step points rows first_sample "
         "samples record channels type shown skipped shown_ever skipped_ever low high source_bytes run_bytes tag_bytes "
         "unit_bytes zero").split()
CHANNEL = struct.Struct("<IIddd")
ARRAYS = {1: "h", 2: "f", 3: "H"}
LONG = 60  # seconds that anything may take on a busy machine


def fail(text):
    raise SystemExit("FAILED: " + text)


def check(is_so, text):
    if not is_so:
        fail(text)


class Frame:
    def __init__(self, data):
        self.data = data
        self.__dict__.update(zip(NAMES, HEADER.unpack_from(data)))
        check(self.magic == b"ENLF" and self.version == 1, "magic or version")
        check(self.length == len(data) and self.first % 8 == 0, "lengths")
        self.heads = [CHANNEL.unpack_from(data, HEADER.size + i * CHANNEL.size) for i in range(self.channels)]
        at = HEADER.size + self.channels * CHANNEL.size
        for name in ("source", "run", "tag", "unit"):
            end = at + getattr(self, name + "_bytes")
            setattr(self, name, data[at:end].decode())
            at = end
        check(self.first - 8 < at <= self.first, "texts end at %d, arrays begin at %d" % (at, self.first))
        count = self.points * {1: 1, 2: 2, 3: self.rows, 4: 1}[self.kind]
        item = array.array(ARRAYS[self.type]).itemsize
        each = (count * item + 7) & ~7
        at = self.first
        self.times = None
        if self.kind == 4:
            self.times = array.array("d", data[at:at + 8 * self.points])
            at += 8 * self.points
        check(at + each * self.channels == len(data), "arrays")
        self.values = [array.array(ARRAYS[self.type], data[at + i * each:at + i * each + count * item])
                       for i in range(self.channels)]


class Web:
    """enrgdaq-web of the running system."""

    def __init__(self):
        self.port = int(os.environ["PORT"])
        with open(os.path.join(os.environ["FOLDER"], "first.token")) as file:
            self.token = file.read().split()[-1]

    def rest(self, path, body=None):
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), method="POST" if body is not None else "GET",
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def client(self, token=None, **options):
        return websockets.connect("ws://127.0.0.1:%d/t/%s/api/v1/live" % (self.port, token or self.token), max_size=None,
                                  subprotocols=["enrgdaq-live.1"], **options)


async def text_of(socket, kind, where=lambda message: True):
    """The next text message of that type; what comes before it is passed over."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        message = await asyncio.wait_for(socket.recv(), LONG)
        if isinstance(message, str):
            message = json.loads(message)
            if message["type"] == kind and where(message):
                return message
    fail("no message %s" % kind)


async def frame_of(socket, span=LONG):
    """The next frame; None: none came in that time."""
    end = time.monotonic() + span
    while time.monotonic() < end:
        try:
            message = await asyncio.wait_for(socket.recv(), end - time.monotonic())
        except asyncio.TimeoutError:
            return None
        if isinstance(message, bytes):
            return Frame(message)
    return None


async def say(socket, **message):
    await socket.send(json.dumps(message))


async def begin(socket, **scope):
    await say(socket, do="scope", **{"id": 0, "source": "tank", "credit": 2, "frames_per_second": 60, **scope})
    return (await text_of(socket, "ok", lambda message: message["do"] == "scope"))["feed"]


async def case_frames(web):
    """60 frames a second where the machine makes them: each whole, in order, of the run, and the source's."""
    async with web.client() as socket:
        check(socket.subprotocol == "enrgdaq-live.1", "sub-protocol")
        hello = await text_of(socket, "hello")
        check(hello["protocol"] == 1 and hello["role"] == "admin", "hello: %s" % hello)
        feed = await begin(socket, points=800)
        frames, began = [], time.monotonic()
        while len(frames) < 60:
            frame = await frame_of(socket)
            check(frame, "no frame")
            frames.append(frame)
            await say(socket, do="credit", id=0)
        seconds = time.monotonic() - began
        run = web.rest("/api/v1/status")[1]["system"]["run"]
        for one, next_one in zip(frames, frames[1:]):
            check(next_one.sequence > one.sequence and next_one.event > one.event, "order")
            check(next_one.shown_ever == one.shown_ever + next_one.shown + next_one.sequence - one.sequence - 1, "sums")
        for frame in frames:
            check((frame.kind, frame.type, frame.feed, frame.source, frame.run, frame.unit) == (2, 1, feed, "tank", run, "mV"),
                  "head: %s" % vars(frame))
            check(frame.record == 4096 and frame.points == 800 and abs(frame.step - 2 * 4096 / 800) < 1e-9, "axis")
            check([head[0] for head in frame.heads] == list(range(8)), "channels")
            for values, head in zip(frame.values, frame.heads):
                check(all(low <= high for low, high in zip(values[::2], values[1::2])), "pairs")
                check(0 <= min(values) and max(values) < 16384 and abs(sum(values[1:200:2]) / 100 - head[4]) < 50, "values")
        print("%.1f frames/s" % (len(frames) / seconds))
        # zoomed in: samples as they are; a level that no pulse reaches; a map; a strip of another table
        await begin(socket, **{"from": 1000, "count": 100, "channels": [3]})
        frame = await frame_of(socket)
        while frame.feed == feed:
            frame = await frame_of(socket)
        check(frame.kind == 1 and frame.points == 100 and frame.x0 == 2000 and frame.heads[0][0] == 3, "zoom")
        await begin(socket, trigger={"mode": "normal", "level": -1, "slope": "falling"})
        check(await frame_of(socket, 0.3) is None, "a level below all counts triggers")
        await begin(socket, trigger={"mode": "normal", "level": -40, "relative": True, "slope": "falling", "channel": 2})
        frame = await frame_of(socket)
        check(frame and frame.heads[2][1] & 1 and frame.x0 < 0, "no pulse triggers")
        # one event that stays, seen twice
        await begin(socket, points=100, trigger={"mode": "single", "level": -40, "relative": True, "slope": "falling"})
        frame = await frame_of(socket)
        check(frame.flags & 8 and frame.kind == 2, "single")
        check(await frame_of(socket, 0.3) is None, "a single trigger shows more than one")
        await say(socket, do="zoom", id=0, **{"from": 2000, "count": 50})
        zoomed = await frame_of(socket)
        check(zoomed.event == frame.event and zoomed.kind == 1 and zoomed.points == 50 and zoomed.first_sample == 2000, "zoom")
        await say(socket, do="arm", id=0)
        await say(socket, do="credit", id=0)
        check((await frame_of(socket)).event > frame.event, "arm")
        await begin(socket, view="density", points=256, rows=64, channels=[0, 1])
        frame = await frame_of(socket)
        check(frame.kind == 3 and frame.type == 3 and sum(frame.values[1]) >= 0.9 * 4096 * frame.shown, "map")
        await begin(socket, view="strip", columns=["acq_events", "queue_depth"])
        frame = await frame_of(socket)
        check(frame.kind == 4 and len(frame.times) == frame.points and frame.values[0][0] > 0, "strip")


async def case_rows(web):
    """The other layout: a row a sample."""
    async with web.client() as socket:
        await begin(socket, source="rows", points=2048)
        for _ in range(3):
            frame = await frame_of(socket)
            check(frame and frame.kind == 1 and frame.channels == 4 and frame.points == 300, "rows: %s" % vars(frame))
            check(frame.flags & 16 == 0 or frame.step == 1, "step")
            check(frame.unit == "mV" and max(map(abs, frame.values[0])) < 2000, "values")
            await say(socket, do="credit", id=0)
        code, preview = web.rest("/api/v1/sources/rows/latest?rows=2")
        check(code == 200 and len(preview["tables"][0]["rows"]) == 2, "preview: %s" % preview)
        check([column["name"] for column in preview["tables"][0]["columns"]][3] == "sample_index", "columns")
        check(web.rest("/api/v1/sources/none/latest")[0] == 404, "a source that is not there")
        code, sources = web.rest("/api/v1/sources")
        check({source["name"] for source in sources["sources"]} == {"tank", "rows"}, "sources: %s" % sources)


async def case_credits(web):
    """Who gives no credit gets what he had credit for, then nothing, then the newest; who takes nothing disturbs nobody."""
    stuck = await web.client(max_queue=1)
    async with web.client() as socket, web.client() as other:
        feed = await begin(socket, credit=2, points=2000)
        check(await begin(other, id=3, credit=8, points=2000) == feed, "the same request is another feed")
        await begin(stuck, id=1, credit=8, points=2001)  # and is not read any more
        await say(stuck, do="listen", kinds=["all", "log", "status"], since=0)
        first, second = await frame_of(socket), await frame_of(socket)
        check(second.sequence > first.sequence, "order")
        check(await frame_of(socket, 0.5) is None, "a frame without credit")
        seen, sequence = {first.sequence: first.data, second.sequence: second.data}, 0
        is_shared = False
        for _ in range(30):
            frame = await frame_of(other)
            check(frame, "a client that takes nothing holds others back")
            is_shared |= seen.get(frame.sequence) == frame.data
            check(seen.get(frame.sequence, frame.data) == frame.data, "one frame, two contents")
            sequence = max(sequence, frame.sequence)
            await say(other, do="credit", id=3)
        check(is_shared, "two clients have no frame in common")
        await say(socket, do="credit", id=0)
        frame = await frame_of(socket)
        check(frame.sequence > second.sequence + 1 and frame.sequence >= sequence - 8, "an old frame came first: %d" % frame.sequence)
        check(frame.shown_ever - second.shown_ever > 1, "what was skipped is not counted")
    stuck.transport.abort()


async def case_kill(web):
    """The source is killed: it is said, and frames go on when it is back."""
    async with web.client() as socket:
        await say(socket, do="listen", kinds=["job", "run", "alarm", "alert", "status"], since=0)
        await begin(socket, points=100)
        before = await frame_of(socket)
        jobs = subprocess.run(["ps", "--ppid", os.environ["RUN"], "-o", "pid=,args="], capture_output=True, text=True).stdout
        os.kill(next(int(line.split()[0]) for line in jobs.splitlines() if line.split()[-1] == "tank"), signal.SIGKILL)
        names, after, is_told = set(), None, False
        end = time.monotonic() + LONG
        while time.monotonic() < end and not (is_told and after and after.sequence > before.sequence + 5):
            message = await asyncio.wait_for(socket.recv(), LONG)
            if isinstance(message, bytes):
                after = Frame(message)
                await say(socket, do="credit", id=0)
                continue
            message = json.loads(message)
            if message["type"] == "event":
                names.add(message["event"])
                is_told |= message["event"] == "alert" and message["job"] == "tank"
                is_told |= message["event"] == "job" and message["job"] == "tank" and message["restarts"] > 0
        check(is_told, "nobody said that it was killed: %s" % names)
        check(after and after.event > before.event, "no frames after the kill")


async def case_hostile(web):
    """Bad messages are answered with their field; who sends too many is hung up on; others notice nothing."""
    async with web.client() as socket, web.client() as other:
        for text, field in (("{", ""), ("[]", ""), ('{"do":"listen","kinds":"all"}', "kinds"), ('{"do":"x"}', "do"),
                            ('{"do":"scope","id":0,"source":"tank","points":1e9}', "points"),
                            ('{"do":"scope","id":0,"source":"tank","trigger":{"lvel":1}}', "trigger.lvel"),
                            ('{"do":"ping","ref":"' + "x" * 5000 + '"}', "")):
            await socket.send(text)
            error = await text_of(socket, "error")
            check(error["field"] == field, "%s: %s" % (text[:60], error))
        await socket.send(b"\0" * 100)
        await text_of(socket, "error")
        await begin(other)
        try:
            for _ in range(4000):
                await socket.send("rubbish")
            while True:
                await asyncio.wait_for(socket.recv(), LONG)
        except websockets.ConnectionClosed as closed:
            check(closed.code in (1006, 1008, 1013), "closed with %s" % closed.code)  # 1006: what it had not read was thrown away
        check(await frame_of(other), "another client gets nothing any more")
        try:
            async with websockets.connect("ws://127.0.0.1:%d/api/v1/live" % web.port):
                fail("without a token")
        except websockets.InvalidStatusCode as refused:
            check(refused.status_code in (401, 403), "refused with %s" % refused.status_code)


async def case_revoked(web):
    """A token that is revoked closes its sockets."""
    code, made = web.rest("/api/v1/tokens", {"name": "shift", "role": "visitor"})
    check(code in (200, 201), "token: %s" % made)
    async with web.client(made["token"]) as socket:
        check((await text_of(socket, "hello"))["role"] == "visitor", "role")
        await say(socket, do="ping")
        await text_of(socket, "ok")
        code, answer = web.rest("/api/v1/tokens/shift/remove", {})
        check(code == 200, "revoke: %s" % answer)
        try:
            while True:
                await asyncio.wait_for(socket.recv(), LONG)
        except websockets.ConnectionClosed as closed:
            check(closed.code == 1008, "closed with %s" % closed.code)


async def case_killed_server(web):
    """The server is killed: who comes back with the number of his last event is told that numbers began anew."""
    socket = await web.client()
    hello = await text_of(socket, "hello")
    jobs = subprocess.run(["ps", "--ppid", os.environ["RUN"], "-o", "pid=,args="], capture_output=True, text=True).stdout
    os.kill(next(int(line.split()[0]) for line in jobs.splitlines() if "enrgdaq-web" in line), signal.SIGKILL)
    try:
        while True:
            await asyncio.wait_for(socket.recv(), LONG)
    except websockets.ConnectionClosed:
        pass
    end = time.monotonic() + LONG
    while True:
        try:
            socket = await web.client()
            break
        except (OSError, websockets.InvalidHandshake):
            check(time.monotonic() < end, "it does not come back")
            await asyncio.sleep(0.05)
    again = await text_of(socket, "hello")
    check(again["instance"] != hello["instance"], "instance")
    await say(socket, do="listen", kinds=["all"], since=max(hello["last"], 1), instance=hello["instance"])
    check("anew" in (await text_of(socket, "gap"))["detail"], "gap")
    await begin(socket)
    check(await frame_of(socket), "no frame")
    await socket.close()


def main():
    for case in sys.argv[1:]:
        began = time.monotonic()
        asyncio.run(globals()["case_" + case](Web()))
        print("%s: %.1f s" % (case, time.monotonic() - began))


main()
