#!/bin/sh
# Reads ENRGDAQ's files with the readers that physicists use (pyarrow, polars, DuckDB, nanoarrow, arrow-rs, pandas, h5py,
# uproot, CERN's ROOT), of the versions that PyPI has today, and compares every value. They are installed below build/interop, nowhere else; ROOT takes 300 MB of
# download. What can't be installed is said, and is no failure. Exit code 1: a reader found something else.
set -eu
cd "$(dirname "$0")/.."
folder=build/interop
python=/usr/bin/python3
command -v "$python" >/dev/null || python=python3

scripts/install-packages.sh test
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" --target product write_stores

mkdir -p "$folder"
if [ ! -x "$folder/venv/bin/pip" ] && ! "$python" -m venv "$folder/venv"; then
	echo "interop: no environment for Python packages can be made (Debian: python3-venv)" >&2
	exit 1
fi
for package in numpy lz4 pyarrow polars duckdb nanoarrow arro3 pandas h5py uproot root; do
	[ "$package" != uproot ] || package="uproot awkward"
	[ "$package" != arro3 ] || package="arro3-core arro3-io"
	# shellcheck disable=SC2086
	if ! "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 30 \
		--only-binary :all: $package >"$folder/pip.log" 2>&1; then
		why=$(grep -m 1 '^ERROR' "$folder/pip.log" || tail -n 1 "$folder/pip.log")
		echo "interop: $package can't be installed: $why"
	fi
done
export ENRGDAQ_MODULE_PATH="$PWD/build/release/modules"
code=0
"$folder/venv/bin/python" tests/interop/check_readers.py build/release/enrgdaq \
	build/release/tests/interop/write_stores "$folder/files" || code=1
# And the other way: old dumps as this day's NumPy writes them.
if "$folder/venv/bin/python" -c 'import h5py, lz4.frame, numpy' 2>"$folder/numpy.log"; then
	printf 'dumps of NumPy %s: ' "$("$folder/venv/bin/python" -c 'import numpy; print(numpy.__version__)')"
	"$folder/venv/bin/python" tests/interop/check_numpy.py "$PWD/build/release/enrgdaq" none hdf5 || code=1
else
	echo "could not run: dumps of NumPy: $(tail -n 1 "$folder/numpy.log")"
fi
exit $code
