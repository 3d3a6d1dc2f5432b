#!/usr/bin/env python3
"""Writes the corpus of npy_fuzz: `make_npy_corpus.py FOLDER` (Debian: python3-numpy). The files of the two pickle
protocols are what NumPy 1 and NumPy 2 write."""
import io
import pickle
import sys

import numpy as np

rows = 3
every = {f"{kind}{width}": np.arange(rows).astype(f"<{kind}{width}") for kind in "iu" for width in (1, 2, 4, 8)}
every |= {
    "f4": np.linspace(0, 1, rows, dtype="<f4"),
    "f8": np.linspace(0, 1, rows),
    "bool": np.array([True, False, True]),
    "text": np.array(["a", "", "µ€𝄞"]),
    "bytes": np.array([b"ab", b"", b"c"]),
    "list": np.arange(2 * rows, dtype="<i2").reshape(rows, 2),
}
dates = np.array([1795824754123456789, -1, 0], dtype="<i8").view("<M8[ns]")
contents = {
    "every_type": every,
    "turned": {
        "fortran": np.asfortranarray(np.arange(6, dtype="<f8").reshape(rows, 2)),
        "big": np.arange(rows, dtype=">i4"),
        "big_text": np.array(["x", "yz", "ä"]).astype(">U2"),
        "big_list": np.arange(6, dtype=">u2").reshape(rows, 2),
    },
    "digitizer": {
        "real_ns_timestamp": np.arange(2, dtype="<u8"),
        "event_counter": np.arange(2, dtype="<u4"),
        "channel": np.zeros(2, dtype="u1"),
        "sample_index": np.arange(2, dtype="<u2"),
        "value_mv": np.arange(2, dtype="<i2"),
    },
    "no_rows": {"a": np.zeros(0), "b": np.zeros((0, 4), dtype="<i2"), "c": np.zeros(0, dtype="U3")},
    "shared": dict.fromkeys("ab", np.arange(rows)),
    "dates": {"time": dates, "big": dates.astype(">M8[ns]")},
    "refused_dates": {"a": np.array(["2026-01-01"], dtype="M8[ms]")},
    "refused_record": {"a": np.zeros(1, dtype=[("x", "<i4"), ("y", "<f8")])},
    "refused_objects": {"a": np.array([None, "x"], dtype=object)},
    "refused_scalar": {"a": np.float64(1.5), "b": 7, "c": 1.5},
    "refused_list": {"a": [1, 2, 3]},
    "refused_class": {"a": sys.exit},
}
for name, content in contents.items():
    for protocol in (3, 4):
        stream = io.BytesIO()
        box = np.empty((), dtype=object)
        box[()] = content
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(box))
        pickle.dump(box, stream, protocol=protocol)
        with open(f"{sys.argv[1]}/{name}_{protocol}", "wb") as file:
            file.write(stream.getvalue())
