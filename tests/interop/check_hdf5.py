"""check_hdf5.py FOLDER: reads the files of write_hdf5.c with h5py and compares every value, as check_hdf5.mjs does."""
import sys

import h5py
import numpy

ROWS = 1005
GROUP = "run/all types"
ROW = numpy.arange(ROWS)


def wrap(dtype, rows):
    return (-7 * rows.astype("int64")).astype(dtype)


PLAIN = {
    "bool": ("uint8", "bool", (ROW % 3 == 0).astype("uint8")),
    "i8": ("int8", "int8", wrap("int8", ROW)),
    "i16": ("int16", "int16", wrap("int16", ROW)),
    "i32": ("int32", "int32", wrap("int32", ROW)),
    "i64": ("int64", "int64", numpy.iinfo("int64").min + ROW),
    "u8": ("uint8", "uint8", wrap("uint8", ROW)),
    "u16": ("uint16", "uint16", wrap("uint16", ROW)),
    "u32": ("uint32", "uint32", wrap("uint32", ROW)),
    "u64": ("uint64", "uint64", numpy.iinfo("uint64").max - ROW.astype("uint64")),
    "f32": ("float32", "float32", (ROW / 2).astype("float32")),
    "f64": ("float64", "float64", ROW / 3),
}
LISTS = {
    "text%2Fü": ("uint8", "string", lambda n: (97 + n % 26).astype("uint8")),
    "blob": ("uint8", "binary", lambda n: n.astype("uint8")),
    "wave": ("int16", "list", lambda n: wrap("int16", n)),
    "wave64": ("float64", "list", lambda n: n / 3),
}


def expect(name, found, wanted):
    if found.dtype != wanted.dtype or not numpy.array_equal(found, wanted, equal_nan=found.dtype.kind == "f"):
        sys.exit(f"{name}: expected {wanted.dtype} {wanted}, found {found.dtype} {found}")


def check_types(path):
    with h5py.File(path, "r") as file:
        group = file[GROUP]
        if set(group) != set(PLAIN) | set(LISTS):
            sys.exit(f"{path}: found {list(group)}")
        for name, (dtype, kind, wanted) in PLAIN.items():
            expect(f"{path}: {name}", group[name][:], wanted.astype(dtype))
            if group[name].attrs["enrgdaq_type"].decode() != kind:
                sys.exit(f"{path}: {name} is said to be {group[name].attrs['enrgdaq_type']}")
        for name, (dtype, kind, make) in LISTS.items():
            ends, values = group[name]["offsets"][:], group[name]["values"]
            expect(f"{path}: {name}/offsets", ends, numpy.cumsum(ROW % 4).astype("uint64"))
            for row in range(ROWS):
                first = ends[row - 1] if row else 0
                wanted = make(row + numpy.arange(row % 4)).astype(dtype)
                expect(f"{path}: {name}[{row}]", values[int(first):int(ends[row])], wanted)


def check_missing(path):
    with h5py.File(path, "r") as file:
        expect("n", file["scan/n"][:], numpy.array([1, 2, 3, 4, 1, 0, 3, 0], "int32"))
        expect("real", file["scan/real"][:], numpy.array([0.5, 1.5, 2.5, 3.5, 0.5, numpy.nan, 2.5, numpy.nan]))
        for name in ("n", "real"):
            expect(name, file["scan_valid"][name][:], numpy.array([1, 1, 1, 1, 1, 0, 1, 0], "uint8"))


def check_edges(path):
    reals = numpy.array([numpy.nan, numpy.inf, -numpy.inf, -0.0, 5e-324, 1.7976931348623157e308])
    with h5py.File(path, "r") as file:
        expect("f64", file["scan/f64"][:], reals)
        if not numpy.signbit(file["scan/f64"][3]):
            sys.exit("-0.0 has lost its sign")
        expect("text", file["scan/text/values"][:], numpy.frombuffer(b"\xff\xfea\0bz", "uint8"))
        expect("text", file["scan/text/offsets"][:], numpy.array([0, 2, 2, 5, 5, 6], "uint64"))
        expect("wave", file["scan/wave/values"][:], reals)


def check_blob(path):
    large = 17 << 20
    with h5py.File(path, "r") as file:
        index = numpy.arange(large, dtype="uint32")
        expect("blob", file["camera/bytes/values"][3:3 + large], (index * 31 + index // 251).astype("uint8"))


for name in ("types", "packed", "beyond"):
    check_types(f"{sys.argv[1]}/{name}.h5")
check_missing(f"{sys.argv[1]}/missing.h5")
check_edges(f"{sys.argv[1]}/edges.h5")
check_blob(f"{sys.argv[1]}/blob.h5")
print(f"h5py {h5py.__version__}: ok")
