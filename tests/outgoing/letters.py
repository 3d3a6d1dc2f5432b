#!/usr/bin/env python3
"""What became of alerts: letters.py slack|webhook FILE NAMES... FILE: lines of receiver.py. Each alert of these names
stands in a letter that was answered with ok (late, or cut behind its status) or taken without an answer, and in no two of them unless the later one says
that it may be a repetition. Prints what is wrong, and ends with 1 then."""
import json
import sys

kind, path, names = sys.argv[1], sys.argv[2], sys.argv[3:]
taken = {}
for line in open(path):
    request = json.loads(line)
    if request["mode"] not in ("ok", "early", "late", "taken"):
        continue
    body = json.loads(request["body"])
    text = body["attachments"][0]["text"] if kind == "slack" else body["data"]["message"]
    name = text.split()[0]
    taken.setdefault(name, []).append("may be a repetition" in text)
wrong = [f"{name} never came" for name in names if name not in taken]
wrong += [f"{name} came {len(marks)} times: {marks}" for name, marks in taken.items() if not all(marks[1:])]
print("\n".join(wrong))
sys.exit(bool(wrong))
