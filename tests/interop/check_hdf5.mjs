// check_hdf5.mjs WRITE_HDF5: lets the C program write its files, reads them with h5wasm (HDF5 1.14 and later), and with
// h5dump and h5py (check_hdf5.py) where those are installed, and compares every value with what the formulas of
// write_hdf5.c give here.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import h5wasm from "h5wasm/node";

await h5wasm.ready;

const ROWS = 1005;
const GROUP = "run/all types";
const wrap = (bits, row) => Number(BigInt.asIntN(bits, -7n * BigInt(row)));
const wrapUnsigned = (bits, row) => Number(BigInt.asUintN(bits, -7n * BigInt(row)));
const items = (row, make) => Array.from({ length: row % 4 }, (_, k) => make(row + k));

const ALL_TYPES = {
	bool: { type: "bool", stored: "<B", at: (row) => (row % 3 === 0 ? 1 : 0) },
	i8: { type: "int8", stored: "<b", at: (row) => wrap(8, row) },
	i16: { type: "int16", stored: "<h", unit: "mV", at: (row) => wrap(16, row) },
	i32: { type: "int32", stored: "<i", at: (row) => wrap(32, row) },
	i64: { type: "int64", stored: "<q", unit: "ns", at: (row) => -(2n ** 63n) + BigInt(row) },
	u8: { type: "uint8", stored: "<B", at: (row) => wrapUnsigned(8, row) },
	u16: { type: "uint16", stored: "<H", at: (row) => wrapUnsigned(16, row) },
	u32: { type: "uint32", stored: "<I", at: (row) => wrapUnsigned(32, row) },
	u64: { type: "uint64", stored: "<Q", at: (row) => 2n ** 64n - 1n - BigInt(row) },
	f32: { type: "float32", stored: "<f", unit: "°C", at: (row) => row / 2 },
	f64: { type: "float64", stored: "<d", at: (row) => row / 3 },
	"text%2Fü": { type: "string", stored: "<B", list: true, at: (row) => items(row, (n) => 97 + (n % 26)) },
	blob: { type: "binary", stored: "<B", list: true, at: (row) => items(row, (n) => n & 255) },
	wave: { type: "list", stored: "<h", list: true, unit: "mV", at: (row) => items(row, (n) => wrap(16, n)) },
	wave64: { type: "list", stored: "<d", list: true, at: (row) => items(row, (n) => n / 3) },
};

function checkDataset(dataset, { stored, type, unit }, filters) {
	assert.equal(dataset.dtype, stored, dataset.path);
	assert.equal(dataset.attrs.enrgdaq_type.value, type, dataset.path);
	assert.equal(dataset.attrs.unit?.value, unit, dataset.path);
	assert.ok(dataset.metadata.maxshape[0] >= 2 ** 63, `${dataset.path} grows`);
	assert.deepEqual(dataset.filters.map((filter) => filter.id), filters, dataset.path);
}

function checkTypes(path, filters) {
	const file = new h5wasm.File(path, "r");
	const group = file.get(GROUP);
	assert.deepEqual(group.keys().sort(), Object.keys(ALL_TYPES).sort());
	for (const [name, column] of Object.entries(ALL_TYPES)) {
		const plain = file.get(`${GROUP}/${name}${column.list ? "/values" : ""}`);
		const values = plain.value;
		checkDataset(plain, column, filters);
		if (!column.list) {
			assert.equal(values.length, ROWS);
			for (let row = 0; row < ROWS; row++)
				assert.equal(values[row], column.at(row), `${path}: ${name}[${row}]`);
			continue;
		}
		const offsets = file.get(`${GROUP}/${name}/offsets`).value;
		assert.equal(offsets.length, ROWS);
		let first = 0;
		for (let row = 0; row < ROWS; row++) {
			const end = Number(offsets[row]);
			assert.deepEqual(Array.from(values.slice(first, end)), column.at(row), `${path}: ${name}[${row}]`);
			first = end;
		}
		assert.equal(values.length, first);
	}
	file.close();
}

function checkMissing(path) {
	const file = new h5wasm.File(path, "r");
	assert.deepEqual(Array.from(file.get("scan/n").value), [1, 2, 3, 4, 1, 0, 3, 0]);
	assert.deepEqual(Array.from(file.get("scan/real").value), [0.5, 1.5, 2.5, 3.5, 0.5, NaN, 2.5, NaN]);
	for (const name of ["n", "real"])
		assert.deepEqual(Array.from(file.get(`scan_valid/${name}`).value), [1, 1, 1, 1, 1, 0, 1, 0]);
	file.close();
}

function checkEdges(path) {
	const file = new h5wasm.File(path, "r");
	const reals = [NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308];
	assert.deepEqual(file.get("scan").keys().sort(), ["%252F", "%2E", "a.b [mV]", "f32", "f64", "text", "wave"]);
	assert.deepEqual(Array.from(file.get("scan/f64").value), reals); // deepEqual tells -0 from 0
	const singles = Array.from(file.get("scan/f32").value);
	assert.deepEqual(singles, reals.slice(0, 4).concat(Math.fround(1e-45), Math.fround(3.4028234663852886e38)));
	assert.deepEqual(Array.from(file.get("scan/text/values").value), [255, 254, 97, 0, 98, 122]);
	assert.deepEqual(Array.from(file.get("scan/text/offsets").value, Number), [0, 2, 2, 5, 5, 6]);
	assert.deepEqual(Array.from(file.get("scan/wave/values").value), reals);
	assert.deepEqual(Array.from(file.get("scan/wave/offsets").value, Number), [0, 0, 6, 6, 6, 6]);
	for (const name of ["%252F", "%2E", "a.b [mV]"])
		assert.deepEqual(Array.from(file.get(`scan/${name}`).value), [0, 1, 2, 3, 4, 5]);
	file.close();
}

function checkBlob(path) {
	const file = new h5wasm.File(path, "r");
	const large = 17 << 20;
	assert.deepEqual(Array.from(file.get("camera/bytes/offsets").value, Number), [3, 3 + large, 6 + large]);
	const values = file.get("camera/bytes/values").value;
	assert.equal(values.length, 6 + large);
	const at = (i) => (i * 31 + Math.floor(i / 251)) & 255;
	for (let i = 0; i < large; i++)
		if (values[3 + i] !== at(i))
			assert.fail(`byte ${i}: expected ${at(i)}, found ${values[3 + i]}`);
	file.close();
}

function dump(path, dataset) {
	const { status, stdout, stderr } = spawnSync("h5dump", ["-y", "-w", "0", "-d", dataset, path], { encoding: "utf8" });
	assert.equal(status, 0, stderr);
	return /DATA \{\s*([^}]*)\}/.exec(stdout)[1].split(",").map((text) => text.trim());
}

function checkDump(path) {
	assert.deepEqual(dump(path, `/${GROUP}/i64`), Array.from({ length: ROWS }, (_, row) => `${ALL_TYPES.i64.at(row)}`));
	assert.deepEqual(dump(path, `/${GROUP}/i16`), Array.from({ length: ROWS }, (_, row) => `${wrap(16, row)}`));
	const wave = Array.from({ length: ROWS }, (_, row) => ALL_TYPES.wave.at(row)).flat();
	assert.deepEqual(dump(path, `/${GROUP}/wave/values`), wave.map(String));
}

// Debian's h5py belongs to Debian's Python, which need not be the first one found.
function findPython() {
	return ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import h5py"]).status === 0);
}

const folder = mkdtempSync(join(tmpdir(), "enrgdaq-interop-"));
try {
	execFileSync(process.argv[2], [folder], { stdio: "inherit" });
	assert.deepEqual(readdirSync(folder).sort(), ["beyond.h5", "blob.h5", "edges.h5", "missing.h5", "packed.h5", "types.h5"]);
	checkTypes(join(folder, "types.h5"), []);
	checkTypes(join(folder, "packed.h5"), [2, 1]);
	assert.ok(statSync(join(folder, "beyond.h5")).size > 5 * 2 ** 30);
	checkTypes(join(folder, "beyond.h5"), []);
	checkEdges(join(folder, "edges.h5"));
	checkMissing(join(folder, "missing.h5"));
	checkBlob(join(folder, "blob.h5"));
	console.log("h5wasm: ok");
	if (spawnSync("h5dump", ["--version"]).status === 0) {
		checkDump(join(folder, "types.h5"));
		checkDump(join(folder, "packed.h5"));
		checkDump(join(folder, "beyond.h5"));
		console.log("h5dump: ok");
	} else {
		console.log("h5dump: not run, it is not installed (Debian: hdf5-tools)");
	}
	const python = findPython();
	const script = fileURLToPath(new URL("check_hdf5.py", import.meta.url));
	if (python)
		execFileSync(python, ["-B", script, folder], { stdio: "inherit" });
	else
		console.log("h5py: not run, it is not installed (Debian: python3-h5py)");
} finally {
	rmSync(folder, { recursive: true });
}
