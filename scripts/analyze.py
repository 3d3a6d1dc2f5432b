#!/usr/bin/env python3
"""analyze.py BUILD FILE…: gcc -fanalyzer over each file, with the options that BUILD/compile_commands.json compiles it with
(a file elsewhere: those of the tree; one of src/ and plugins/ that is not built on this machine is left out, and said).
Any finding is refused."""
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# Not optimised: the analyzer's paths are then those of the source. What gcc 12 finds by these here is
# mostly false: it does not know that enrg_error_set returns a failure, nor what functions of other files set.
WRONG = ["malloc-leak", "null-argument", "null-dereference", "shift-count-overflow", "use-of-uninitialized-value"]
ANALYZE = ["-fanalyzer", "-Werror", "-O0", "-c", "-o", "/dev/null"] + ["-Wno-analyzer-" + name for name in WRONG]
TREE = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Iinclude", "-Isrc"]


def commands_of(build):
    found = {}
    with open(os.path.join(build, "compile_commands.json")) as file:
        for entry in json.load(file):
            found.setdefault(os.path.realpath(entry["file"]), entry)
    return found


def analyze(entry, name):
    if entry is None:
        command, folder = TREE + [name], os.getcwd()
    else:
        command, folder = shlex.split(entry["command"]), entry["directory"]
        if command[0].endswith("ccache"):
            command = command[1:]
        at = command.index("-o")
        del command[at : at + 2]
        command = [word for word in command if not word.startswith(("-O", "-W", "-fsanitize", "-fno-sanitize"))]
    done = subprocess.run(command + ANALYZE, cwd=folder, capture_output=True, text=True)
    return done.stderr if done.returncode or "-Wanalyzer" in done.stderr else ""


def is_left_out(commands, name):
    """A source that CMake did not take, such as one whose library is missing."""
    ours = any(name.startswith(os.path.join(os.getcwd(), room, "")) for room in ("src", "plugins"))
    return ours and name not in commands


def main():
    commands = commands_of(sys.argv[1])
    names = [os.path.realpath(name) for name in sys.argv[2:]]
    for name in names:
        if is_left_out(commands, name):
            print(f"lint: analyzer: {os.path.relpath(name)} is not built here and was not looked at", file=sys.stderr)
    names = [name for name in names if not is_left_out(commands, name)]
    with ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
        said = list(pool.map(lambda name: analyze(commands.get(name), name), names))
    for text in said:
        sys.stderr.write(text)
    return 1 if any(said) else 0


sys.exit(main())
