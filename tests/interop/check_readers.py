#!/usr/bin/env python3
"""Reads ENRGDAQ's files with the readers that physicists use, and compares every value (`make interop`).

    check_readers.py ENRGDAQ WRITE_STORES FOLDER

FOLDER is made anew for the files. Each reader runs in a process of its own: one that dies fails alone. Prints a table
of reader and format: ok, FAILED, or could not run with the reason. Exit code 1 where something failed.
"""
import base64
import csv
import datetime
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys

CODES = {"bool": "?", "int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I",
    "uint64": "Q", "float32": "f", "float64": "d", "timestamp_ns": "q"}
TIME_UNIT = "nanoseconds since 1970-01-01T00:00:00Z"
CUTS = 40  # between two commits
PACKAGES = {"ROOT": "root", "arro3.io": "arro3-io"}
READERS = ("python", "pyarrow", "polars", "nanoarrow", "arro3.io", "duckdb", "pandas", "h5py", "uproot", "ROOT")


# --- what is to be found: bytes in hex, for a value is right when its bytes are ---


class Truth:
    def __init__(self, path):
        lines = open(path, encoding="utf-8").read().split("\n")[:-1]
        heads = [line.split("\t")[1:] for line in lines if line.startswith("column\t")]
        cells = lines[len(heads):]
        self.types = {name: (kind, item) for name, kind, item in heads}
        self.columns = {name: cells[i::len(heads)] for i, (name, _, _) in enumerate(heads)}
        self.rows = len(cells) // len(heads)


def pack(kind, value):
    return struct.pack("<" + CODES[kind], value).hex()


def compare(found, truth, rows=None):
    """`found`: cells in hex by name. With `rows` at least so many must be there."""
    assert list(found) == list(truth.columns), f"columns {list(found)}"
    for name, want in truth.columns.items():
        if rows is None:
            assert len(found[name]) == truth.rows, f"{name}: {len(found[name])} rows of {truth.rows}"
        else:
            assert len(found[name]) >= rows, f"{name}: {len(found[name])} rows, {rows} were committed"
        for row, (one, other) in enumerate(zip(found[name], want)):
            assert one == other, f"{name}, row {row}: {one}, expected {other}"


def name_for_root(name):
    return "".join(letter if letter.isalnum() else "_" for letter in name)


# --- CSV, with Python's own module ---


def ns_of_text(text):
    """2026-11-28T00:12:34.123456789Z"""
    whole, part = text.removesuffix("Z").split(".")
    assert text.endswith("Z") and len(part) == 9, text
    moment = datetime.datetime.fromisoformat(whole + "+00:00") - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (moment.days * 86400 + moment.seconds) * 10**9 + int(part)


def cell_of_text(text, kind, item):
    if kind == "string":
        return text.encode("utf-8", "surrogateescape").hex()
    if kind == "binary":
        return base64.b64decode(text).hex()
    if kind == "list":
        return "".join(cell_of_text(part, item, None) for part in text[1:-1].split())
    if kind == "bool":
        return {"true": "01", "false": "00"}[text]
    if kind == "timestamp_ns":
        return pack(kind, ns_of_text(text))
    return pack(kind, float(text) if kind.startswith("float") else int(text))


def read_csv_text(text, types):
    rows = csv.reader(io.StringIO(text, newline=""))
    names = next(rows)
    found = {name: [] for name in names}
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            found[name].append(cell_of_text(cell, *types[name]))
    return found


def read_csv(path, truth):
    return read_csv_text(open(path, encoding="utf-8", errors="surrogateescape", newline="").read(), truth.types)


# --- pyarrow ---


def cells_of_arrow(table):
    import pyarrow

    found = {}
    for name, column in zip(table.column_names, table.columns):
        kind = re.sub(r"\bfloat\b", "float32", str(column.type)).replace("double", "float64").removeprefix("large_")
        if kind == "string":
            column, kind = column.cast(pyarrow.binary()), "binary"
        if kind.startswith("timestamp"):
            assert column.type.tz == "UTC" or column.type.unit == "us", column.type
            column, kind = column.cast(pyarrow.timestamp("ns", "UTC")).cast(pyarrow.int64()), "int64"
        values = column.to_pylist()
        assert column.null_count == 0
        if kind == "binary":
            found[name] = [value.hex() for value in values]
        elif kind.startswith("list"):
            item = kind[kind.index(":") + 1:-1].removesuffix(" not null").strip()
            found[name] = ["".join(pack(item, one) for one in value) for value in values]
        else:
            found[name] = [pack(kind, value) for value in values]
    return found


def read_arrows(path, truth):
    import pyarrow.ipc

    with pyarrow.ipc.open_stream(path) as reader:
        return cells_of_arrow(reader.read_all())


def read_arrow_file(path, truth):
    import pyarrow
    import pyarrow.ipc

    with pyarrow.ipc.open_file(path) as reader:
        # By their places in the footer, from the last to the first.
        batches = [reader.get_batch(i) for i in reversed(range(reader.num_record_batches))]
        return cells_of_arrow(pyarrow.Table.from_batches(batches[::-1], reader.schema))


# --- readers that share no code with pyarrow's; it only looks into what they found ---


def read_arrows_polars(path, truth):
    import polars

    return cells_of_arrow(polars.read_ipc_stream(path).to_arrow())


def read_arrow_file_polars(path, truth):
    import polars

    return cells_of_arrow(polars.read_ipc(path).to_arrow())


def read_arrows_nanoarrow(path, truth):
    import nanoarrow
    import nanoarrow.ipc
    import pyarrow

    with nanoarrow.ipc.InputStream.from_path(path) as stream:
        return cells_of_arrow(pyarrow.table(nanoarrow.ArrayStream(stream)))


def read_arrows_rust(path, truth):
    import arro3.io
    import pyarrow

    return cells_of_arrow(pyarrow.table(arro3.io.read_ipc_stream(path)))


def read_arrow_file_rust(path, truth):
    import arro3.io
    import pyarrow

    return cells_of_arrow(pyarrow.table(arro3.io.read_ipc(path)))


def read_arrows_duckdb(path, truth):
    """What the CSV page's users do: SQL over the stream."""
    import duckdb
    import pyarrow.ipc

    with pyarrow.ipc.open_stream(path) as rows:
        # DuckDB's times have microseconds: what is asked for to the nanosecond is asked for as an integer.
        times = [name for name, (kind, _) in truth.types.items() if kind == "timestamp_ns"]
        wanted = rows.read_all()
    for name in times:
        at = wanted.schema.get_field_index(name)
        assert str(wanted.schema.types[at]) == "timestamp[ns, tz=UTC]", wanted.schema
        wanted = wanted.set_column(at, name, wanted[name].cast(pyarrow.int64()))
    return cells_of_arrow(duckdb.sql("select * from wanted").arrow().read_all())


# --- what the page of the CSV store says about NaN and NA ---


def check_csv_polars(path):
    import math

    import polars

    table = polars.read_csv(path, schema_overrides={"x": polars.Float64})
    assert table.schema == {"n": polars.Int64, "x": polars.Float64, "s": polars.String}, table.schema
    assert math.isnan(table["x"][1]) and table["x"][2] == math.inf and table["x"][3] is None, table["x"]
    assert table["s"].to_list() == ["NA", "x", "", "null"], table["s"]


def check_csv_pandas(path):
    import pandas

    table = pandas.read_csv(path, keep_default_na=False, na_values={"x": ["nan", ""]})
    assert str(table["x"].dtype) == "float64" and table["x"].isna().tolist() == [False, True, False, True], table["x"]
    assert table["s"].tolist() == ["NA", "x", "", "null"], table["s"]


def make_odd_csv(enrgdaq, folder):
    import math

    import pyarrow
    import pyarrow.ipc

    table = pyarrow.table({"n": [1, 2, 3, 4], "x": [1.5, math.nan, math.inf, None], "s": ["NA", "x", "", "null"]})
    with pyarrow.ipc.new_stream(f"{folder}/nan.arrows", table.schema) as writer:
        writer.write_table(table)
    subprocess.run([enrgdaq, "convert", f"{folder}/nan.arrows", f"{folder}/nan.csv"], check=True)


def read_csv_arrow(path, truth):
    import pyarrow
    import pyarrow.csv

    text = pyarrow.binary()
    special = {"string": text, "binary": text, "list": text, "bool": pyarrow.bool_(),
        "timestamp_ns": pyarrow.timestamp("ns", "UTC")}
    types = {name: special.get(kind) or getattr(pyarrow, kind)() for name, (kind, _) in truth.types.items()}
    table = pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, null_values=[], true_values=["true"],
            false_values=["false"]))
    found = cells_of_arrow(table)
    for name, (kind, item) in truth.types.items():
        if kind in ("binary", "list"):
            found[name] = [cell_of_text(bytes.fromhex(cell).decode(), kind, item) for cell in found[name]]
    return found


def cut_arrows(path, rows):
    import pyarrow
    import pyarrow.ipc

    batches = []
    with open(path, "rb") as stream:
        try:
            for batch in pyarrow.ipc.open_stream(stream):
                batches.append(batch)
        except (pyarrow.ArrowInvalid, OSError):
            pass
    return cells_of_arrow(pyarrow.Table.from_batches(batches))


# --- h5py ---


def read_hdf5(path, truth):
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        group = file["scan/run"] if "scan" in file else file["data"]
        for name, (kind, item) in truth.types.items():
            if kind not in ("string", "binary", "list"):
                values = group[name][:]
                assert values.dtype == {"bool": "u1", "timestamp_ns": "i8"}.get(kind, kind), f"{name}: {values.dtype}"
                if kind == "timestamp_ns":
                    assert group[name].attrs["unit"].decode() == TIME_UNIT, group[name].attrs["unit"]
                found[name] = [value.tobytes().hex() for value in values]
                continue
            values, ends = group[f"{name}/values"][:], [0, *group[f"{name}/offsets"][:].tolist()]
            assert values.dtype == (item if kind == "list" else "u1"), f"{name}: {values.dtype}"
            found[name] = [values[first:end].tobytes().hex() for first, end in zip(ends, ends[1:])]
    return found


# --- uproot ---


def read_uproot(path, truth):
    import numpy
    import uproot

    found = {}
    with uproot.open(path) as file:
        [key] = file.keys(cycle=False, filter_classname=lambda name: name != "TNamed")
        table = file[key]
        for name, (kind, item) in truth.types.items():
            array = table[name_for_root(name)].array()
            assert len(array) == table.num_entries
            if kind == "string":
                found[name] = [text.encode("utf-8", "surrogateescape").hex() for text in array.tolist()]
            elif kind in ("list", "binary"):
                found[name] = [numpy.asarray(one, dtype="u1" if kind == "binary" else item).tobytes().hex()
                    for one in array]
                assert {"binary": "uint8"}.get(kind, item) in str(array.type), f"{name}: {array.type}"
            else:
                values = numpy.asarray(array)
                assert values.dtype == {"timestamp_ns": "int64"}.get(kind, kind), f"{name}: {values.dtype}"
                found[name] = [value.tobytes().hex() for value in values]
    return found


# --- ROOT ---

HEX = """
#include <cstring>
#include <string>
#include <ROOT/RVec.hxx>
std::string enrgdaq_hex(const void *bytes, size_t count) {
	static const char digits[] = "0123456789abcdef";
	std::string text;
	for (size_t i = 0; i < count; i++) {
		unsigned char byte = ((const unsigned char *)bytes)[i];
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text;
}
template <typename T> std::string enrgdaq_cell(const T &value) { return enrgdaq_hex(&value, sizeof(value)); }
std::string enrgdaq_cell(const std::string &value) { return enrgdaq_hex(value.data(), value.size()); }
template <typename T> std::string enrgdaq_cell(const ROOT::RVec<T> &values) {
	return enrgdaq_hex(values.data(), values.size() * sizeof(T));
}
// The text of a tree: RDataFrame hands out room for the longest, with a NUL behind this one.
std::string enrgdaq_cell(const ROOT::RVec<char> &text) {
	return enrgdaq_hex(text.data(), strnlen(text.data(), text.size()));
}
"""


def open_root(path):
    import ROOT

    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    if not hasattr(ROOT, "enrgdaq_hex"):
        assert ROOT.gInterpreter.Declare(HEX)
    file = ROOT.TFile.Open(path)
    assert file and not file.IsZombie(), "TFile.Open"
    names = {key.GetName() for key in file.GetListOfKeys() if key.GetClassName() != "TNamed"}
    assert len(names) == 1, names
    file.Close()
    return ROOT.RDataFrame(names.pop(), path)


def read_root(path, truth):
    frame = open_root(path)
    wanted = []
    for i, name in enumerate(truth.columns):
        frame = frame.Define(f"enrgdaq_{i}", f"enrgdaq_cell({name_for_root(name)})")
        wanted.append(f"enrgdaq_{i}")
    columns = frame.AsNumpy(wanted)
    return {name: [str(cell) for cell in columns[one]] for name, one in zip(truth.columns, wanted)}


# --- files of the real system: DAQJobTest's rows, in every store at once ---

RUN = {
    "supervisor.toml": '[info]\nsupervisor_id = "interop"\nsupervisor_tags = []\n',
    "one.toml": """daq_job_type = "DAQJobTest"
rand_min = -1000000
rand_max = 1000000
interval_seconds = 0.001
[store_config.arrow]
file_path = "one.arrows"
[store_config.csv]
file_path = "one.csv"
[store_config.hdf5]
file_path = "one.h5"
dataset_name = "data"
[store_config.root]
file_path = "one.root"
tree_name = "tree"
""",
    "two.toml": """daq_job_type = "DAQJobTest"
rand_min = -1000000
rand_max = 1000000
interval_seconds = 0.001
[store_config.csv]
file_path = "two.csv"
[store_config.root]
file_path = "two.root"
tree_name = "tree"
format = "rntuple"
""",
}


def run_system(enrgdaq, folder):
    os.makedirs(f"{folder}/run/config")
    for name, text in RUN.items():
        with open(f"{folder}/run/config/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    with open(f"{folder}/run/log", "wb") as log:
        subprocess.run([enrgdaq, "run", "config", "--duration", "3"], cwd=f"{folder}/run", stdout=log, stderr=log,
            check=True)


class RunTruth:
    """The rows of a run as its CSV file has them."""

    def __init__(self, path):
        names = open(path, encoding="utf-8").readline().strip().split(",")
        self.types = {name: ("int64", "?") for name in names}
        self.columns = read_csv(path, self)
        self.rows = len(self.columns[names[0]])
        assert self.rows > 100, f"{self.rows} rows"


# --- the plan: what is read by whom ---


def find_run(folder, name):
    for base, _, files in os.walk(f"{folder}/run"):
        if name in files:
            return f"{base}/{name}"
    raise FileNotFoundError(name)


def make_plan(folder, kinds):
    """{reader: {format: [(function name, path, truth)]}}"""
    plan = {reader: {} for reader in READERS}
    readers = {"arrows": [("pyarrow", "read_arrows"), ("polars", "read_arrows_polars"),
            ("nanoarrow", "read_arrows_nanoarrow"), ("arro3.io", "read_arrows_rust"),
            ("duckdb", "read_arrows_duckdb")],
        "arrow": [("pyarrow", "read_arrow_file"), ("polars", "read_arrow_file_polars"),
            ("arro3.io", "read_arrow_file_rust")],
        "csv": [("python", "read_csv"), ("pyarrow", "read_csv_arrow")], "csv.zst": [("pyarrow", "read_csv_arrow")],
        "hdf5": [("h5py", "read_hdf5")], "ttree": [("uproot", "read_uproot"), ("ROOT", "read_root")],
        "rntuple": [("uproot", "read_uproot"), ("ROOT", "read_root")]}

    def add(label, kind, path, truth):
        for reader, function in readers[kind]:
            # Text that is not UTF-8, which these refuse, as Arrow allows it.
            if truth == "odd" and reader in ("polars", "arro3.io", "duckdb"):
                continue
            plan[reader].setdefault(label, []).append((function, path, truth))

    for kind in kinds:
        if kind == "raw":
            plan["python"]["raw"] = [("check_raw", f"{folder}/raw", "")]
            continue
        base = kind.split("_")[0]
        for name in ("final", "odd"):
            path = f"{folder}/{kind}/{name}"
            if kind == "csv.zst":
                os.link(path, path + ".csv.zst")
                path += ".csv.zst"
            add(f"store {kind}", base, path, "wide" if name == "final" else "odd")
            if base == "arrows":
                target = f"{folder}/{kind}/{name}.arrow"
                add(f"convert {kind.replace('arrows', 'arrow')}", "arrow", target, "wide" if name == "final" else "odd")
        if base in ("arrows", "ttree", "rntuple") and kind in ("arrows", "ttree", "rntuple"):
            for reader, _ in readers[base]:
                if reader not in CUT_READERS:
                    continue
                plan[reader][f"cut {kind}"] = [("check_cuts_of", kind, reader)]
    for ending, base in (("csv", "csv"), ("csv.zst", "csv.zst"), ("h5", "hdf5"), ("arrows", "arrows"),
            ("root", "ttree"), ("ntuple.root", "rntuple")):
        for name in ("final", "odd"):
            add(f"convert {base}", base, f"{folder}/arrows/{name}.{ending}", "wide" if name == "final" else "odd")
    for base, name, truth in (("arrows", "one.arrows", "one.csv"), ("hdf5", "one.h5", "one.csv"),
            ("ttree", "one.root", "one.csv"), ("rntuple", "two.root", "two.csv")):
        add(f"run {base}", base, find_run(folder, name), find_run(folder, truth))
    for reader, ending in (("pyarrow", "arrow"), ("h5py", "h5"), ("uproot", "root"), ("ROOT", "root")):
        if os.path.exists(f"{folder}/noted.{ending}"):
            plan[reader]["run in the file"] = [(f"check_run_{reader}", f"{folder}/noted.{ending}", "")]
    if os.path.exists(f"{folder}/nan.csv"):
        plan["polars"]["csv with nan, NA"] = [("check_csv_polars", f"{folder}/nan.csv", "")]
        plan["pandas"]["csv with nan, NA"] = [("check_csv_pandas", f"{folder}/nan.csv", "")]
    return plan


def convert_all(enrgdaq, folder):
    for kind in ("arrows", "arrows_zstd", "arrows_lz4"):
        for name in ("final", "odd"):
            source = f"{folder}/{kind}/{name}"
            if not os.path.exists(source):
                continue
            others = ["csv", "csv.zst", "h5", "arrows", "root", "ntuple.root"] if kind == "arrows" else []
            for ending in ["arrow", *others]:
                more = ["--format", "root-rntuple"] if ending == "ntuple.root" else []
                subprocess.run([enrgdaq, "convert", source, f"{source}.{ending}", *more], check=True)


# --- the run that a file was begun in ---

RUN_KEYS = {"run": "20261128T065216Z-abcd", "run_number": "123", "run_uuid": "11111111-1111-8111-8111-111111111111",
    "run_type": "physics", "run_description": "LED \u00abx\u00bb", "run_began_ns": "1764313390123456789",
    "supervisor": "lab1", "version": "0.1.0", "run_config": "# --- a.toml ---\npassword = \"***\"\n",
    "run_config_sha256": "ab" * 32}


def make_run_files(enrgdaq, folder):
    import pyarrow
    import pyarrow.ipc

    schema = pyarrow.schema([("n", pyarrow.int64())],
        metadata={f"enrgdaq.{key}": value for key, value in RUN_KEYS.items()})
    with pyarrow.ipc.new_stream(f"{folder}/noted.arrows", schema) as writer:
        writer.write_batch(pyarrow.record_batch([[1, 2]], schema=schema))
    for ending in ("arrow", "h5", "root"):
        subprocess.run([enrgdaq, "convert", f"{folder}/noted.arrows", f"{folder}/noted.{ending}"], check=True)


def check_run_pyarrow(path):
    import pyarrow.ipc

    found = pyarrow.ipc.open_file(path).schema.metadata
    assert {key: found[f"enrgdaq.{key}".encode()].decode() for key in RUN_KEYS} == RUN_KEYS, found


def check_run_h5py(path):
    import h5py

    with h5py.File(path, "r") as file:
        for group in (file, file["enrgdaq_runs"][RUN_KEYS["run"]]):
            found = {key: value.decode() if isinstance(value, bytes) else value for key, value in group.attrs.items()}
            assert found["run"] == RUN_KEYS["run"] and found["run_number"] == 123, found
            assert found["entry_identifier"] == "123" and found["experiment_identifier"] == "lab1", found
            assert found["title"] == RUN_KEYS["run_description"], found
            assert found["start_time"] == "2025-11-28T07:03:10.123456+00:00", found
            assert found["entry_identifier_uuid"] == RUN_KEYS["run_uuid"], found
        assert group.attrs["NX_class"] == b"NXentry" and group["config"][()].decode() == RUN_KEYS["run_config"]


def check_run_uproot(path):
    import uproot

    with uproot.open(path) as file:
        for key, value in RUN_KEYS.items():
            name = f"run_{key}" if key in ("supervisor", "version") else key
            assert file[name].member("fTitle") == value, f"{name}: {file[name].member('fTitle')}"
        assert file["runs"].member("fTitle") == RUN_KEYS["run"]


def check_run_ROOT(path):
    import ROOT

    file = ROOT.TFile.Open(path)
    assert str(file.Get("run_number").GetTitle()) == "123" and str(file.Get("run_config").GetTitle()) == RUN_KEYS["run_config"]
    file.Close()


def check_raw(folder, truth):
    """Blobs of 1, 100001, 200001 and 300001 bytes, one behind the other; each file is the beginning of the next."""
    images = [open(f"{folder}/{name}", "rb").read() for name in ("1", "2", "3", "4", "final")]
    assert [len(image) for image in images] == [1, 100002, 300003, 600004, 600004]
    assert all(after.startswith(before) for before, after in zip(images, images[1:]))
    for start, count in ((1, 100001), (100002, 200001)):  # a byte follows from its place in its blob
        assert images[-1][start:start + count] == images[-1][300003:300003 + count], "the bytes of the blobs"


# --- files cut after a commit, at many bytes ---

CUT_READERS = {"uproot": read_uproot, "ROOT": read_root, "pyarrow": cut_arrows}


def check_cuts_of(folder, kind, reader):
    truth = Truth(f"{folder}/wide.cells")
    commits = sorted(int(name) for name in os.listdir(f"{folder}/{kind}") if name.isdigit())
    read = CUT_READERS[reader]
    rows_a_commit = truth.rows // len(commits)
    for before, after in zip(commits, commits[1:]):
        first, second = (open(f"{folder}/{kind}/{number}", "rb").read() for number in (before, after))
        # A commit of a .root file ends with the head of the file, which points at what was written before.
        head = 512 if kind in ("ttree", "rntuple") else 0
        step = max(1, (len(second) - len(first)) // CUTS)
        for size in (*range(len(first), len(second), step), len(second)):
            path = f"{folder}/cut_{reader}_{kind}_{before}_{size}.root"
            with open(path, "wb") as file:
                file.write(first[:head] + second[head:size])
            try:
                compare(read(path, truth), truth, rows_a_commit * before)
            except Exception as error:
                raise AssertionError(f"cut at byte {size} after commit {before}: {error}") from error
            os.unlink(path)


# --- a reader's own process, and the one that watches them ---


def load_truth(folder, truth):
    return RunTruth(truth) if truth.endswith(".csv") else Truth(f"{folder}/{truth}.cells")


def run_reader(folder, reader, labels):
    """A line of JSON a format: label and what is wrong with it, or nothing."""
    with open(f"{folder}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)[reader]
    for label in labels:
        wrong = ""
        try:
            for function, path, truth in plan[label]:
                if function == "check_cuts_of":
                    check_cuts_of(folder, path, truth)
                elif function == "check_raw":
                    check_raw(path, truth)
                elif function.startswith(("check_csv_", "check_run_")):
                    globals()[function](path)
                else:
                    want = load_truth(folder, truth)
                    compare(globals()[function](path, want), want)
        except Exception as error:  # noqa: BLE001: a reader may raise anything
            wrong = f"{type(error).__name__}: {error}"[:500] or "failed"
        print(json.dumps([label, wrong]), file=REPORT, flush=True)


def watch_reader(folder, reader, labels):
    """{label: what is wrong}; a process that dies fails the format it was at, and the rest continues in another."""
    results = {}
    with open(f"{folder}/{reader}.log", "ab") as log:
        while left := [label for label in labels if label not in results]:
            process = subprocess.run([sys.executable, __file__, "--reader", folder, reader, *left],
                stdout=subprocess.PIPE, stderr=log, text=True)
            told = [json.loads(line) for line in process.stdout.splitlines()]
            results.update(told)
            if len(told) < len(left):
                results[left[len(told)]] = f"the reader died with {process.returncode}; see {folder}/{reader}.log"
    return results


def find_version(reader):
    """Version, or why it can't run; asked in another process, for an import may end it."""
    if reader == "python":
        return sys.version.split()[0], ""
    module = {"uproot": "uproot, awkward", "polars": "polars, pyarrow", "duckdb": "duckdb, pyarrow",
        "nanoarrow": "nanoarrow, pyarrow", "arro3.io": "arro3.io, pyarrow"}.get(reader, reader)
    version = "__import__('importlib.metadata').metadata.version"
    process = subprocess.run([sys.executable, "-W", "ignore", "-c",
            f"import {module}; print({version}({PACKAGES.get(reader, reader)!r}))"], capture_output=True, text=True)
    if process.returncode:
        return "", (process.stderr.strip().splitlines() or ["it can't be imported"])[-1]
    return process.stdout.strip().splitlines()[-1], ""


def print_table(plan, results, versions):
    labels = list(dict.fromkeys(label for formats in plan.values() for label in formats))
    heads = [f"{reader} {versions[reader][0]}".strip() for reader in plan]
    widths = [max(len(head), 13) for head in heads]
    print(f"\n{'':24}" + "  ".join(head.ljust(width) for head, width in zip(heads, widths)))
    for label in labels:
        cells = []
        for reader in plan:
            if label not in plan[reader]:
                cells.append("")
            elif reader not in results:
                cells.append("could not run")
            else:
                cells.append("FAILED" if results[reader][label] else "ok")
        print(f"{label:24}" + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
    print()


def main(enrgdaq, write_stores, folder):
    enrgdaq, folder = os.path.abspath(enrgdaq), os.path.abspath(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    subprocess.run([write_stores, folder], check=True, stdout=subprocess.DEVNULL)
    kinds = sorted(name for name in os.listdir(folder) if os.path.isdir(f"{folder}/{name}"))
    convert_all(enrgdaq, folder)
    run_system(enrgdaq, folder)
    if not find_version("pyarrow")[1]:
        make_odd_csv(enrgdaq, folder)
        make_run_files(enrgdaq, folder)
    plan = make_plan(folder, kinds)
    with open(f"{folder}/plan.json", "w", encoding="utf-8") as file:
        json.dump(plan, file)
    versions = {reader: find_version(reader) for reader in plan}
    results = {reader: watch_reader(folder, reader, list(plan[reader])) for reader in plan if not versions[reader][1]}
    print_table(plan, results, versions)
    wrong = [(reader, label, text) for reader, found in results.items() for label, text in found.items() if text]
    for reader, label, text in wrong:
        print(f"FAILED: {reader}, {label}: {text}")
    for reader, (_, why) in versions.items():
        if why:
            print(f"could not run: {reader}: {why}")
    if wrong:
        print(f"The files are in {folder}.")
        return 1
    shutil.rmtree(folder)
    return 0


if sys.argv[1:2] == ["--reader"]:
    # What a reader prints must not come between the lines of the report.
    REPORT = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    run_reader(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    sys.exit(main(*sys.argv[1:]))
