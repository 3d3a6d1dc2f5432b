#!/usr/bin/env python3
"""Old dumps (.npy.lz4) that NumPy itself writes, through `enrgdaq convert` and `cat` into every format: values are
compared with those in NumPy. Also dumps that are cut, damaged or hostile.

    check_numpy.py ENRGDAQ READ_ROOT.MJS [hdf5] [root]      (Debian: python3-numpy python3-lz4 python3-h5py)
"""
import base64
import json
import os
import subprocess
import sys
import tempfile

import lz4.frame
import numpy as np
import io

PROGRAM, READ_ROOT, *FORMATS = sys.argv[1:]
FOLDER = tempfile.mkdtemp(prefix="enrgdaq-numpy-test-")


def pack(content):
    stream = io.BytesIO()
    np.save(stream, content)
    frame = lz4.frame.compress(stream.getvalue(), content_checksum=True)
    return len(frame).to_bytes(4, "little") + frame


def write(name, *contents):
    with open(name, "wb") as file:
        for content in contents:
            file.write(content if isinstance(content, bytes) else pack(content))


def call(*arguments, code=0, part=""):
    environment = dict(os.environ)
    # With all modules loaded, the leak sanitizer itself may die of their thread-local memory. `cat` loads none.
    if arguments[0] == "convert":
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment)
    text = result.stdout + result.stderr
    assert result.returncode == code and part in text, f"{arguments}: code {result.returncode}, {text[:2000]}"
    return result.stdout


def make(rows, seed):
    """A dictionary with an array of every type, in every byte order and order of dimensions."""
    random = np.random.default_rng(seed)
    made = {}
    for kind in "iu":
        for width in (1, 2, 4, 8):
            limits = np.iinfo(f"{kind}{width}")
            for order in "<>":
                values = random.integers(limits.min, limits.max, rows, dtype=f"{kind}{width}", endpoint=True)
                values[:2] = limits.min, limits.max
                made[f"{kind}{width}{'le' if order == '<' else 'be'}"] = values.astype(f"{order}{kind}{width}")
    for width in (4, 8):
        values = random.standard_normal(rows).astype(f"f{width}")
        values[:4] = np.nan, np.inf, -np.inf, -0.0
        made[f"f{width}"] = values
        made[f"f{width}be"] = values.astype(f">f{width}")
    made["bool"] = random.integers(0, 2, rows).astype(bool)
    made["text"] = np.array(["", "a,b", 'say "µ"', "𝄞" * (seed + 1)] * rows)[:rows]
    made["bytes"] = np.array([b"", b"ab", b"\xff\x00\x01"] * rows)[:rows]
    made["list"] = random.integers(-500, 500, (rows, 5 + seed)).astype("i2")
    made["fortran"] = np.asfortranarray(random.standard_normal((rows, 3)))
    made["list_be"] = random.standard_normal((rows, 4)).astype(">f4")
    made["strided"] = np.arange(3 * rows, dtype="i4")[::3]
    made["nothing"] = np.zeros((rows, 0), dtype="u4")
    return made


def rows_of(records, name):
    return [value for record in records for value in record[name]]


def as_json(value):
    if isinstance(value, np.ndarray):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, np.floating):
        return float(str(value)) if np.isfinite(value) else None
    return value.item()


def as_csv(value):
    if isinstance(value, np.ndarray):
        return '"[' + " ".join(as_csv(item) for item in value) + ']"'
    if isinstance(value, bytes):
        return base64.b64encode(value).decode() or '""'
    if isinstance(value, np.str_):
        quoted = value.replace('"', '""')
        return f'"{quoted}"' if not value or set(value) & set(',"\n') else str(value)
    if isinstance(value, np.bool_):
        return "true" if value else "false"
    return str(value)


def check_text(records):
    names = list(records[0])
    want = [",".join(names)]
    for record in records:
        for row in zip(*record.values()):
            want.append(",".join(as_csv(value) for value in row))
    call("convert", "all.npy.lz4", "all.csv")
    found = open("all.csv", encoding="utf-8").read().split("\n")
    assert found.pop() == "" and len(found) == len(want)
    for found_line, want_line in zip(found, want):
        assert found_line == want_line, f"{found_line}\n{want_line}"
    call("convert", "all.npy.lz4", "all.csv.zst")
    assert subprocess.check_output(["zstdcat", "all.csv.zst"]) == open("all.csv", "rb").read()


def check_json(path, records):
    rows = [json.loads(line) for line in call("cat", "--json", path).splitlines()]
    for name in records[0]:
        assert [row[name] for row in rows] == [as_json(value) for value in rows_of(records, name)], (path, name)


def check_arrow(records):
    for path in ("all.arrows", "all.arrow"):
        call("convert", "all.npy.lz4", path)
        check_json(path, records)
    call("verify", "all.arrows", part="whole: 2 batches, 27 rows")
    call("convert", "all.npy.lz4", "some.arrows", "--columns", "list,text")
    assert call("cat", "--schema", "some.arrows") == "name,type,unit\nlist,list of int16,\ntext,string,\n"


def same(found, want, what):
    assert np.array_equal(np.asarray(found), np.asarray(want), equal_nan=np.asarray(want).dtype.kind == "f"), what


def check_hdf5(records):
    import h5py

    call("convert", "all.npy.lz4", "all.h5")
    with h5py.File("all.h5") as file:
        for name, first in records[0].items():
            want = rows_of(records, name)
            if first.ndim == 1 and first.dtype.kind not in "US":
                found = file[f"data/{name}"][:]
                assert found.dtype.kind in (first.dtype.kind, "u", "i") and found.itemsize == first.itemsize
                same(found, np.array(want).astype(found.dtype), name)
                continue
            values, ends = file[f"data/{name}/values"][:], file[f"data/{name}/offsets"][:]
            for row, value in enumerate(want):
                found = values[ends[row - 1] if row else 0:ends[row]]
                if first.dtype.kind in "US":
                    value = value.encode() if first.dtype.kind == "U" else value
                    assert found.tobytes() == value, name
                else:
                    same(found, value, name)


def root_cell(value):
    if isinstance(value, np.ndarray):
        return " ".join(["l", *(root_cell(item)[2:] for item in value)])
    if isinstance(value, bytes):
        return " ".join(["l", *(str(byte) for byte in value)])
    if isinstance(value, np.str_):
        return f"s {value.encode().hex()}".strip()
    if isinstance(value, np.bool_):
        return f"b {int(value)}"
    if isinstance(value, np.floating):
        return f"f {np.array(value, dtype='>f8').tobytes().hex()}"
    return f"i {value}"


def check_root(records):
    for kind in ("ttree", "rntuple"):
        path = f"{kind}.root"
        call("convert", "all.npy.lz4", path, "--format", f"root-{kind}", "--tree", "dump")
        lines = subprocess.check_output(["node", READ_ROOT, path], text=True).split("\n")
        _, tree, _, rows, count = lines[0].split(" ")
        rows, count = int(rows), int(count)
        assert tree == "dump" and rows == 27, lines[0]
        names = lines[1:1 + count]
        for name in records[0]:
            # jsroot makes doubles of a tree's 64-bit integers, and has its own NaN.
            if kind == "ttree" and name[1:2] == "8":
                continue
            for row, value in enumerate(rows_of(records, name)):
                if isinstance(value, np.floating) and np.isnan(value):
                    continue
                cell = lines[1 + count + row * count + names.index(name)].strip()
                assert cell == root_cell(value), f"{path}: {name}[{row}]: {cell}, {root_cell(value)}"


def check_refusals(records):
    good = {"a": np.arange(3)}
    for name, content, part in (
        ("dates", {"t": np.array(["2026-01-01"], dtype="M8[us]")}, 'the array "t" has the type M8 of another unit'),
        ("half", {"h": np.zeros(3, "f2")}, 'the array "h" has the type f2'),
        ("complex", {"c": np.zeros(3, "c16")}, 'the array "c" has the type c16'),
        ("objects", {"o": np.array([1, "x"], dtype=object)}, 'the array "o" has the type O8'),
        ("cube", {"c": np.zeros((2, 2, 2))}, 'the array "c" has neither one dimension nor two'),
        ("bools", {"b": np.zeros((2, 2), bool)}, 'the array "b" has two dimensions'),
        ("scalar", {"a": np.arange(3), "run": 7}, 'the array "run" is no array'),
        ("lengths", {"a": np.arange(3), "b": np.arange(4)}, 'the array "b" has another number of rows'),
        ("keys", {1: np.arange(3)}, "a key of the dictionary is no text"),
        ("empty", {}, "the dictionary has 0 arrays"),
        ("wide", {f"c{i}": np.arange(1) for i in range(4097)}, "the dictionary has 4097 arrays"),
        # One array of a megabyte under thousands of names would be gigabytes of columns.
        ("bomb", dict.fromkeys(map(str, range(4000)), np.zeros(1 << 20, "u1")), "takes much more memory"),
    ):
        write(f"{name}.npy.lz4", content)
        code = 1 if name == "bomb" else 2
        call("convert", f"{name}.npy.lz4", "bad.csv", code=code, part=part)
        call("cat", f"{name}.npy.lz4", code=code, part=part)
    write("other.npy.lz4", good, {"a": np.arange(3.0)})
    call("convert", "other.npy.lz4", "bad.csv", code=1, part="the record has other arrays than the first")
    write("plain.npy.lz4", np.arange(3))
    call("convert", "plain.npy.lz4", "bad.csv", code=1, part="one NumPy array and not a dictionary")
    write("zip.npy.lz4", len(frame := lz4.frame.compress(bytes(600 << 20))).to_bytes(4, "little") + frame)
    call("convert", "zip.npy.lz4", "bad.csv", code=2, part="holds more than 512 MB")
    write("text.npy.lz4", b"hello, this is no dump at all")
    call("convert", "text.npy.lz4", "bad.csv", code=1, part="the file ends inside a record")
    write("frame.npy.lz4", frame)
    call("convert", "frame.npy.lz4", "bad.csv", code=1, part="without its length in front")
    write("nothing.npy.lz4")
    call("convert", "nothing.npy.lz4", "bad.csv", code=2, part="the file is empty")
    write("quit.npy.lz4", {"a": quit.__class__})
    call("convert", "quit.npy.lz4", "bad.csv", code=1, part="nothing was executed")
    write("by_content", good)
    assert call("cat", "by_content") == "a\n0\n1\n2\n"
    write("names.npy.lz4", {"n": np.arange(1), 'a, "b"': np.arange(1) + 1, "x,y": np.arange(1) + 2})
    assert call("cat", "names.npy.lz4", "--columns", '"x,y","a, ""b""",n') == '"x,y","a, ""b""",n\n2,1,0\n'
    for wrong in ('x,y', '"x,y', '"x,y"n', '"x,y",', '""'):
        call("cat", "names.npy.lz4", "--columns", wrong, code=2, part="there is no column")
    write("no_rows.npy.lz4", {"a": np.zeros(0), "b": np.zeros((0, 2), "i2")})
    assert call("cat", "no_rows.npy.lz4") == "a,b\n"


def check_cuts():
    """Cut at any byte: the whole records before it with --salvage, nothing without."""
    records = [pack({"a": np.arange(3) + 3 * i}) for i in range(3)]
    whole = b"".join(records)
    ends = [len(b"".join(records[:i])) for i in range(4)]
    for size in sorted({*range(ends[1], len(whole), 29), *ends[1:], *(end + 1 for end in ends[:3])}):
        write("cut.npy.lz4", whole[:size])
        kept = sum(end <= size for end in ends[1:])
        if size in ends[1:]:
            call("convert", "cut.npy.lz4", "cut.csv")
        else:
            call("convert", "cut.npy.lz4", "bad.csv", code=1, part=f"at byte {ends[kept]}: ")
            call("convert", "cut.npy.lz4", "cut.csv", "--salvage", code=1,
                part=f"cut.csv has the {3 * kept} rows before the damage" if kept else "")
        if kept:
            assert open("cut.csv").read() == "a\n" + "".join(f"{i}\n" for i in range(3 * kept)), size
            os.unlink("cut.csv")
        assert not os.path.exists("cut.csv")
    flipped = bytearray(whole)
    flipped[ends[1] + 200] ^= 1
    write("flipped.npy.lz4", bytes(flipped))
    call("convert", "flipped.npy.lz4", "bad.csv", code=1, part=f"flipped.npy.lz4: at byte {ends[1]}: the LZ4 frame")


os.chdir(FOLDER)
try:
    RECORDS = [make(20, 0), make(7, 1)]
    write("all.npy.lz4", *RECORDS)
    check_text(RECORDS)
    check_json("all.npy.lz4", RECORDS)
    check_arrow(RECORDS)
    if "hdf5" in FORMATS:
        check_hdf5(RECORDS)
    if "root" in FORMATS:
        check_root(RECORDS)
    check_refusals(RECORDS)
    check_cuts()
    left = [name for name in os.listdir(".") if name.startswith((".enrgdaq", "bad."))]
    assert not left, left
    print("every type through csv, arrow", *FORMATS, sep=", ")
finally:
    subprocess.run(["rm", "-r", FOLDER], check=True)
